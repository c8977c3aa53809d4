package main

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/fused"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// stageResult is what one stage costs, without a store: rows are counted and forgotten.
type stageResult struct {
	Events, Rows int64
	CPU, Wall    time.Duration
}

func (r stageResult) perEvent() float64 { return micros(r.CPU, r.Events) }

func stage(ctx context.Context, which string, brokers []string, prefix string, more ...string) (stageResult, error) {
	var r stageResult
	err := ask(ctx, &r, append([]string{"stage", "--which", which, "--brokers", strings.Join(brokers, ","), "--prefix", prefix}, more...)...)
	return r, err
}

// staging is one stage alone in its process.
type staging struct {
	brokers    []string
	prefix     string
	checkpoint time.Duration
	adm        *kadm.Client
	registry   *prometheus.Registry
	rows       atomic.Int64
}

func stageMain(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("stage", flag.ContinueOnError)
	which, brokers, prefix := f.String("which", "", "collector or reader"), f.String("brokers", "", ""), f.String("prefix", "", "")
	checkpoint := f.Duration("checkpoint", 5*time.Second, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	s := &staging{brokers: strings.Split(*brokers, ","), prefix: *prefix, checkpoint: *checkpoint, registry: prometheus.NewRegistry()}
	client, err := kgo.NewClient(kgo.SeedBrokers(s.brokers...))
	if err != nil {
		return err
	}
	defer client.Close()
	s.adm = kadm.NewClient(client)
	want, err := recordsIn(ctx, s.brokers, rawTopics(s.prefix))
	if err != nil {
		return err
	}
	body, arrived := s.collector, s.collected
	if *which == "reader" {
		body, arrived = s.reader, s.counted
	}
	r, err := s.time(ctx, body, arrived, want)
	if err != nil {
		return fmt.Errorf("%s: %w", *which, err)
	}
	return tell(r)
}

// stageRest is longer than the longest time between two flushes.
const stageRest = 2500 * time.Millisecond

// time runs a stage until it has arrived at the last of want events and no more rows leave.
func (s *staging) time(ctx context.Context, body func(context.Context) error, arrived func(context.Context, int64) (bool, error), want int64) (stageResult, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	var r stageResult
	began, cpu := time.Now(), ownCPU()
	ended := make(chan error, 1)
	go func() { ended <- body(ctx) }()
	for {
		select {
		case err := <-ended:
			return stageResult{}, errors.Join(errors.New("the stage ended by itself"), err)
		case <-time.After(100 * time.Millisecond):
		}
		ok, err := arrived(ctx, want)
		if err != nil {
			return stageResult{}, err
		}
		if !ok {
			continue
		}
		if n := s.rows.Load(); r.Events == 0 || n != r.Rows { // the last rows are still leaving
			r = stageResult{want, n, ownCPU() - cpu, time.Since(began)}
		} else if time.Since(began)-r.Wall > stageRest {
			cancel()
			return r, <-ended
		}
	}
}

// told is a log of what goes wrong: a stage that fails again and again would be seen as one that takes long.
func told() *zap.Logger {
	cfg := zap.NewDevelopmentConfig()
	cfg.Level = zap.NewAtomicLevelAt(zap.WarnLevel)
	log, err := cfg.Build()
	if err != nil {
		panic(err) // the configuration is right here
	}
	return log
}

func (s *staging) collector(ctx context.Context) error {
	key, err := hex.DecodeString(pseudonymKey)
	if err != nil {
		return err
	}
	return runtime.RunCollector(ctx, runtime.CollectorConfig{Brokers: s.brokers, Prefix: s.prefix, PseudonymKey: key, Settings: eventlog.Settings{Partitions: 2,
		HorizonMS: 6 * 3600_000, LatenessMS: 60_000, SessionGapMS: 3600_000, DedupeMS: 600_000, Zone: "Asia/Shanghai", MaxCells: 2_000_000,
		TTLDays: [5]uint16{14, 90, 1095, 1095, 1095}}}, told(), s.registry)
}

// collected: all offsets are committed, and a commit follows the log's acknowledgement.
func (s *staging) collected(ctx context.Context, want int64) (bool, error) {
	var n int64
	for t := range event.NumTopics {
		offsets, err := s.adm.FetchOffsets(ctx, runtime.RawGroup(s.prefix+"collector", t))
		if err != nil {
			return false, nil // there is no such group yet; the context ends what lasts
		}
		offsets.Each(func(o kadm.OffsetResponse) { n += max(o.At, 0) })
	}
	return n >= want, nil
}

func (s *staging) reader(ctx context.Context) error {
	r, err := runtime.NewReader(runtime.ReaderConfig{Brokers: s.brokers, Topic: s.prefix + runtime.TopicEvents, Group: s.prefix + "run",
		Changelog: s.prefix + runtime.ChangelogRun, NewTask: fused.NewRun, Sink: s, Epoch: 1, CheckpointEvery: s.checkpoint}, told(), s.registry)
	if err != nil {
		return err
	}
	return r.Run(ctx)
}

// Write counts the rows of cells. The others go on for ever, few as they are.
func (s *staging) Write(_ context.Context, b *rollup.Batch) error {
	for _, c := range b.Cells {
		s.rows.Add(int64(len(c.Grain)))
	}
	return nil
}

// counted: every event has its outcome. Rows of windows that have not begun by the watermark stay: nobody moves it any more.
func (s *staging) counted(_ context.Context, want int64) (bool, error) {
	families, err := s.registry.Gather()
	if err != nil {
		return false, err
	}
	sum := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			sum[f.GetName()] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return int64(sum["livemeter_reader_outcomes_total"]) >= want && sum["livemeter_reader_lag_records"] == 0, nil
}
