//go:build synctests

package exact

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"pgregory.net/rapid"

	"github.com/livemeter/livemeter/pipeline/runtime"
)

const simParts = 2

// world is a cluster, a store and the processes of a pipeline, in simulated time.
type world struct {
	t        testing.TB
	rng      *rand.Rand // of the faults
	sendRNG  *rand.Rand // of the sender's pauses
	network  kfake.VirtualNetwork
	cluster  *kfake.Cluster
	client   *kgo.Client
	adm      *kadm.Client
	log      *zap.Logger
	lines    lines
	services bool
	clock    clock
	store    struct {
		sync.Mutex
		*store
	}
	processes []*process
	judged    *claims
	poison    *poison
	sending   chan struct{} // room for one: taken while a record is sent (a mutex would hold the bubble's clock)
	remade    []string      // topics that the sender has not learnt of
	started   int
	remakes   int
	trims     int
	calm      atomic.Bool // no more faults
	last      int64       // receive time of the last record, 0 without one
}

func newWorld(t testing.TB, seed uint64, records []record) *world {
	w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 1)), sendRNG: rand.New(rand.NewPCG(seed, 3)), sending: make(chan struct{}, 1), services: seed%2 == 0}
	for _, r := range records {
		w.last = max(w.last, r.recv)
	}
	w.store.store = newStore(simParts)
	w.poison = drawPoison(seed, w.services, records)
	enc := zap.NewDevelopmentEncoderConfig()
	enc.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
	w.log = zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(enc), zapcore.AddSync(&w.lines), zap.InfoLevel))
	w.clock.set(base, base)
	var err error
	w.cluster, err = kfake.NewCluster(kfake.NumBrokers(3), kfake.Ports(9092, 9093, 9094), kfake.ListenFn(w.network.Listen),
		kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.Dialer(w.network.DialContext), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	w.client, w.adm, w.judged = cl, kadm.NewClient(cl), newClaims()
	for _, topic := range topics {
		if _, err := w.adm.CreateTopic(t.Context(), topic.partitions, 1, rawConfig, topic.name); err != nil {
			t.Fatal(err)
		}
	}
	spec := runtime.TopicSpec{Replication: 1, RawCreateTime: true, RawRetention: runtime.Forever, EventsPartitions: simParts, EventsRetention: runtime.Forever}
	if err := runtime.EnsureTopics(t.Context(), w.adm, spec); err != nil {
		t.Fatal(err)
	}
	return w
}

// clock is that of the brokers and processes: it goes on, but not beyond the next record's receive time, and jumps there when that is sent.
type clock struct {
	mu        sync.Mutex
	at, limit int64
	since     time.Time
}

func (c *clock) set(at, limit int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.limit, c.since = at, limit, time.Now()
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.UnixMilli(min(c.limit, c.at+time.Since(c.since).Milliseconds()))
}

// lines is a log.
type lines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}

func (w *world) remove(p *process) {
	w.processes = slices.DeleteFunc(w.processes, func(q *process) bool { return q == p })
}

func (w *world) close() {
	for _, p := range w.processes {
		p.kill()
	}
	if w.t.Failed() {
		w.t.Logf("%s", w.lines.String())
	}
	w.adm.Close()
	w.cluster.Close()
	time.Sleep(time.Minute) // simulated: what is left of closed connections notices, else the bubble could not end
}

