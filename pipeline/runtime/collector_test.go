package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

func TestCollectorMovesEveryRecordOnce(t *testing.T) {
	w := newCollectorWorld(t)
	w.send(3000)
	p := w.start(w.config())
	l := w.readLog()
	l.until("the backlog", l.all)
	w.send(500)
	l.until("what came later", l.all)
	p.stop()
	l.check()
	if l.repeated != 0 {
		t.Errorf("%d entries were sent twice without need", l.repeated)
	}
	if l.rejects == 0 {
		t.Error("no record was rejected")
	}
	w.checkCommitted()
}

// A backlog enters the log in the order of receive times, whatever topic and partition it comes from, and in less time than the patience
// with a source that does not deliver.
func TestCollectorKeepsReceiveOrderInCatchUp(t *testing.T) {
	w := newCollectorWorld(t)
	for range 10 {
		w.send(4000)
	}
	began := time.Now()
	w.start(w.config())
	l := w.readLog()
	l.until("the backlog", l.all)
	l.check()
	if l.disorder > collectorSlackMS {
		t.Errorf("an entry stands %d ms too late", l.disorder)
	}
	t.Log(time.Since(began))
}

// checkCommitted: after a clean end the groups stand at the end of every partition.
func (w *collectorWorld) checkCommitted() {
	w.t.Helper()
	for topic := range event.NumTopics {
		name := event.TopicNames[topic]
		offsets, err := w.adm.FetchOffsets(w.t.Context(), "c."+name)
		if err != nil {
			w.t.Fatal(err)
		}
		for p := range int32(collectorTestRaw) {
			want := w.produced()[eventlog.SourceID{TopicID: w.ids[name], Partition: p}]
			if o, ok := offsets.Lookup(name, p); want > 0 && (!ok || o.At != want) {
				w.t.Errorf("%s/%d: committed %d, want %d", name, p, o.At, want)
			}
		}
	}
}

// Refused records, partitions apart, at any moment: whatever was refused is sent again, and nothing behind it slipped past.
func TestCollectorNeverPassesAFailedRecord(t *testing.T) {
	w := newCollectorWorld(t)
	w.send(4000)
	n := 0
	every := func(k int) func(kmsg.Request) bool { return func(kmsg.Request) bool { n++; return n%k == 0 } }
	produce := []kmsg.Key{kmsg.Produce}
	h := w.cluster.Fault(
		kfake.Fault{Keys: produce, Topic: TopicEvents, Partitions: []int32{1}, Err: kerr.InvalidRecord, Count: 4, When: every(5)},
		kfake.Fault{Keys: produce, Topic: TopicEvents, Partitions: []int32{2}, Err: kerr.RequestTimedOut, Count: 4, When: every(3)}, // written, but nobody knows
		kfake.Fault{Keys: produce, Topic: TopicEvents, Partitions: []int32{3}, Err: kerr.NotLeaderForPartition, Count: 4, When: every(4)},
		kfake.Fault{Keys: produce, Topic: TopicRejected, Err: kerr.PolicyViolation, Count: 2, When: every(2)},
	)
	cfg := w.config()
	cfg.MaxInflightBytes = 16 << 10
	p := w.start(cfg)
	l := w.readLog()
	for range 20 {
		w.send(100)
	}
	l.until("all records", l.all)
	p.stop()
	l.check()
	w.checkCommitted()
	if h.Hits() < 8 {
		t.Errorf("only %d faults happened", h.Hits())
	}
	if l.repeated == 0 {
		t.Error("nothing was sent again: the faults hit nothing")
	}
}

// A collector that is stopped and one that loses its broker's favour go on where the commits say.
func TestCollectorRestarts(t *testing.T) {
	w := newCollectorWorld(t)
	w.send(6000)
	l := w.readLog()
	cfg := w.config()
	cfg.MaxInflightBytes = 16 << 10
	for _, n := range []int{1, 2000, 4000} {
		p := w.start(cfg)
		l.until(fmt.Sprint(n, " records"), func() bool { return l.count() >= n })
		p.stop()
	}
	p := w.start(cfg)
	w.send(1000)
	l.until("all records", l.all)
	p.stop()
	l.check()
	w.checkCommitted()
}

