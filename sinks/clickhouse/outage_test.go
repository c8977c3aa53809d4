package clickhouse_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/sinks/clickhouse"
	"github.com/livemeter/livemeter/sinks/conformance"
)

// faulty stands before the real engine and fails inserts as fail says: before they reach it, or after they were stored.
func faulty(t *testing.T, addr string, fail func(n int64) (before, after bool)) (proxied string, inserts *atomic.Int64) {
	t.Helper()
	inserts = new(atomic.Int64)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Query().Get("query"), "INSERT") {
			proxy.ServeHTTP(w, r)
			return
		}
		before, after := fail(inserts.Add(1))
		switch {
		case before:
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("X-ClickHouse-Exception-Code", "252")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, "Code: 252. DB::Exception: Too many parts. (TOO_MANY_PARTS)")
		case after:
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://"), inserts
}

// What the server refuses for now is tried again; an answer that is lost is for the caller, who may ask the server what it has.
func TestWriteGoesOnUntilStored(t *testing.T) {
	e := open(t)
	addr, inserts := faulty(t, e.addr, func(n int64) (before, after bool) { return n == 1, n == 2 })
	s := e.through(addr)
	var told atomic.Int64
	ctx := rollup.WithAttempts(context.Background(), func(error) { told.Add(1) })
	var lost *clickhouse.NoAnswerError
	if err := s.Write(ctx, hourBatch(e.epoch)); !errors.As(err, &lost) || inserts.Load() != 2 {
		t.Fatalf("%d attempts: %v, want a lost answer with the second", inserts.Load(), err)
	}
	if err := s.Write(ctx, hourBatch(e.epoch)); err != nil {
		t.Fatal(err)
	}
	if told.Load() != 2 {
		t.Errorf("%d failed attempts were told, want 2", told.Load())
	}
	if inserts.Load() != 3 {
		t.Errorf("%d attempts, want 3: refused, answer lost, stored", inserts.Load())
	}
	if got := e.query("SELECT events FROM $db.room_measures WHERE grain = '1h'"); got != "4" {
		t.Errorf("events %s, want 4", got)
	}
}

// A server that begins an answer and falls silent is one that does not answer, whatever the driver makes of it.
func TestWriteEndsWithASilentServer(t *testing.T) {
	e := openWith(t, func(c *clickhouse.Config) { c.WriteTimeout = time.Second })
	over := make(chan struct{})
	defer close(over)
	inserts := new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inserts.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write([]byte("x"))
		w.(http.Flusher).Flush()
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(srv.Close)
	var lost *clickhouse.NoAnswerError
	if err := e.through(strings.TrimPrefix(srv.URL, "http://")).Write(context.Background(), hourBatch(e.epoch)); !errors.As(err, &lost) || inserts.Load() != 1 {
		t.Errorf("%d attempts: %v, want one without an answer", inserts.Load(), err)
	}
}

func TestWriteEndsWithItsContext(t *testing.T) {
	e := open(t)
	ctx, cancel := context.WithCancel(context.Background())
	addr, _ := faulty(t, e.addr, func(n int64) (before, after bool) {
		if n == 3 {
			cancel()
		}
		return true, false
	})
	if err := e.through(addr).Write(ctx, hourBatch(e.epoch)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// A write that ends while it waits for its next attempt says what did not come about, and what the server said last.
func TestWriteThatEndsTellsWhy(t *testing.T) {
	e := open(t)
	addr, inserts := faulty(t, e.addr, func(int64) (before, after bool) { return true, false })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tries := 0
	ctx = rollup.WithAttempts(ctx, func(error) {
		if tries++; tries == 3 {
			cancel()
		}
	})
	err := e.through(addr).Write(ctx, hourBatch(e.epoch))
	if !errors.Is(err, context.Canceled) || inserts.Load() != 3 || !strings.Contains(err.Error(), "room_rows") || !strings.Contains(err.Error(), "Too many parts") {
		t.Errorf("%d attempts, error %v; want 3 and what the server said", inserts.Load(), err)
	}
}

func (e *engine) through(addr string) *clickhouse.Sink {
	e.t.Helper()
	cfg := e.cfg
	cfg.Addr = []string{addr}
	s, err := clickhouse.New(cfg, nil, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = s.Close() })
	return s
}

func hourBatch(epoch uint16) *rollup.Batch {
	return &rollup.Batch{Epoch: epoch, Cells: []*rollup.Cells{conformance.Cells(row{Grain: measure.Grain1h, Room: "a", Window: start, Version: 3, Value: 4})}}
}

func TestValidateNamesAllMistakes(t *testing.T) {
	err := clickhouse.Config{Addr: []string{"nowhere"}, Protocol: "smtp", Database: "a b", TTLDays: []int{1}, Zone: "Local"}.Validate()
	for _, want := range []string{"clickhouse.addr", "clickhouse.protocol", "clickhouse.database", "clickhouse.ttl:", "clickhouse.zone"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in %v", want, err)
		}
	}
	if err := (clickhouse.Config{}).Validate(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	for _, addr := range []string{"a b:8123", "http://a:8123", "a", "a,b:8123"} {
		if err := (clickhouse.Config{Addr: []string{addr}}).Validate(); err == nil || !strings.Contains(err.Error(), "clickhouse.addr") {
			t.Errorf("address %q: %v", addr, err)
		}
	}
}
