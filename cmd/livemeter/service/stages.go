package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/pipeline/collect"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/fused"
	"github.com/livemeter/livemeter/pipeline/gateway"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// Topics waits for Kafka, then creates the topics that are missing.
func (p *Process) Topics(ctx context.Context) error {
	if err := p.await(ctx, "kafka", answerTimeout, func(ctx context.Context) error { return pingKafka(ctx, p.Config) }); err != nil {
		return err
	}
	return p.await(ctx, "topics", topicsTimeout, func(ctx context.Context) error {
		_, err := EnsureTopics(ctx, p.Config, p.Log)
		return err
	})
}

// topicsTimeout bounds one attempt at making the topics; those that it has made the next one finds.
const topicsTimeout = 20 * time.Second

// Consumer groups of the readers, without the prefix; those of the collector are named by its configuration.
const (
	GroupRun        = "run"
	GroupAggregator = "aggregator"
	groupEnricher   = "enricher"
	groupRejected   = "rejected"
)

// settings are the limits that shape results, as the collector writes them into the log.
func settings(c *config.Config) eventlog.Settings {
	out := eventlog.Settings{
		Partitions: uint16(c.Events.Partitions), HorizonMS: c.Horizon.Milliseconds(), LatenessMS: c.Lateness.Milliseconds(),
		SessionGapMS: c.SessionGap.Milliseconds(), DedupeMS: c.Dedupe.Milliseconds(), Zone: c.Zone, MaxCells: c.Limits.MaxCells,
	}
	for g, days := range c.ClickHouse.TTL.Days() {
		out.TTLDays[g] = uint16(days)
	}
	return out
}

// faults make stages panic.
type faults struct {
	decode, packed func(*collect.Record)
	tasks          fused.Faults
}

// orNone is a limit of the configuration, where 0 is none, for a component, which takes its default for 0.
func orNone[T int | time.Duration](limit T) T {
	if limit == 0 {
		return -1
	}
	return limit
}

// CollectorConfig is what the configuration says of the collector, apart from the key and Kafka's security.
func CollectorConfig(c *config.Config) runtime.CollectorConfig {
	return runtime.CollectorConfig{
		Brokers: c.Kafka.Brokers, Prefix: c.Kafka.Prefix, Group: c.Kafka.Prefix + c.Collector.Group, InstanceID: c.InstanceID, BrokersAssign: c.Kafka.BrokersAssign(), Settings: settings(c),
		Linger: c.Collector.Linger, BlockBytes: c.Collector.BlockBytes, MaxInflightBytes: c.Collector.MaxInflightBytes, RejectedRate: orNone(c.Collector.RejectedRate),
		ProgressEvery: c.Collector.ProgressEvery, StallAfter: orNone(c.Collector.StallAfter), IdleGrace: c.Collector.IdleGrace, CommitEvery: c.Collector.CommitEvery,
	}
}

// Collector moves the raw topics into the log.
func (p *Process) Collector() (*runtime.CollectorHealth, Stage) {
	health := &runtime.CollectorHealth{}
	p.Admin.AddCheck("collector", health.Ready)
	return health, Stage{"collector", func(ctx context.Context) error {
		c := p.Config
		key, err := c.Key()
		if err != nil {
			return err
		}
		cfg := CollectorConfig(c)
		cfg.KafkaOpts, cfg.PseudonymKey, cfg.Health = p.kafka, key, health
		cfg.Fault, cfg.FaultPacked = p.faults.decode, p.faults.packed
		err = runtime.RunCollector(ctx, cfg, p.Log.Named("collector"), p.registry)
		if wrong := (*runtime.WrongKeyError)(nil); errors.As(err, &wrong) && c.PseudonymKeyFile != "" {
			return fmt.Errorf("%w; this one is from %s", err, c.PseudonymKeyFile)
		}
		return err
	}}
}

// readerConfig is what the configuration says of a stage that reads a log.
func readerConfig(c *config.Config, name, topic, changelog string, task func(int32, runtime.Output) runtime.Task) runtime.ReaderConfig {
	return runtime.ReaderConfig{
		Brokers: c.Kafka.Brokers, Topic: c.Kafka.Prefix + topic, Group: c.Kafka.Prefix + name, Changelog: c.Kafka.Prefix + changelog, RejectedTopic: c.Kafka.Prefix + runtime.TopicRejected,
		InstanceID: c.InstanceID, BrokersAssign: c.Kafka.BrokersAssign(), NewTask: task, CheckpointEvery: c.CheckpointEvery,
		FlushHot: c.Flush.Hot, FlushMax: c.Flush.Max, FlushBehind: c.Flush.Behind, RowBudget: c.Flush.RowBudget, SinkTimeout: c.Flush.Timeout,
		MaxDirtyCells: c.Limits.MaxDirtyCells,
	}
}

// Enricher reads events and writes events.enriched.
func (p *Process) Enricher() (*runtime.Reader, Stage, error) {
	cfg := readerConfig(p.Config, groupEnricher, runtime.TopicEvents, runtime.ChangelogEnricher, fused.NewEnricher)
	cfg.OutputTopic = p.Config.Kafka.Prefix + runtime.TopicEnriched
	return p.newReader(groupEnricher, cfg)
}