// A collector is told to end while a commit is under way, and that commit fails: the end commits what it should have stored, and the next
// collector repeats nothing.
func TestCollectorEndsWhileACommitFails(t *testing.T) {
	for range 5 {
		t.Run("", func(t *testing.T) { // a world ends before the next one begins: each looks for goroutines that are left over
			w := newCollectorWorld(t)
			w.send(2000)
			ctx, told := context.WithCancel(t.Context())
			h := w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.UnknownServerError, Count: 1,
				When: func(kmsg.Request) bool { told(); return true }})
			if err := RunCollector(ctx, w.config(), w.log, prometheus.NewPedanticRegistry()); err != nil {
				t.Fatal(err)
			}
			if h.Hits() != 1 {
				t.Errorf("%d commits failed, want 1", h.Hits())
			}
			w.send(200)
			p := w.start(w.config())
			l := w.readLog()
			l.until("all records", l.all)
			p.stop()
			l.check()
			w.checkCommitted()
			if l.repeated != 0 {
				t.Errorf("%d entries were sent twice without need", l.repeated)
			}
		})
	}
}

// Two collectors come and go under load, with rebalances that take single partitions away and with those that take all.
func TestCollectorsShareAndRebalance(t *testing.T) {
	for name, balancer := range map[string]kgo.GroupBalancer{"cooperative": kgo.CooperativeStickyBalancer(), "eager": kgo.RangeBalancer()} {
		t.Run(name, func(t *testing.T) {
			w := newCollectorWorld(t)
			cfg := w.config()
			cfg.KafkaOpts = append(cfg.KafkaOpts, kgo.Balancers(balancer))
			w.send(2000)
			l := w.readLog()
			a := w.start(cfg)
			l.until("the first records", func() bool { return l.count() >= 100 })
			b := w.start(cfg)
			w.loadUntilShared(l, 2)
			a.stop()
			w.send(1000)
			l.until("all records of the second one", l.all)
			c := w.start(cfg)
			w.loadUntilShared(l, 2)
			b.stop()
			w.send(500)
			l.until("all records of the third one", l.all)
			c.stop()
			l.check()
			w.checkCommitted()
		})
	}
}

// loadUntilShared keeps records coming until n members share the partitions of every topic that producers send to, and through a few batches more.
func (w *collectorWorld) loadUntilShared(l *collectorLog, n int) {
	w.t.Helper()
	for more := 3; more > 0; {
		w.send(100)
		l.until("the batch", l.all)
		shared := true
		for _, name := range event.Arrivals {
			groups, err := w.adm.DescribeGroups(w.t.Context(), "c."+name)
			if err != nil {
				w.t.Fatal(err)
			}
			working := 0
			for _, m := range groups["c."+name].Members {
				if c, ok := m.Assigned.AsConsumer(); ok && len(c.Topics) > 0 {
					working++
				}
			}
			shared = shared && working == n
		}
		if shared {
			more--
		}
	}
}

// A source that is idle promises that time passes, and a source with data promises no more than it has sent (the log reader checks that
// in every test).
func TestCollectorPromisesTimeOfIdleSources(t *testing.T) {
	w := newCollectorWorld(t)
	start := time.Now().UnixMilli()
	w.send(50)
	w.start(w.config())
	l := w.readLog()
	l.until("a promise above the start for every source in every partition", func() bool {
		for i := range l.parts {
			for name, id := range w.ids {
				if !strings.HasPrefix(name, "raw.") {
					continue
				}
				partitions := int32(collectorTestRaw)
				if name == event.TopicNames[event.TopicReplay] {
					partitions = 1
				}
				for p := range partitions {
					if l.parts[i].promise[eventlog.SourceID{TopicID: id, Partition: p}] < start {
						return false
					}
				}
			}
		}
		return true
	})
}

// Who begins to read where retention has left the log finds settings and sources there, too.
func TestCollectorRepeatsSettings(t *testing.T) {
	w := newCollectorWorld(t)
	cfg := w.config()
	cfg.SettingsEvery, cfg.MetadataEvery = 5*time.Millisecond, 5*time.Millisecond
	w.send(50)
	w.start(cfg)
	l := w.readLog()
	l.until("settings three times in every partition, each with the sources", func() bool {
		for i := range l.parts {
			if p := &l.parts[i]; p.settings < 3 || p.declared < p.settings-1 {
				return false
			}
		}
		return true
	})
}