// produce sends records at their pace.
func (w *world) produce(ctx context.Context, records []record) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.Dialer(w.network.DialContext), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer cl.Close()
	at := map[string]int64{}
	for i, r := range records {
		if w.sendRNG.IntN(4) == 0 {
			time.Sleep(time.Duration(w.sendRNG.IntN(2000)) * time.Millisecond)
		}
		// Time does not jump for brokers alone: what was received before a long pause has been read by its end.
		for r.recv-w.clock.now().UnixMilli() > 1000 && ctx.Err() == nil {
			if ok, _ := w.collected(ctx); ok {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		next := int64(math.MaxInt64)
		if i+1 < len(records) {
			next = records[i+1].recv
		}
		if err := w.send(ctx, cl, r, next, at); err != nil {
			return err
		}
	}
	return nil
}

// send sends a record when the clock is at its receive time; from there it goes on to that of the next. at are the ends of the partitions.
func (w *world) send(ctx context.Context, cl *kgo.Client, r record, next int64, at map[string]int64) error {
	w.sending <- struct{}{}
	defer func() { <-w.sending }()
	for _, topic := range w.remade {
		cl.PurgeTopicsFromClient(topic)
		maps.DeleteFunc(at, func(place string, _ int64) bool { return strings.HasPrefix(place, topic+"/") })
	}
	w.remade = nil
	w.clock.set(r.recv, r.recv)
	rec := &kgo.Record{Topic: r.topic, Partition: r.partition, Key: []byte(r.key), Value: r.value, Timestamp: time.UnixMilli(r.recv)}
	if err := cl.ProduceSync(ctx, rec).FirstErr(); err != nil {
		return err
	}
	place := fmt.Sprintf("%s/%d", r.topic, r.partition)
	if rec.Offset != at[place] {
		return fmt.Errorf("%s: offset %d, want %d", place, rec.Offset, at[place])
	}
	at[place]++
	w.clock.set(r.recv, next)
	return nil
}

// evict removes members of processes that are gone from their groups. That is the broker's to do, after the session timeout; kfake forgets some that
// died between a join and its answer.
func (w *world) evict(ctx context.Context) {
	groups, err := w.adm.DescribeGroups(ctx)
	if err != nil {
		return
	}
	for _, g := range groups.Sorted() {
		for _, m := range g.Members {
			if slices.ContainsFunc(w.processes, func(p *process) bool { return p.name() == m.ClientID }) {
				continue
			}
			req := kmsg.NewPtrLeaveGroupRequest()
			member := kmsg.NewLeaveGroupRequestMember()
			req.Group, req.MemberID, member.MemberID = g.Group, m.MemberID, m.MemberID
			req.Members = append(req.Members, member)
			if _, err := req.RequestWith(ctx, w.client); err == nil {
				w.log.Sugar().Infof("evicted %s from %s", m.ClientID, g.Group)
			}
		}
	}
}

// collected says whether all that was produced is in the log.
func (w *world) collected(ctx context.Context) (bool, string) {
	for _, topic := range topics {
		ends, err := w.adm.ListEndOffsets(ctx, topic.name)
		if err != nil {
			return false, err.Error()
		}
		at, err := w.adm.FetchOffsets(ctx, "collector."+topic.name)
		if err != nil {
			return false, err.Error()
		}
		for _, e := range ends.Offsets().Sorted() {
			o, ok := at.Lookup(topic.name, e.Partition)
			if e.At > 0 && (!ok || o.At < e.At) {
				return false, fmt.Sprintf("%s/%d: collected up to %d of %d", topic.name, e.Partition, o.At, e.At)
			}
		}
	}
	return true, ""
}

// drained says whether everything that was produced has its rows.
func (w *world) drained(ctx context.Context) (bool, string) {
	if ok, why := w.collected(ctx); !ok {
		return false, why
	}
	for i := range w.processes[0].readers {
		owned := 0
		for _, p := range w.processes {
			ok, why, err := p.readers[i].Drained(ctx)
			if !ok || err != nil {
				return false, fmt.Sprint(why, err)
			}
			for _, wm := range p.readers[i].Watermarks() {
				if w.last > 0 && wm < w.last+31_000 {
					return false, fmt.Sprintf("watermark %d, last event %d", wm, w.last)
				}
				owned++
			}
		}
		if owned != simParts {
			return false, fmt.Sprintf("%d partitions owned", owned)
		}
	}
	return true, ""
}

// drawn is a stream of a seed.
func drawn(seed uint64, most int) []record {
	return rapid.Custom(func(t *rapid.T) []record { return drawStream(t, most) }).Example(int(seed))
}
