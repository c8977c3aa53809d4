// Package testengine gives the tests of all packages real engines: one ClickHouse, one Kafka for each test process, started when first wanted.
package testengine

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livemeter/livemeter/deploy/embedded"
	"github.com/livemeter/livemeter/deploy/embedded/chhttp"
	"github.com/livemeter/livemeter/deploy/embedded/engines"
)

var (
	databases  atomic.Int64
	clickHouse = sync.OnceValues(startClickHouse)
)

// ClickHouse gives the HTTP address of a real ClickHouse and the name of a database in it that is new and belongs to this test alone.
// The engine runs inside the test process, one for all its tests.
func ClickHouse(t testing.TB) (addr, database string) {
	t.Helper()
	addr, err := clickHouse()
	if err != nil {
		t.Fatalf("testengine: %v", err)
	}
	database = fmt.Sprintf("test_%d_%d", os.Getpid(), databases.Add(1))
	Exec(t, addr, "CREATE DATABASE "+database)
	t.Cleanup(func() { Exec(t, addr, "DROP DATABASE IF EXISTS "+database+" SYNC") })
	return addr, database
}

// Exec runs a statement over HTTP and returns its result in TabSeparated.
func Exec(t testing.TB, addr, sql string) string {
	t.Helper()
	res, err := http.Post("http://"+addr+"/", "text/plain", strings.NewReader(sql))
	if err != nil {
		t.Fatalf("testengine: %v", err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("testengine: %s: %s %s %v", sql, res.Status, out, err)
	}
	return string(out)
}

// startClickHouse never stops what it starts: the engine ends with the test process, its directory is removed by the next one.
func startClickHouse() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	lib, err := engines.ClickHouse(ctx, Progress)
	if err != nil {
		return "", err
	}
	dir, err := scratch("clickhouse")
	if err != nil {
		return "", err
	}
	ready, failed := make(chan string, 1), make(chan error, 1)
	go func() {
		failed <- embedded.RunClickHouse(context.Background(), lib, dir, "127.0.0.1:0", chhttp.Options{}, func(addr string) { ready <- addr })
	}()
	select {
	case addr := <-ready:
		return addr, nil
	case err := <-failed:
		return "", err
	}
}

// Progress prints what a start waits for. It goes to standard error: it is of interest while a test hangs.
func Progress(message string) { fmt.Fprintln(os.Stderr, "testengine:", message) }
