package service_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/zap"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// beforeClickHouse stands before the real engine. answer may answer a statement in its place.
func beforeClickHouse(t *testing.T, addr string, answer func(w http.ResponseWriter, statement string) (done bool)) (proxied string) {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil { // the client has given up
			panic(http.ErrAbortHandler)
		}
		if answer(w, r.URL.Query().Get("query")+string(body)) {
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

// A ClickHouse that goes away in the middle of a start is waited for, whatever was asked at that moment.
func TestStartOutlastsAnOutageOfClickHouse(t *testing.T) {
	addr, _ := testengine.ClickHouse(t)
	var mu sync.Mutex
	hung := map[string]bool{}
	questions := []string{"SELECT uuid FROM system.tables", "FROM system.columns", "CREATE OR REPLACE VIEW", ".epochs FINAL", "INSERT INTO"}
	proxied := beforeClickHouse(t, addr, func(_ http.ResponseWriter, statement string) bool {
		mu.Lock()
		defer mu.Unlock()
		for _, q := range questions {
			if strings.Contains(statement, q) && !hung[q] {
				hung[q] = true
				panic(http.ErrAbortHandler)
			}
		}
		return false
	})
	p := start(t, true, func(c *config.Config) { c.ClickHouse.Addr = []string{proxied} })
	p.readyz(http.StatusOK)
	mu.Lock()
	defer mu.Unlock()
	for _, q := range questions {
		if !hung[q] {
			t.Errorf("nothing was asked like %s", q)
		}
	}
	if logs := p.logs.String(); !strings.Contains(logs, "waiting for schema") || !strings.Contains(logs, "clickhouse.addr") || strings.Contains(logs, "sendQuery") || strings.Contains(logs, "Post ") || strings.Contains(logs, "gateway.gateway") {
		t.Errorf("the log: %s", logs)
	}
}

// What waiting does not mend ends a start.
func TestStartEndsWithAPermanentError(t *testing.T) {
	addr, database := testengine.ClickHouse(t)
	proxied := beforeClickHouse(t, addr, func(w http.ResponseWriter, statement string) bool {
		if !strings.Contains(statement, "CREATE TABLE") {
			return false
		}
		w.Header().Set("X-ClickHouse-Exception-Code", "497")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "Code: 497. DB::Exception: default: Not enough privileges. (ACCESS_DENIED)")
		return true
	})
	cfg := config.Default()
	cfg.Kafka.Brokers = testengine.FakeKafka(t)
	cfg.ClickHouse.Addr, cfg.ClickHouse.Database = []string{proxied}, database
	cfg.Gateway.Addr, cfg.Admin.Addr, cfg.Topics.Replication, cfg.PseudonymKey = "127.0.0.1:0", "127.0.0.1:0", 1, testKey
	if err := (&pipeline{t: t}).refused(cfg, true); err == nil || !strings.Contains(err.Error(), "lacks a right") {
		t.Errorf("%v, want what right is lacking", err)
	}
}

// What ClickHouse refuses for now, and is asked again and again within one step of the start, is told meanwhile.
func TestStartTellsWhatIsTriedAgain(t *testing.T) {
	addr, database := testengine.ClickHouse(t)
	var full atomic.Bool
	var attempts atomic.Int64
	full.Store(true)
	proxied := beforeClickHouse(t, addr, func(w http.ResponseWriter, statement string) bool {
		if !strings.Contains(statement, "INSERT INTO "+database+".watermarks_rows") || !full.Load() {
			return false
		}
		attempts.Add(1)
		w.Header().Set("X-ClickHouse-Exception-Code", "243")
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, "Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)")
		return true
	})
	cfg := config.Default()
	cfg.Kafka.Brokers = testengine.FakeKafka(t)
	cfg.ClickHouse.Addr, cfg.ClickHouse.Database = []string{proxied}, database
	cfg.Gateway.Addr, cfg.Admin.Addr, cfg.Topics.Replication, cfg.PseudonymKey = "127.0.0.1:0", "127.0.0.1:0", 1, testKey
	proc, err := service.New(cfg, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	p := &pipeline{t: t, cfg: cfg, process: proc}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- proc.Serve(ctx, func(ctx context.Context) (service.Plan, error) { return p.plan(ctx, true) })
	}()
	p.readyz(http.StatusServiceUnavailable, `"schema":"ClickHouse at `+proxied, "not enough space")
	if why := proc.Waiting(); !strings.HasPrefix(why, "schema: ClickHouse at "+proxied) || !strings.Contains(why, "not enough space") {
		t.Errorf("it waits for %q", why)
	}
	if n := attempts.Load(); n > 10 { // within the minute of the step are about twenty
		t.Errorf("it is told after %d attempts", n)
	}
	full.Store(false)
	p.readyz(http.StatusOK)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
