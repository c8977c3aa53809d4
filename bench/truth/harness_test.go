// Package truth compares what ClickHouse shows with what is true: real engines, real stages, a ledger that shares no code with them.
package truth

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap/zaptest"

	"github.com/livemeter/livemeter/deploy/embedded/kafka"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/runtime"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// rig is one pipeline on engines of its own.
type rig struct {
	t       *testing.T
	brokers []string
	addr    string
	db      string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	fake, err := kafka.StartFake("", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fake.Close() })
	addr, db := testengine.ClickHouse(t)
	return &rig{t: t, brokers: fake.Brokers(), addr: addr, db: db}
}

func (r *rig) config() Config {
	return Config{Brokers: r.brokers, Topics: runtime.TopicSpec{RawPartitions: 2, RawCreateTime: true},
		Settings: eventlog.Settings{Epoch: 1, Partitions: 2, HorizonMS: 6 * 3600_000, LatenessMS: 60_000, SessionGapMS: 3600_000, DedupeMS: 600_000,
			Zone: "Asia/Shanghai", MaxCells: 1 << 20},
		PseudonymKey: []byte("0123456789abcdef"), ClickHouse: clickhouse.Config{Addr: []string{r.addr}, Database: r.db},
		CheckpointEvery: time.Second, RollEvery: time.Second}
}

// running is a set of processes of one pipeline.
type running struct {
	t      *testing.T
	stacks []*Stack
	cancel context.CancelFunc
	once   sync.Once
}

// startAll starts one process for each of parts; they run until stop or the end of the test.
func (r *rig) startAll(parts []Parts) *running {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	all := &running{t: r.t, cancel: cancel}
	for _, p := range parts {
		s, err := newStack(ctx, r.config(), p.Run || p.Aggregator, zaptest.NewLogger(r.t, zaptest.Level(zapLevel)), prometheus.NewRegistry())
		if err != nil {
			r.t.Fatal(err)
		}
		if err := s.Start(ctx, p); err != nil {
			r.t.Fatal(err)
		}
		all.stacks = append(all.stacks, s)
	}
	r.t.Cleanup(all.stop)
	return all
}

func (a *running) stop() {
	a.once.Do(func() {
		a.cancel()
		for _, s := range a.stacks {
			if err := s.Wait(); err != nil {
				a.t.Error(err)
			}
		}
	})
}

// drain waits until every process has counted what was produced, the watermark is past until, and the peaks are rolled.
func (a *running) drain(until time.Time) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for i := len(a.stacks) - 1; i >= 0; i-- { // from the collector on
		s := a.stacks[i]
		if s.Reader == nil {
			continue
		}
		if err := s.Drain(ctx, until, func(string) {}); err != nil {
			a.t.Fatal(err)
		}
		if s.Roller != nil {
			if err := s.Roller.RollAll(ctx); err != nil {
				a.t.Fatal(err)
			}
		}
	}
}

func (r *rig) expect(sql, want string) {
	r.t.Helper()
	if got := r.query(sql); got != want {
		r.t.Errorf("%s:\ngot  %q\nwant %q", sql, got, want)
	}
}

func (r *rig) produce(records ...*kgo.Record) {
	r.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(r.brokers...))
	if err != nil {
		r.t.Fatal(err)
	}
	defer cl.Close()
	if err := cl.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) query(sql string) string {
	return testengine.Exec(r.t, r.addr+"/?database="+r.db+"&log_comment=", sql)
}

func envelope(typ, id string, at time.Time, rest string) string {
	return fmt.Sprintf(`{"event_id":%q,"schema_version":"1-0-0","type":%q,"platform":"douyin","room_id":"r1","live_session_id":"s1","user_id":"u1",`+
		`"view_id":"v1","sdk_instance_id":"i1","seq":1,"client_ts":%d,"sent_ts":%d,%s}`, id, typ, at.UnixMilli(), at.UnixMilli(), rest)
}
