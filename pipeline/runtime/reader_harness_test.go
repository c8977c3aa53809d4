package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
)

const (
	testTopic     = "events"
	testChangelog = "changelog"
	testEnriched  = "events.enriched"
	testPart      = 4
)

// kfakeCloses: the broker's Close does not wait until its goroutines have closed their connections.
var kfakeCloses = goleak.IgnoreAnyFunction("github.com/twmb/franz-go/pkg/kfake.(*clientConn).read")

// leavesNothing looks at the test's end for goroutines that it began. They have some seconds: a client's Close does not wait for all of its own.
func leavesNothing(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		var err error
		for began := time.Now(); time.Since(began) < 10*time.Second; {
			if err = goleak.Find(before, kfakeCloses); err == nil {
				return
			}
		}
		t.Error(err)
	})
}

// world is a broker, a producer and what was produced.
type world struct {
	t       *testing.T
	cluster *kfake.Cluster
	cl      *kgo.Client
	sink    *memSink
	truth   map[string]int64
	sent    int
}

func newWorld(t *testing.T, more ...kfake.Opt) *world {
	leavesNothing(t)
	c, err := kfake.NewCluster(append(more, kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond), kfake.BrokerConfigs(map[string]string{
		"group.initial.rebalance.delay.ms": "0", "group.consumer.session.timeout.ms": "500", "group.consumer.heartbeat.interval.ms": "100"}))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for topic, conf := range map[string]map[string]string{testTopic: nil, testEnriched: nil, testChangelog: {"cleanup.policy": "compact"}} {
		if err := c.CreateTopic(topic, testPart, conf); err != nil {
			t.Fatal(err)
		}
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return &world{t: t, cluster: c, cl: cl, sink: &memSink{}, truth: map[string]int64{}}
}

// send n records over 50 keys and all partitions.
func (w *world) send(n int) {
	w.t.Helper()
	recs := make([]*kgo.Record, n)
	for i := range recs {
		key := fmt.Sprintf("room-%d", w.sent*7%50)
		recs[i] = &kgo.Record{Topic: testTopic, Partition: int32(w.sent % testPart), Value: []byte(key)}
		w.truth[key]++
		w.sent++
	}
	if err := w.cl.ProduceSync(w.t.Context(), recs...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) config() ReaderConfig {
	return ReaderConfig{Brokers: w.cluster.ListenAddrs(), Topic: testTopic, Group: "g", Changelog: testChangelog, Sink: w.sink, Epoch: 1,
		NewTask:         func(p int32, out Output) Task { return newCounter(p, out, nil) },
		CheckpointEvery: 50 * time.Millisecond, FlushHot: 10 * time.Millisecond, SessionTimeout: 2 * time.Second, PollRecords: 16}
}

// produce one record of key.
func (w *world) produce(key string) {
	w.t.Helper()
	rec := &kgo.Record{Topic: testTopic, Partition: int32(w.sent % testPart), Value: []byte(key)}
	if err := w.cl.ProduceSync(w.t.Context(), rec).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
	w.truth[key]++
	w.sent++
}

type process struct {
	*Reader
	t      *testing.T
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

func (w *world) start(cfg ReaderConfig) *process {
	w.t.Helper()
	r, err := NewReader(cfg, zaptest.NewLogger(w.t, zaptest.Level(zap.WarnLevel)), prometheus.NewPedanticRegistry())
	if err != nil {
		w.t.Fatal(err)
	}
	return w.run(r)
}

func (w *world) run(r *Reader) *process {
	ctx, cancel := context.WithCancel(context.Background())
	x := &process{Reader: r, t: w.t, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(x.done)
		x.err = r.Run(ctx)
	}()
	w.t.Cleanup(x.wait)
	return x
}

func (x *process) wait() {
	x.cancel()
	select {
	case <-x.done:
	case <-time.After(20 * time.Second):
		x.t.Error("the reader does not end")
	}
}

func (x *process) stop() {
	x.t.Helper()
	x.wait()
	if x.err != nil {
		x.t.Fatalf("run: %v", x.err)
	}
}

// crash ends all tasks where they stand, as SIGKILL would: no flush, no checkpoint.
func (x *process) crash() {
	x.mu.Lock()
	x.stopping = true
	for _, s := range x.slots {
		s.kill()
	}
	x.mu.Unlock()
	x.stop()
}

func eventually(t *testing.T, what string, ok func() (bool, string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
		good, why := ok()
		if good {
			tick.Stop()
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("not in time: %s: %s", what, why)
		}
	}
}

func (w *world) drain(readers ...*process) {
	w.t.Helper()
	eventually(w.t, "drained", func() (bool, string) {
		owned := 0
		for _, r := range readers {
			ok, why, err := r.Drained(w.t.Context())
			if !ok || err != nil {
				return false, fmt.Sprint(why, err)
			}
			owned += len(r.Watermarks())
		}
		return owned == testPart, fmt.Sprintf("%d partitions owned", owned)
	})
}

// check compares the sink with the truth, and every row ever written with the log below its version.
func (w *world) check() {
	w.t.Helper()
	if got := w.sink.totals(); !maps.Equal(got, w.truth) {
		w.t.Fatalf("sink holds\n%v\nwant\n%v", got, w.truth)
	}
	log := w.read(testTopic)
	rows, _ := w.sink.history()
	memo := map[string]int64{}
	for _, o := range rows {
		id := fmt.Sprint(o.Topic, o.Part, o.Version)
		if _, ok := memo[id]; !ok {
			for _, rec := range log[int32(o.Part)] {
				if uint64(rec.Offset) < o.Version && string(rec.Value) == o.Topic {
					memo[id]++
				}
			}
		}
		if o.Records != memo[id] {
			w.t.Fatalf("a row says %d for %s at version %d of partition %d, the log %d", o.Records, o.Topic, o.Version, o.Part, memo[id])
		}
	}
}

// read a topic from start to end, by partition.
func (w *world) read(topic string) map[int32][]*kgo.Record {
	w.t.Helper()
	ends, err := kadm.NewClient(w.cl).ListEndOffsets(w.t.Context(), topic)
	if err != nil {
		w.t.Fatal(err)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		w.t.Fatal(err)
	}
	defer cl.Close()
	out := map[int32][]*kgo.Record{}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	for len(left) > 0 {
		fs := cl.PollFetches(w.t.Context())
		if err := errors.Join(w.t.Context().Err(), fs.Err()); err != nil {
			w.t.Fatal(err)
		}
		fs.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				out[r.Partition] = append(out[r.Partition], r)
			}
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
	}
	return out
}
