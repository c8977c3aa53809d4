// The wiring of a pipeline under test: any of the stages, started and stopped at will.
package truth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/fused"
	"github.com/livemeter/livemeter/pipeline/runtime"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// Config of a process.
type Config struct {
	Brokers      []string
	KafkaOpts    []kgo.Opt
	Prefix       string // of all topics and groups
	Topics       runtime.TopicSpec
	Settings     eventlog.Settings
	PseudonymKey []byte
	ClickHouse   clickhouse.Config
	InstanceID   string

	CheckpointEvery time.Duration
	FlushHot        time.Duration
	RollEvery       time.Duration
}

// Stack is what runs in this process.
type Stack struct {
	cfg  Config
	log  *zap.Logger
	reg  prometheus.Registerer
	Sink *clickhouse.Sink
	// Reader is nil where this process reads no log.
	Reader *runtime.Reader
	Roller *clickhouse.Roller
	epoch  uint16

	wg   sync.WaitGroup
	mu   sync.Mutex
	errs []error
	stop context.CancelFunc
}

// newStack prepares Kafka's topics and, with store, ClickHouse's schema.
func newStack(ctx context.Context, cfg Config, store bool, log *zap.Logger, reg prometheus.Registerer) (*Stack, error) {
	s := &Stack{cfg: cfg, log: log, reg: reg}
	s.cfg.Topics.Prefix, s.cfg.Topics.Log = cfg.Prefix, log
	s.cfg.Topics.EventsPartitions = int32(cfg.Settings.Partitions)
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(cfg.Brokers...)}, cfg.KafkaOpts...)...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	if err := runtime.EnsureTopics(ctx, adm, s.cfg.Topics); err != nil {
		return nil, err
	}
	if !store {
		return s, nil
	}
	if s.Sink, err = clickhouse.New(ctx, cfg.ClickHouse, log, reg); err != nil {
		return nil, err
	}
	if err := s.Sink.Apply(ctx); err != nil {
		return nil, err
	}
	events := cfg.Prefix + runtime.TopicEvents
	id, err := runtime.TopicID(ctx, cl, events)
	if err != nil {
		return nil, err
	}
	if s.epoch, err = s.Sink.EnsureEpoch(ctx, id); err != nil {
		return nil, err
	}
	return s, nil
}

// Service starts fn and ends the whole process's context when it fails.
func (s *Stack) service(name string, fn func() error) {
	s.wg.Go(func() {
		err := fn()
		if err != nil {
			s.log.Error("service ended", zap.String("service", name), zap.Error(err))
			s.mu.Lock()
			s.errs = append(s.errs, fmt.Errorf("%s: %w", name, err))
			s.mu.Unlock()
			s.stop()
		}
	})
}

// Parts says which services run.
type Parts struct {
	Collector, Run, Enricher, Aggregator bool
}

// Start starts the parts. They end when ctx does; Wait waits for them.
func (s *Stack) Start(ctx context.Context, parts Parts) error {
	ctx, s.stop = context.WithCancel(ctx)
	if parts.Run || parts.Enricher || parts.Aggregator {
		if err := s.startReader(ctx, parts); err != nil {
			return err
		}
	}
	if parts.Collector {
		cfg := runtime.CollectorConfig{Brokers: s.cfg.Brokers, KafkaOpts: s.cfg.KafkaOpts, Prefix: s.cfg.Prefix, Settings: s.cfg.Settings,
			PseudonymKey: s.cfg.PseudonymKey, InstanceID: s.cfg.InstanceID}
		s.service("collector", func() error { return runtime.RunCollector(ctx, cfg, s.log.Named("collector"), s.reg) })
	}
	if parts.Run || parts.Aggregator {
		rejected := runtime.RejectedConfig{Brokers: s.cfg.Brokers, KafkaOpts: s.cfg.KafkaOpts, Topic: s.cfg.Prefix + runtime.TopicRejected,
			Group: s.cfg.Prefix + "livemeter.rejected", Log: s.log.Named("rejected")}
		s.service("rejected", func() error { return runtime.RunRejected(ctx, rejected, s.Sink.WriteRejected) })
	}
	return nil
}

