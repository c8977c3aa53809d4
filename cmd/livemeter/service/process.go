// Package service makes running stages of a configuration: Kafka clients, the store, the stages themselves, and what is around them in
// a process (logs, metrics, readiness). It decides nothing about events.
package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/pipeline/admin"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/runtime"
	"github.com/livemeter/livemeter/pipeline/slab"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// Process is what the stages of one process share.
type Process struct {
	Config *config.Config
	Log    *zap.Logger
	Admin  *admin.Server
	Addr   string // of the admin server

	registry *prometheus.Registry
	kafka    []kgo.Opt
	waiting  atomic.Value // string: see Waiting
	faults   faults       // tests have some
}

// Waiting is what a start waits for, and what became of the last attempt; "" where it waits for nothing.
func (p *Process) Waiting() string {
	text, _ := p.waiting.Load().(string)
	return text
}

// New opens the admin port, so that one in use is told before anything starts.
func New(c *config.Config, log *zap.Logger) (*Process, error) {
	opts, err := KafkaOpts(c.Kafka)
	if err != nil {
		return nil, err
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "livemeter_state_bytes", Help: "Memory of viewers and cells, which lies outside the Go heap."},
			func() float64 { return float64(slab.Mapped()) }))
	p := &Process{Config: c, Log: log, Admin: admin.New(c.Admin.Addr, reg, log), registry: reg, kafka: opts}
	addr, err := p.Admin.Listen()
	if err != nil {
		return nil, err
	}
	p.Addr = addr.String()
	return p, nil
}

// Plan is what a process runs. Close, which may be nil, is called when all stages have stopped.
type Plan struct {
	Stages []Stage
	Close  func() error
}

// Serve runs the admin server, asks for the plan, and runs its stages until ctx ends or one of them fails; then all stop in order. A stage
// that ends without an error before ctx does is a failure too. The admin server answers from the beginning, while plan waits, to the end.
func (p *Process) Serve(ctx context.Context, plan func(context.Context) (Plan, error)) error {
	adminCtx, stopAdmin := context.WithCancel(context.WithoutCancel(ctx))
	adminDone := make(chan error, 1)
	p.Admin.AddCheck("stages", func() error { return errors.New("not started yet") }) // their own checks come with them, and speak from then on
	go func() { adminDone <- p.Admin.Run(adminCtx) }()
	defer context.AfterFunc(ctx, func() { p.Log.Info("stopping; Ctrl-C again ends at once") })()
	made, err := plan(ctx)
	switch {
	case err == nil:
		g, stagesCtx := errgroup.WithContext(ctx)
		for _, s := range made.Stages {
			g.Go(func() error { return p.stage(stagesCtx, s) })
		}
		p.Admin.RemoveCheck("stages")
		err = g.Wait()
	case ctx.Err() != nil:
		err = nil // told to stop while it waited
	}
	if made.Close != nil {
		err = errors.Join(err, made.Close())
	}
	stopAdmin()
	return errors.Join(err, <-adminDone)
}

// Stage is one part of a process.
type Stage struct {
	Name string
	Run  func(ctx context.Context) error
}

func (p *Process) stage(ctx context.Context, s Stage) error {
	p.Log.Info("starting", zap.String("stage", s.Name))
	err := s.Run(ctx)
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		p.Log.Info("stopped", zap.String("stage", s.Name))
		return nil
	}
	if err == nil {
		err = errors.New("ended by itself")
	}
	if strings.HasPrefix(err.Error(), s.Name+": ") { // it says so itself
		return err
	}
	return fmt.Errorf("%s: %w", s.Name, err)
}

// answerTimeout is how long one question may take that is answered at once by who is there.
const answerTimeout = 5 * time.Second

// permanent errors do not pass by waiting.
func permanent(err error) bool {
	var zone *runtime.WrongZoneError
	var store *runtime.OtherStoreError
	var log *clickhouse.OtherLogError
	var topic *runtime.WrongTopicError
	return errors.As(err, &zone) || errors.As(err, &store) || errors.As(err, &log) || errors.As(err, &topic) || errors.Is(err, eventlog.ErrUnknown) || clickhouse.IsPermanent(err)
}

// await waits for what a service needs and does not start itself. /readyz says what for, and no more of it once it was there: that it was does not mean
// that it is. limit is for one attempt; what the store tries again by itself within one is told, too.
func (p *Process) await(ctx context.Context, name string, limit time.Duration, ask func(context.Context) error) error {
	defer p.Admin.RemoveCheck(name)
	defer p.waiting.Store("")
	var (
		mu      sync.Mutex
		waiting = errors.New("not asked yet")
		told    time.Time
	)
	p.Admin.AddCheck(name, func() error {
		mu.Lock()
		defer mu.Unlock()
		return waiting
	})
	failed := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		waiting = err
		p.waiting.Store(fmt.Sprintf("%s: %v", name, err))
		if time.Since(told) >= 10*time.Second && ctx.Err() == nil { // an attempt may take five
			told = time.Now()
			p.Log.Warn("waiting for "+name, zap.Error(err))
		}
	}
	retry := time.NewTicker(time.Second)
	defer retry.Stop()
	for {
		attempt, cancel := context.WithTimeout(ctx, limit)
		err := ask(rollup.WithAttempts(attempt, func(err error) { failed(Tell(p.Config, err)) }))
		cancel()
		if err == nil || permanent(err) {
			return err
		}
		failed(err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-retry.C:
		}
	}
}
