package service_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

const testKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

// logBuffer takes log lines while the test reads.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// pipeline is all services in one process, on engines of this test alone: what the commands wire, joined by all the topics.
type pipeline struct {
	t       *testing.T
	cfg     *config.Config
	logs    *logBuffer
	process *service.Process
	readers []*runtime.Reader
	gateway string
	kafka   *kgo.Client
	adm     *kadm.Client
	stop    func()
	faults  func() // of the process of a restart; nil for none
}

// start runs enricher and aggregator apart, or fused as in `run`.
func start(t *testing.T, fused bool, change func(*config.Config)) *pipeline {
	t.Helper()
	cfg := config.Default()
	cfg.Kafka.Brokers = testengine.FakeKafka(t, kfake.BrokerConfigs(map[string]string{"message.max.bytes": "10000000"}))
	addr, database := testengine.ClickHouse(t)
	cfg.ClickHouse.Addr, cfg.ClickHouse.Database = []string{addr}, database
	cfg.Gateway.Addr, cfg.Admin.Addr = "127.0.0.1:0", "127.0.0.1:0"
	cfg.Topics.LogAppend, cfg.Topics.Replication = false, 1
	cfg.PseudonymKey, cfg.Log.Level, cfg.CheckpointEvery = testKey, "debug", 300*time.Millisecond
	cfg.Flush.Hot, cfg.Flush.Behind = 20*time.Millisecond, 20*time.Millisecond
	if change != nil {
		change(cfg)
	}
	if err := service.Validate(cfg, config.Pipeline); err != nil {
		t.Fatal(err)
	}
	p := &pipeline{t: t, cfg: cfg, logs: &logBuffer{}}
	log, err := service.NewLogger(cfg.Log, p.logs)
	if err != nil {
		t.Fatal(err)
	}
	if p.process, err = service.New(cfg, log); err != nil {
		t.Fatal(err)
	}
	p.serve(fused)
	if p.kafka, err = kgo.NewClient(kgo.SeedBrokers(cfg.Kafka.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(9_000_000)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kafka.Close)
	p.adm = kadm.NewClient(p.kafka)
	return p
}

func (p *pipeline) serve(fused bool) {
	ctx, cancel := context.WithCancel(context.Background())
	planned, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		ended <- p.process.Serve(ctx, func(ctx context.Context) (service.Plan, error) {
			plan, err := p.plan(ctx, fused)
			planned <- err
			return plan, err
		})
	}()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			p.t.Errorf("the pipeline ended with %v", err)
		}
	})
	p.t.Cleanup(p.stop)
	if err := <-planned; err != nil {
		p.t.Fatal(err)
	}
}

func (p *pipeline) plan(ctx context.Context, fused bool) (service.Plan, error) {
	if status, body := p.page("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, "stages") {
		p.t.Errorf("/readyz before there are stages: %d %s", status, body)
	}
	if err := p.process.Topics(ctx); err != nil {
		return service.Plan{}, err
	}
	reader := service.GroupAggregator
	if fused {
		reader = service.GroupRun
	}
	store, err := p.process.Store(ctx, reader)
	if err != nil {
		return service.Plan{}, err
	}
	_, collector := p.process.Collector()
	plan := service.Plan{Close: store.Close, Stages: []service.Stage{collector, p.process.Rejected(store), store.Roller()}}
	makers := []func() (*runtime.Reader, service.Stage, error){p.process.Enricher, func() (*runtime.Reader, service.Stage, error) { return p.process.Aggregator(store) }}
	if fused {
		makers = []func() (*runtime.Reader, service.Stage, error){func() (*runtime.Reader, service.Stage, error) { return p.process.Fused(store) }}
	}
	for _, make := range makers {
		r, stage, err := make()
		if err != nil {
			return plan, err
		}
		p.readers, plan.Stages = append(p.readers, r), append(plan.Stages, stage)
	}
	_, gateway, addr, err := p.process.Gateway()
	if err != nil {
		return plan, err
	}
	p.gateway, plan.Stages = addr, append(plan.Stages, gateway)
	return plan, nil
}

// received is a receive time long enough ago that no row waits for a pane that has not begun.
func received() time.Time { return time.Now().Add(-2 * time.Minute).Truncate(time.Millisecond) }

// send produces records and waits until Kafka has them.
func (p *pipeline) send(records ...*kgo.Record) {
	p.t.Helper()
	if err := p.kafka.ProduceSync(p.t.Context(), records...).FirstErr(); err != nil {
		p.t.Fatal(err)
	}
}

// drain waits until everything that was produced is counted, acknowledged by the next hop, and the dead letters are in the store.
func (p *pipeline) drain() {
	p.t.Helper()
	eventually(p.t, "the pipeline drains", func() error {
		if behind, err := service.Behind(p.t.Context(), p.adm, p.process); err != nil || behind > 0 {
			return fmt.Errorf("%d records behind, %v", behind, err)
		}
		for _, r := range p.readers {
			if ok, why, err := r.Drained(p.t.Context()); err != nil || !ok {
				return fmt.Errorf("%s %v", why, err)
			}
		}
		return nil
	})
}

// query asks ClickHouse; $db is the database.
func (p *pipeline) query(sql string) string {
	p.t.Helper()
	return strings.TrimSuffix(testengine.Exec(p.t, p.cfg.ClickHouse.Addr[0], strings.ReplaceAll(sql, "$db", p.cfg.ClickHouse.Database)), "\n")
}

// page of the admin port.
func (p *pipeline) page(path string) (int, string) {
	p.t.Helper()
	resp, err := http.Get("http://" + p.process.Addr + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// records reads a topic from its start to its present end.
func (p *pipeline) records(topic string) (out []*kgo.Record) {
	p.t.Helper()
	ends, err := p.adm.ListEndOffsets(p.t.Context(), topic)
	if err != nil || ends.Error() != nil {
		p.t.Fatal(err, ends.Error())
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(p.cfg.Kafka.Brokers...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords())
	if err != nil {
		p.t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	missing := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			missing[o.Partition] = o.Offset
		}
	})
	for len(missing) > 0 {
		fs := cl.PollFetches(ctx)
		if err := fs.Err0(); err != nil {
			p.t.Fatalf("%s: %v, ends not reached %v", topic, err, missing)
		}
		fs.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				out = append(out, r)
			}
			if end, ok := missing[r.Partition]; ok && r.Offset+1 >= end {
				delete(missing, r.Partition)
			}
		})
	}
	return out
}

// eventually polls what has no event to wait for, with a bound.
func eventually(t *testing.T, what string, ok func() error) {
	t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for err := ok(); err != nil; err = ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		<-again.C
	}
}