// Aggregator reads events.enriched and writes rows.
func (p *Process) Aggregator(s *Store) (*runtime.Reader, Stage, error) {
	cfg := s.feed(readerConfig(p.Config, GroupAggregator, runtime.TopicEnriched, changelogs[GroupAggregator], fused.NewAggregator))
	cfg.WholeLog = true
	return p.newReader(GroupAggregator, cfg)
}

func runReader(c *config.Config) runtime.ReaderConfig {
	return readerConfig(c, GroupRun, runtime.TopicEvents, changelogs[GroupRun], fused.NewRun)
}

// Fused is enricher and aggregator in one.
func (p *Process) Fused(s *Store) (*runtime.Reader, Stage, error) {
	return p.newReader(GroupRun, s.feed(runReader(p.Config)))
}

// Whole are the stages of a pipeline in one process, but for its gateway.
type Whole struct {
	Collector, Fused, Rejected, Roller Stage

	Health *runtime.CollectorHealth
	Reader *runtime.Reader
}

// Whole makes them, with s.
func (p *Process) Whole(s *Store) (w Whole, err error) {
	if w.Reader, w.Fused, err = p.Fused(s); err != nil {
		return w, err
	}
	w.Health, w.Collector = p.Collector()
	w.Rejected, w.Roller = p.Rejected(s), s.Roller()
	return w, nil
}

// Stages are all of them.
func (w *Whole) Stages() []Stage { return []Stage{w.Collector, w.Fused, w.Rejected, w.Roller} }

func (p *Process) newReader(name string, cfg runtime.ReaderConfig) (*runtime.Reader, Stage, error) {
	cfg.KafkaOpts, cfg.NewTask = p.kafka, p.faults.tasks.In(cfg.NewTask)
	r, err := runtime.NewReader(cfg, p.Log.Named(name), p.registry)
	if err != nil {
		return nil, Stage{}, err
	}
	p.Admin.AddCheck(name, r.Ready)
	return r, Stage{name, r.Run}, nil
}

// CheckZone compares the zone in which the views cut days with that of the log, once there is one: the error is a *runtime.WrongZoneError.
func CheckZone(ctx context.Context, c *config.Config) error {
	opts, err := KafkaOpts(c.Kafka)
	if err != nil {
		return err
	}
	topic := c.Kafka.Prefix + runtime.TopicEvents
	zone, err := runtime.LogZone(ctx, c.Kafka.Brokers, opts, topic, CollectorConfig(c).Group)
	if err != nil || zone == "" || zone == c.Zone {
		return err
	}
	return &runtime.WrongZoneError{Log: topic, Have: c.Zone, Want: zone}
}

// Rejected copies the dead letters into ClickHouse.
func (p *Process) Rejected(s *Store) Stage {
	return Stage{"rejected", func(ctx context.Context) error {
		c := p.Config
		return runtime.RunRejected(ctx, runtime.RejectedConfig{
			Brokers: c.Kafka.Brokers, KafkaOpts: p.kafka, Topic: c.Kafka.Prefix + runtime.TopicRejected, Group: c.Kafka.Prefix + groupRejected,
			InstanceID: c.InstanceID, BrokersAssign: c.Kafka.BrokersAssign(), WriteTimeout: c.Flush.Timeout, StoreID: s.id, Log: p.Log.Named("rejected"), Metrics: p.registry,
		}, s.WriteRejected)
	}}
}

// Gateway listens at once, so that a port in use is told early; it takes requests when its stage runs.
func (p *Process) Gateway() (*gateway.Server, Stage, string, error) {
	c := p.Config
	opts := slices.Concat(p.kafka, gateway.ClientOpts(), []kgo.Opt{kgo.SeedBrokers(c.Kafka.Brokers...)})
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, Stage{}, "", fmt.Errorf("gateway: Kafka client: %w", err)
	}
	srv, err := gateway.New(GatewayConfig(c), client, c.Kafka.Prefix, p.Log, p.registry) // it names itself in the log
	if err != nil {
		client.Close()
		return nil, Stage{}, "", err
	}
	addr, err := srv.Listen()
	if err != nil {
		client.Close()
		return nil, Stage{}, "", err
	}
	p.Admin.AddCheck("gateway", srv.Ready)
	return srv, Stage{"gateway", func(ctx context.Context) error {
		defer client.Close()
		return srv.Run(ctx)
	}}, addr.String(), nil
}

// GatewayConfig is what the configuration says of the gateway.
func GatewayConfig(c *config.Config) gateway.Config {
	g := c.Gateway
	cfg := gateway.Config{Addr: g.Addr, AllowOpen: g.AllowOpen, RatePerToken: g.RatePerToken, AllowedOrigins: g.AllowedOrigins,
		MaxInFlightBytes: g.MaxInFlightBytes, MaxConnections: g.MaxConnections, ProduceTimeout: g.ProduceTimeout, ReadTimeout: g.ReadTimeout}
	for _, t := range g.Tokens {
		cfg.Tokens = append(cfg.Tokens, gateway.Token(t))
	}
	return cfg
}