func (s *Stack) startReader(ctx context.Context, parts Parts) error {
	p := s.cfg.Prefix
	cfg := runtime.ReaderConfig{Brokers: s.cfg.Brokers, KafkaOpts: s.cfg.KafkaOpts, InstanceID: s.cfg.InstanceID, Epoch: s.epoch,
		CheckpointEvery: s.cfg.CheckpointEvery, FlushHot: s.cfg.FlushHot}
	switch {
	case parts.Run:
		cfg.Topic, cfg.Group, cfg.Changelog, cfg.NewTask, cfg.Sink = p+runtime.TopicEvents, p+"livemeter.run", p+runtime.ChangelogRun, fused.NewRun, s.Sink
	case parts.Enricher:
		cfg.Topic, cfg.Group, cfg.Changelog, cfg.NewTask = p+runtime.TopicEvents, p+"livemeter.enricher", p+runtime.ChangelogEnricher, fused.NewEnricher
		cfg.OutputTopic = p + runtime.TopicEnriched
	default:
		cfg.Topic, cfg.Group, cfg.Changelog, cfg.NewTask, cfg.Sink = p+runtime.TopicEnriched, p+"livemeter.aggregator", p+runtime.ChangelogAggregator, fused.NewAggregator, s.Sink
	}
	if cfg.Sink != nil {
		var err error
		if s.Roller, err = clickhouse.NewRoller(s.Sink, s.epoch, s.roller()); err != nil {
			return err
		}
		cfg.OnOwned = s.rollWhereOwned(ctx)
	}
	r, err := runtime.NewReader(cfg, s.log.Named("reader"), s.reg)
	if err != nil {
		return err
	}
	s.Reader = r
	s.service("reader", func() error { return r.Run(ctx) })
	return nil
}

func (s *Stack) roller() clickhouse.RollerConfig {
	cfg := clickhouse.DefaultRollerConfig()
	cfg.Zone = s.cfg.Settings.Zone
	if s.cfg.RollEvery > 0 {
		cfg.Every = s.cfg.RollEvery
	}
	return cfg
}

// rollWhereOwned runs the roller while this process owns partition 0: one folder is enough, and a second one does no harm.
func (s *Stack) rollWhereOwned(ctx context.Context) func([]int32) {
	var mu sync.Mutex
	var cancel context.CancelFunc
	return func(parts []int32) {
		mu.Lock()
		defer mu.Unlock()
		owns := len(parts) > 0 && parts[0] == 0
		if owns == (cancel != nil) {
			return
		}
		if !owns {
			cancel()
			cancel = nil
			return
		}
		var roll context.Context
		roll, cancel = context.WithCancel(ctx)
		s.wg.Go(func() {
			if err := s.Roller.Run(roll); err != nil && roll.Err() == nil {
				s.log.Error("roller ended", zap.Error(err))
			}
		})
	}
}

// Stop ends all parts.
func (s *Stack) Stop() { s.stop() }

// Wait returns when all parts have ended, with what went wrong.
func (s *Stack) Wait() error {
	s.wg.Wait()
	if s.Sink != nil {
		s.errs = append(s.errs, s.Sink.Close())
	}
	return errors.Join(s.errs...)
}

// Drain waits until everything that was produced before has been counted and acknowledged and the watermark has passed until; say tells
// now and then what it waits for.
func (s *Stack) Drain(ctx context.Context, until time.Time, say func(string)) error {
	for {
		ok, why, err := s.Reader.Drained(ctx)
		if err != nil {
			return err
		}
		for p, wm := range s.Reader.Watermarks() {
			if wm < until.UnixMilli() {
				ok, why = false, fmt.Sprintf("the watermark of partition %d is %s behind", p, until.Sub(time.UnixMilli(wm)).Round(time.Second))
			}
		}
		if ok {
			return nil
		}
		say(why)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
}