func TestCollectorSeesNewPartitions(t *testing.T) {
	w := newCollectorWorld(t)
	cfg := w.config()
	cfg.MetadataEvery = 50 * time.Millisecond
	cfg.KafkaOpts = append(cfg.KafkaOpts, kgo.MetadataMinAge(10*time.Millisecond))
	w.send(100)
	w.start(cfg)
	l := w.readLog()
	l.until("the first records", l.all)
	if _, err := w.adm.UpdatePartitions(t.Context(), collectorTestRaw+2, "raw.viewer"); err != nil {
		t.Fatal(err)
	}
	fresh, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner())) // knows the new partitions
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	for p := range int32(2) {
		r := &kgo.Record{Topic: "raw.viewer", Partition: collectorTestRaw + p, Value: []byte(w.record(event.TopicViewer, 1)), Timestamp: time.UnixMilli(w.base)}
		if err := fresh.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
		w.sent[eventlog.SourceID{TopicID: w.ids["raw.viewer"], Partition: collectorTestRaw + p}] = 1
	}
	l.until("the records of the new partitions", l.all)
	l.check()
}

func TestCollectorLeaksNoPerson(t *testing.T) {
	w := newCollectorWorld(t)
	w.send(2000)
	p := w.start(w.config())
	l := w.readLog()
	l.until("the backlog", l.all)
	p.stop()
	metrics, err := p.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	told, err := json.Marshal(w.logs.All())
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"log events": string(l.bytes), "metrics": fmt.Sprint(metrics), "log lines": string(told)} {
		if strings.Contains(text, "planted") {
			t.Errorf("a planted id or comment is in the %s", where)
		}
	}
	if !strings.Contains(string(l.bytes), "ls_3") {
		t.Error("the search would not find what is there")
	}
}

func TestCollectorRefusesMistakes(t *testing.T) {
	w := newCollectorWorld(t)
	for name, c := range map[string]struct {
		spoil func(*CollectorConfig)
		want  string
	}{
		"key":         {func(c *CollectorConfig) { c.PseudonymKey = []byte("short") }, "5 bytes, want 16 or 32"},
		"fingerprint": {func(c *CollectorConfig) { c.Settings.KeyFingerprint = 1 }, "needs the same key"},
		"partitions":  {func(c *CollectorConfig) { c.Settings.Partitions = 7 }, "topic events has 4 partitions, the settings say 7"},
		"brokers":     {func(c *CollectorConfig) { c.Brokers = nil }, "kafka.brokers: none given"},
	} {
		cfg := w.config()
		c.spoil(&cfg)
		if err := RunCollector(t.Context(), cfg, w.log, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// A collector that is cut off from the log ends in time, and has committed nothing of what it could not deliver.
func TestCollectorEndsWhileKafkaIsAway(t *testing.T) {
	w := newCollectorWorld(t)
	cfg := w.config()
	cfg.FinishTimeout = 100 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- RunCollector(ctx, cfg, w.log, nil) }()
	l := w.readLog()
	w.send(100)
	l.until("the records", l.all)
	away := w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: TopicEvents, Err: kerr.NotLeaderForPartition, Count: -1})
	w.send(500)
	if err := away.Wait(t.Context(), 6); err != nil { // the new records are under way, through several turns of the commit timer
		t.Fatal(err)
	}
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want a finish that took too long", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the collector does not end")
	}
	away.Remove()
	p := w.start(w.config())
	l.until("all records", l.all)
	p.stop()
	l.check()
	w.checkCommitted()
}

// A collector loses its partitions while it ends, because the group has not heard of it for too long: there is nothing to finish any more, and that is no
// error. What it could not send the next one repeats.
func TestCollectorEndsWhileItLosesItsPartitions(t *testing.T) {
	w := newCollectorWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- RunCollector(ctx, w.config(), w.log, nil) }()
	l := w.readLog()
	w.send(100)
	l.until("the records", l.all)
	away := w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: TopicEvents, Err: kerr.NotLeaderForPartition, Count: -1})
	w.send(500)
	if err := away.Wait(t.Context(), 6); err != nil { // there is something to finish
		t.Fatal(err)
	}
	cancel()
	unknown := w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.UnknownMemberID, Count: -1})
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the collector does not end")
	}
	if n := w.logs.FilterMessageSnippet("lost its partitions while it was ending").Len(); n != 1 {
		t.Errorf("it was told %d times, want once", n)
	}
	unknown.Remove()
	away.Remove()
	p := w.start(w.config())
	l.until("all records", l.all)
	p.stop()
	l.check()
	w.checkCommitted()
}
