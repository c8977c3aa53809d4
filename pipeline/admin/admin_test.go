package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// start runs a server on a free port until the test ends.
func start(t *testing.T) (s *Server, url string) {
	t.Helper()
	reg := prometheus.NewRegistry()
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "planted_total", Help: "h"})
	reg.MustRegister(c)
	c.Add(7)
	s = New("127.0.0.1:0", reg, zap.NewNop())
	addr, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ran; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return s, "http://" + addr.String()
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

func TestPages(t *testing.T) {
	_, url := start(t)
	for path, want := range map[string]string{"/healthz": `{"status":"ok"}`, "/readyz": `{"ready":true,"checks":{}}`, "/metrics": "planted_total 7",
		"/debug/pprof/": "goroutine", "/debug/pprof/goroutine?debug=1": "admin", "/debug/pprof/cmdline": ".test"} {
		if status, body := get(t, url+path); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/debug/pprof/"} {
		if status, body := get(t, url+"/"); status != 200 || !strings.Contains(body, path+" ") {
			t.Errorf("/ does not name %s: %d %s", path, status, body)
		}
	}
	if status, _ := get(t, url+"/other"); status != 404 {
		t.Errorf("unknown path: %d", status)
	}
}

func TestReadinessSaysWhyNot(t *testing.T) {
	s, url := start(t)
	var kafka atomic.Pointer[error]
	s.AddCheck("kafka", func() error {
		if e := kafka.Load(); e != nil {
			return *e
		}
		return nil
	})
	s.AddCheck("clickhouse", func() error { return nil })
	away := errors.New("no broker answers at 127.0.0.1:9092")
	for _, c := range []struct {
		err    *error
		status int
		why    string
	}{{nil, 200, "ok"}, {&away, 503, away.Error()}, {nil, 200, "ok"}} {
		kafka.Store(c.err)
		status, body := get(t, url+"/readyz")
		var r readiness
		if err := json.Unmarshal([]byte(body), &r); err != nil || status != c.status || r.Ready != (c.status == 200) || r.Checks["kafka"] != c.why || r.Checks["clickhouse"] != "ok" {
			t.Errorf("%d %s, want %d %s", status, body, c.status, c.why)
		}
	}
	if status, _ := get(t, url+"/healthz"); status != 200 {
		t.Error("health depends on readiness")
	}
	s.AddCheck("kafka", func() error { return errors.New("replaced") })
	if _, body := get(t, url+"/readyz"); !strings.Contains(body, "replaced") {
		t.Errorf("a check given again: %s", body)
	}
	s.RemoveCheck("kafka")
	if _, body := get(t, url+"/readyz"); body != `{"ready":true,"checks":{"clickhouse":"ok"}}`+"\n" {
		t.Errorf("a check taken away: %s", body)
	}
}

func TestCheckThatHangsOrPanics(t *testing.T) {
	s, url := start(t)
	release := make(chan struct{})
	var calls atomic.Int32
	s.AddCheck("hangs", func() error { calls.Add(1); <-release; return nil })
	s.AddCheck("panics", func() error { panic("boom") })
	for range 2 {
		status, body := get(t, url+"/readyz")
		if status != 503 || !strings.Contains(body, `"hangs":"the check did not answer in time"`) || !strings.Contains(body, "boom") {
			t.Errorf("%d %s", status, body)
		}
	}
	if calls.Load() != 1 {
		t.Errorf("%d calls of a check that hangs, want 1", calls.Load())
	}
	close(release)
}

func TestPortInUse(t *testing.T) {
	_, url := start(t)
	addr := strings.TrimPrefix(url, "http://")
	err := New(addr, prometheus.NewRegistry(), zap.NewNop()).Run(t.Context())
	_, port, _ := strings.Cut(addr, ":")
	if err == nil || !strings.Contains(err.Error(), "port "+port+" is in use") || !strings.Contains(err.Error(), "--admin-addr") {
		t.Errorf("%v", err)
	}
}
