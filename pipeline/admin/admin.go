// Package admin serves what operators and their tools ask a process: is it alive (/healthz), can it work and if not why (/readyz), its
// metrics (/metrics) and profiles (/debug/pprof/). The profiles show what is in memory: the port belongs on loopback or an internal
// network.
package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

const (
	// checkTimeout bounds a call of /readyz. It is below the second that Kubernetes gives a probe by default.
	checkTimeout  = 800 * time.Millisecond
	shutdownGrace = 2 * time.Second
)

// index is for who comes with no more than the address.
const index = `livemeter
/readyz        can it work, and if not why
/metrics       for Prometheus
/healthz       does it live
/debug/pprof/  profiles
`

// Server is the admin server of one process.
type Server struct {
	addr string
	log  *zap.Logger
	mux  *http.ServeMux
	ln   net.Listener

	mu     sync.Mutex
	checks []*check
}

// New makes a server for addr (host:port). /metrics shows reg, which also counts the errors of showing it.
func New(addr string, reg *prometheus.Registry, log *zap.Logger) *Server {
	s := &Server{addr: addr, log: log.Named("admin"), mux: http.NewServeMux()}
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, index) })
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	s.mux.HandleFunc("GET /readyz", s.ready)
	s.mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg, ErrorLog: zap.NewStdLog(s.log), MaxRequestsInFlight: 4}))
	s.mux.HandleFunc("/debug/pprof/", pprof.Index)
	s.mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	s.mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	s.mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	s.mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return s
}

// AddCheck makes readiness depend on f, which returns why not, or nil. It may be called while the server runs; a name given again
// replaces its check. f is called from one goroutine at a time, for each /readyz that does not find it still at work.
func (s *Server) AddCheck(name string, f func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, c := range s.checks {
		if c.name == name {
			s.checks[i] = &check{name: name, f: f}
			return
		}
	}
	s.checks = append(s.checks, &check{name: name, f: f})
}

// RemoveCheck takes a check away that has nothing to say any more; readiness no longer depends on it.
func (s *Server) RemoveCheck(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checks = slices.DeleteFunc(s.checks, func(c *check) bool { return c.name == name })
}

type readiness struct {
	Ready  bool              `json:"ready"`
	Checks map[string]string `json:"checks"` // "ok", or why not
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	checks := append([]*check(nil), s.checks...)
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	for _, c := range checks {
		c.start() // all at once: slow ones do not add up
	}
	out := readiness{Ready: true, Checks: map[string]string{}}
	for _, c := range checks {
		out.Checks[c.name] = "ok"
		if err := c.wait(ctx); err != nil {
			out.Ready, out.Checks[c.name] = false, err.Error()
		}
	}
	status := http.StatusOK
	if !out.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, out)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // a failure means that the asker is gone
}

// Listen opens the port and returns its address. Run calls it if the caller has not.
func (s *Server) Listen() (net.Addr, error) {
	if s.ln == nil {
		ln, err := net.Listen("tcp", s.addr)
		if errors.Is(err, syscall.EADDRINUSE) {
			_, port, _ := net.SplitHostPort(s.addr)
			return nil, fmt.Errorf("admin: port %s is in use (%s): stop what listens there or choose another with --admin-addr", port, s.addr)
		}
		if err != nil {
			return nil, fmt.Errorf("admin: cannot listen on %s (--admin-addr): %w", s.addr, err)
		}
		s.ln = ln
	}
	return s.ln.Addr(), nil
}

// Run serves until ctx ends. It runs once.
func (s *Server) Run(ctx context.Context) error {
	addr, err := s.Listen()
	if err != nil {
		return err
	}
	// No WriteTimeout: a CPU profile or trace takes as long as was asked for.
	srv := &http.Server{Handler: s.mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: 75 * time.Second,
		MaxHeaderBytes: 16 << 10, ErrorLog: zap.NewStdLog(s.log)}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(s.ln) }()
	s.log.Info("listening", zap.Stringer("addr", addr))
	select {
	case err := <-served:
		return fmt.Errorf("admin: serving %s: %w", addr, err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if srv.Shutdown(stop) != nil {
		srv.Close() // a profile that is being taken is nothing to wait for
	}
	return nil
}
