package embedded_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/livemeter/livemeter/deploy/embedded"
	"github.com/livemeter/livemeter/deploy/embedded/chhttp"
	"github.com/livemeter/livemeter/deploy/embedded/engines"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

func TestMain(m *testing.M) { testengine.Main(m) }

// A ClickHouse that is killed in the middle of inserts keeps all that it acknowledged, each insert as a whole, and its directory is good for
// the next one.
func TestKilledInMidInsert(t *testing.T) {
	dir := t.TempDir()
	w := writer{t: t}
	for range 4 {
		p := testengine.ClickHouseProcess(t, dir, "127.0.0.1:0")
		testengine.Exec(t, p.Addr(), "CREATE DATABASE IF NOT EXISTS d")
		testengine.Exec(t, p.Addr(), "CREATE TABLE IF NOT EXISTS d.t (i UInt64, n UInt64) ENGINE = MergeTree ORDER BY (i, n)")
		w.check(p.Addr())
		w.insertUntilKilled(p)
	}
	p := testengine.ClickHouseProcess(t, dir, "127.0.0.1:0")
	w.check(p.Addr())
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

// writer numbers its inserts, of insertRows rows each.
type writer struct {
	t            *testing.T
	sent         int64
	acknowledged []string
}

const insertRows = 1000

func (w *writer) insertUntilKilled(p *embedded.ClickHouseProcess) {
	w.t.Helper()
	reached, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for n := 1; ; n++ {
			w.sent++
			res, err := http.Post("http://"+p.Addr()+"/", "text/plain", strings.NewReader(insert(w.sent, insertRows)))
			if err != nil {
				return // killed
			}
			res.Body.Close()
			if res.StatusCode != http.StatusOK {
				w.t.Errorf("insert %d: %s", w.sent, res.Status)
				return
			}
			w.acknowledged = append(w.acknowledged, strconv.FormatInt(w.sent, 10))
			if n == 20 {
				close(reached) // the kill comes during one of the inserts that follow
			}
		}
	}()
	select {
	case <-reached:
	case <-ended:
		w.t.Fatal("inserting ended before the kill")
	}
	p.Kill()
	<-ended
}

// check wants all inserts that were acknowledged, and none in part.
func (w *writer) check(addr string) {
	w.t.Helper()
	part := fmt.Sprintf("SELECT count() FROM (SELECT count() AS c, uniqExact(n) AS u FROM d.t GROUP BY i) WHERE c != %d OR u != %[1]d", insertRows)
	if got := testengine.Exec(w.t, addr, part); got != "0\n" {
		w.t.Errorf("%s inserts are there in part", strings.TrimSpace(got))
	}
	if len(w.acknowledged) == 0 {
		return
	}
	there := testengine.Exec(w.t, addr, "SELECT uniqExact(i) FROM d.t WHERE i IN ("+strings.Join(w.acknowledged, ",")+")")
	if there != fmt.Sprintln(len(w.acknowledged)) {
		w.t.Errorf("%s of %d acknowledged inserts are there", strings.TrimSpace(there), len(w.acknowledged))
	}
}

func insert(i int64, rows int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO d.t FORMAT TSV\n")
	for n := range rows {
		fmt.Fprintf(&b, "%d\t%d\n", i, n)
	}
	return b.String()
}

func TestDirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	testengine.ClickHouseProcess(t, dir, "127.0.0.1:0")
	lib, err := engines.ClickHouse(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = embedded.RunClickHouse(t.Context(), lib, dir, "127.0.0.1:0", chhttp.Options{}, nil)
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "in use") {
		t.Fatalf("the error must say that the directory is in use: %v", err)
	}
}

func TestPassword(t *testing.T) {
	lib, err := engines.ClickHouse(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- embedded.RunClickHouse(ctx, lib, filepath.Join(t.TempDir(), "not", "there", "yet"), "127.0.0.1:0",
			chhttp.Options{User: "lm", Password: "secret"}, func(addr string) { ready <- addr })
	}()
	var addr string
	select {
	case addr = <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*http.Request)
		status int
	}{
		{"none", func(*http.Request) {}, 401},
		{"basic", func(r *http.Request) { r.SetBasicAuth("lm", "secret") }, 200},
		{"headers", func(r *http.Request) {
			r.Header.Set("X-ClickHouse-User", "lm")
			r.Header.Set("X-ClickHouse-Key", "secret")
		}, 200},
		{"url", func(r *http.Request) { r.URL.RawQuery += "&user=lm&password=secret" }, 200},
		{"wrong password", func(r *http.Request) { r.SetBasicAuth("lm", "guess") }, 403},
		{"wrong user", func(r *http.Request) { r.SetBasicAuth("default", "secret") }, 403},
	} {
		req, err := http.NewRequest(http.MethodGet, "http://"+addr+"/?query=SELECT+7", nil)
		if err != nil {
			t.Fatal(err)
		}
		c.change(req)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != c.status || (c.status == 200) != (string(body) == "7\n") {
			t.Errorf("%s: %s %q, want %d", c.name, res.Status, body, c.status)
		}
	}
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("stop: %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it does not stop")
	}
}
