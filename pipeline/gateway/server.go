// Package gateway takes batches of events over HTTP from SDKs that cannot reach Kafka, judges each by the contract, and puts the
// accepted ones on the raw topics. schemas/openapi.yaml describes what it answers.
//
// The promise: a 200 is sent only after Kafka acknowledged every accepted event. After anything else the sender sends the same batch
// again, with the same event_ids; what had been stored already is a duplicate downstream and is not counted twice.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/livemeter/livemeter/pipeline/event"
)

// Server is the gateway. The Kafka client stays the caller's: close it after Run has returned.
type Server struct {
	cfg    Config
	client *kgo.Client
	topics [event.NumTypes]string // by the types they are for
	log    *zap.Logger
	met    *metrics
	gate   *gate
	cors   cors
	budget budget
	unpack *unpacker
	judges sync.Pool // *judge
	ln     net.Listener
	open   atomic.Int64 // connections

	health  health
	renewal renewal
}

// New makes a gateway that writes to the raw topics with the given prefix. The client must have been made with ClientOpts.
func New(cfg Config, client *kgo.Client, prefix string, log *zap.Logger, reg prometheus.Registerer) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	unpack, err := newUnpacker()
	if err != nil {
		return nil, fmt.Errorf("gateway: zstd: %w", err)
	}
	s := &Server{cfg: cfg, client: client, gate: newGate(cfg), cors: newCORS(cfg.AllowedOrigins), unpack: unpack}
	s.renewal.purge = client.PurgeTopicsFromProducing
	s.renewal.ask = func(ctx context.Context, topic string) ([16]byte, error) { return topicID(ctx, client, topic) }
	s.budget.limit = cfg.MaxInFlightBytes
	s.judges.New = func() any { return &judge{dec: event.NewDecoder()} }
	for t, name := range event.Arrivals {
		s.topics[t] = prefix + name
	}
	// A storm of bad requests must not become a storm of log lines.
	s.log = log.Named("gateway").WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(c, time.Second, 10, 1000)
	}))
	if s.met, err = newMetrics(reg, s); err != nil {
		return nil, fmt.Errorf("gateway: metrics: %w", err)
	}
	return s, nil
}

// Handler serves the gateway without a listener of its own. Time-outs are then the caller's, and readiness is of its batches alone.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// Listen opens the port and returns its address. Run calls it if the caller has not; call it first to learn the port of ":0".
func (s *Server) Listen() (net.Addr, error) {
	if s.ln == nil {
		ln, err := net.Listen("tcp", s.cfg.Addr)
		if errors.Is(err, syscall.EADDRINUSE) {
			_, port, _ := net.SplitHostPort(s.cfg.Addr)
			return nil, fmt.Errorf("gateway: port %s is in use (%s): stop what listens there or choose another with --gateway-addr", port, s.cfg.Addr)
		}
		if err != nil {
			return nil, fmt.Errorf("gateway: cannot listen on %s (--gateway-addr): %w", s.cfg.Addr, err)
		}
		s.ln = limitConnections(ln, s.cfg.MaxConnections, &s.open)
	}
	return s.ln.Addr(), nil
}

// Run serves until ctx ends, then takes no more requests and finishes those in flight within 10 s. It runs once.
func (s *Server) Run(ctx context.Context) error {
	addr, err := s.Listen()
	if err != nil {
		return err
	}
	srv := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: min(5*time.Second, s.cfg.ReadTimeout),
		ReadTimeout:       s.cfg.ReadTimeout,
		WriteTimeout:      s.cfg.ReadTimeout + s.cfg.ProduceTimeout + 10*time.Second,
		IdleTimeout:       75 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          zap.NewStdLog(s.log),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(s.ln) }()
	go s.health.report(ctx, s.log)
	go s.renewal.learn(ctx, s.topics[:])
	go s.health.watch(ctx, s.client.Ping) // it is not waited for: what it asks a Kafka that hangs may take ten seconds more
	s.log.Info("listening", zap.Stringer("addr", addr), zap.Int("tokens", len(s.cfg.Tokens)))
	select {
	case err := <-served:
		return fmt.Errorf("gateway: serving %s: %w", addr, err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil {
		srv.Close()
		return fmt.Errorf("gateway: requests in flight were cut off after %v, none of them was answered 200: %w", shutdownGrace, err)
	}
	return nil
}
