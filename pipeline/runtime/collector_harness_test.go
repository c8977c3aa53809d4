package runtime

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

const (
	collectorTestRaw    = 3 // partitions of each raw topic
	collectorTestEvents = 4
)

// collectorWorld is a broker with all topics, what was produced to them, and what the log says.
type collectorWorld struct {
	t       *testing.T
	cluster *kfake.Cluster
	cl      *kgo.Client
	adm     *kadm.Client
	base    int64 // timestamp of the first record, ms
	rng     *rand.Rand
	logs    *observer.ObservedLogs
	log     *zap.Logger

	mu   sync.Mutex
	sent map[eventlog.SourceID]int64 // records produced, by source
	ids  map[string][16]byte
}

func newCollectorWorld(t *testing.T) *collectorWorld {
	leavesNothing(t)
	c, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.GroupMinSessionTimeout(100*time.Millisecond), kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	core, logs := observer.New(zapcore.InfoLevel)
	w := &collectorWorld{t: t, cluster: c, cl: cl, adm: kadm.NewClient(cl), base: time.Now().Add(-time.Hour).UnixMilli(), rng: rand.New(rand.NewPCG(1, 2)),
		logs: logs, log: zap.New(core), sent: map[eventlog.SourceID]int64{}, ids: map[string][16]byte{}}
	if err := EnsureTopics(t.Context(), w.adm, w.topics()); err != nil {
		t.Fatal(err)
	}
	found, err := w.adm.ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range found {
		w.ids[name] = d.ID
	}
	return w
}

func (w *collectorWorld) topics() TopicSpec {
	return TopicSpec{Replication: 1, RawPartitions: collectorTestRaw, RawCreateTime: true, RawRetention: Forever, EventsPartitions: collectorTestEvents, EventsRetention: Forever}
}

func (w *collectorWorld) config() CollectorConfig {
	return CollectorConfig{Brokers: w.cluster.ListenAddrs(), Group: "c", PseudonymKey: []byte("0123456789abcdef"), Settings: eventlog.Settings{Partitions: collectorTestEvents, Zone: "UTC"},
		BlockBytes: 1024, CommitEvery: 20 * time.Millisecond, ProgressEvery: time.Millisecond, SessionTimeout: 2 * time.Second}
}

// collectorProcess is a running collector.
type collectorProcess struct {
	t      *testing.T
	cancel context.CancelFunc
	done   chan error
	once   sync.Once
	reg    *prometheus.Registry
}

func (w *collectorWorld) start(cfg CollectorConfig) *collectorProcess {
	ctx, cancel := context.WithCancel(context.Background())
	p := &collectorProcess{t: w.t, cancel: cancel, done: make(chan error, 1), reg: prometheus.NewPedanticRegistry()}
	go func() { p.done <- RunCollector(ctx, cfg, w.log, p.reg) }()
	w.t.Cleanup(p.stop)
	return p
}

// stop ends the collector and demands that it ends well.
func (p *collectorProcess) stop() {
	p.once.Do(func() {
		p.cancel()
		select {
		case err := <-p.done:
			if err != nil {
				p.t.Errorf("the collector ended with %v", err)
			}
		case <-time.After(30 * time.Second):
			p.t.Error("the collector does not end")
		}
	})
}

// record makes the i-th record of a topic; every 17th is invalid.
func (w *collectorWorld) record(topic event.Topic, i int) string {
	if i%17 == 16 {
		return `{"broken":`
	}
	env := fmt.Sprintf(`"event_id":"e-%d-%d","schema_version":"1-0-0","type":"%s","platform":"douyin","client_ts":%d,"sent_ts":%d,"sdk_instance_id":"inst-%d","seq":%d`,
		topic, i, event.TypeNames[topic], w.base, w.base, i%100, i+1)
	where := fmt.Sprintf(`"room_id":"r_%d","live_session_id":"ls_%d"`, i%7, i%7)
	user := fmt.Sprintf(`"user_id":"planted-user-%d","view_id":"v_%d"`, i%200, i%300)
	switch topic {
	case event.TopicViewer:
		return fmt.Sprintf(`{%s,%s,%s,"action":"heartbeat","watch_ms_delta":5000}`, env, where, user)
	case event.TopicInteraction:
		return fmt.Sprintf(`{%s,%s,%s,"kind":"comment","comment_text":"planted-comment %d","comment_len":9}`, env, where, user, i)
	case event.TopicOrder:
		return fmt.Sprintf(`{%s,%s,"order_id":"o_%d","order_version":1,"state":"paid","buyer_id":"planted-user-%d","currency":"CNY","goods_minor":100,"paid_minor":100,`+
			`"items":[{"line_id":"1","sku_id":"s_1","qty":1,"unit_minor":100,"paid_minor":100}]}`, env, where, i, i%200)
	case event.TopicCost:
		return fmt.Sprintf(`{%s,"cost_id":"c_%d","cost_version":1,"channel":"ads","kind":"ads","spend_minor":5,"currency":"CNY","period_start":%d,"period_end":%d}`, env, i, w.base, w.base+1)
	}
	return fmt.Sprintf(`{%s,%s,"sku_id":"s_%d","available":5,"stock_version":1,"ts":%d}`, env, where, i, w.base)
}

// send produces n records, most of them viewer events, with rising timestamps; the partition is drawn.
func (w *collectorWorld) send(n int) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	recs := make([]*kgo.Record, n)
	for i := range recs {
		topic := event.Topic(max(0, w.rng.IntN(10)-5))
		w.base++
		part := int32(w.rng.IntN(collectorTestRaw))
		name := event.TopicNames[topic]
		id := eventlog.SourceID{TopicID: w.ids[name], Partition: part}
		recs[i] = &kgo.Record{Topic: name, Partition: part, Key: []byte("k"), Value: []byte(w.record(topic, int(w.base%100_000))), Timestamp: time.UnixMilli(w.base)}
		w.sent[id]++
	}
	if err := w.cl.ProduceSync(w.t.Context(), recs...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *collectorWorld) produced() map[eventlog.SourceID]int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.sent)
}

// collectorLog reads the log as a reader would: by provenance. It notes every promise and judges it at the end.
type collectorLog struct {
	w        *collectorWorld
	cl       *kgo.Client
	seen     map[eventlog.SourceID]map[int64]int // records by offset: how often they count
	rejects  int
	repeated int
	disorder int64 // by how much an entry that counts was received before one that stands before it, ms
	parts    [collectorTestEvents]collectorLogPart
	bytes    []byte // all values, one after the other
	values   [][]byte
}

type collectorLogPart struct {
	recv       int64
	high       map[eventlog.SourceID]int64
	promised   map[eventlog.SourceID]int64 // highest offset promised
	promise    map[eventlog.SourceID]int64 // highest receive time promised
	generation map[eventlog.SourceID]int32
	settings   int // records
	declared   int // records of sources
	sources    eventlog.Sources
	stalled    map[eventlog.SourceID]int // how often it was told
}

func (w *collectorWorld) readLog() *collectorLog {
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.ConsumeTopics(TopicEvents), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(cl.Close)
	l := &collectorLog{w: w, cl: cl, seen: map[eventlog.SourceID]map[int64]int{}}
	for p := range l.parts {
		l.parts[p] = collectorLogPart{high: map[eventlog.SourceID]int64{}, promised: map[eventlog.SourceID]int64{}, promise: map[eventlog.SourceID]int64{}, generation: map[eventlog.SourceID]int32{}, stalled: map[eventlog.SourceID]int{}}
	}
	return l
}

// until reads on until done says so.
func (l *collectorLog) until(what string, done func() bool) {
	l.w.t.Helper()
	ctx, cancel := context.WithTimeout(l.w.t.Context(), 30*time.Second)
	defer cancel()
	for !done() {
		fetches := l.cl.PollFetches(ctx)
		if ctx.Err() != nil {
			l.w.t.Fatalf("the log never showed %s; the collector says %v", what, l.w.logs.All())
		}
		fetches.EachRecord(l.apply)
	}
}

// all: every record produced so far counts.
func (l *collectorLog) all() bool {
	for id, n := range l.w.produced() {
		if int64(len(l.seen[id])) < n {
			return false
		}
	}
	return true
}

// count is the number of records that count so far.
func (l *collectorLog) count() (n int) {
	for _, s := range l.seen {
		n += len(s)
	}
	return n
}

func (l *collectorLog) apply(r *kgo.Record) {
	t := l.w.t
	l.bytes = append(l.bytes, r.Value...)
	l.values = append(l.values, r.Value)
	part := &l.parts[r.Partition]
	kind, err := eventlog.RecordType(r.Value)
	if err != nil {
		t.Fatalf("events/%d@%d: %v", r.Partition, r.Offset, err)
	}
	if part.settings == 0 && kind != eventlog.RecordSettings {
		t.Fatalf("events/%d@%d: record type %d before the settings", r.Partition, r.Offset, kind)
	}
	switch kind {
	case eventlog.RecordSettings, eventlog.RecordRepeated:
		s, err := eventlog.DecodeSettings(r.Value)
		if err != nil || s.Partitions != collectorTestEvents || s.KeyFingerprint == 0 {
			t.Fatalf("settings %+v, %v", s, err)
		}
		part.settings++
	case eventlog.RecordSources:
		part.declared++
		if err := eventlog.DecodeSources(r.Value, &part.sources); err != nil {
			t.Fatal(err)
		}
	case eventlog.RecordProgress:
		l.promise(part, r)
	case eventlog.RecordStalled:
		var pr eventlog.Progress
		if err := eventlog.DecodeProgress(r.Value, &pr); err != nil {
			t.Fatal(err)
		}
		for _, it := range pr.Items {
			part.stalled[it.Source]++
		}
	case eventlog.RecordBlock:
		l.block(part, r)
	}
}

func (l *collectorLog) promise(part *collectorLogPart, r *kgo.Record) {
	var pr eventlog.Progress
	if err := eventlog.DecodeProgress(r.Value, &pr); err != nil {
		l.w.t.Fatal(err)
	}
	for _, it := range pr.Items {
		if it.Generation < part.generation[it.Source] {
			continue
		}
		part.generation[it.Source] = it.Generation
		part.promised[it.Source] = max(part.promised[it.Source], it.Offset+1)
		part.promise[it.Source] = max(part.promise[it.Source], it.Recv)
	}
}

func (l *collectorLog) block(part *collectorLogPart, r *kgo.Record) {
	t := l.w.t
	var b eventlog.Block
	if err := eventlog.Decode(r.Value, &b); err != nil {
		t.Fatalf("events/%d@%d: %v", r.Partition, r.Offset, err)
	}
	for _, e := range b.Entries {
		id := b.Sources[e.Source]
		if !part.declares(id) {
			t.Fatalf("events/%d@%d: an entry of source %x/%d before the source is declared", r.Partition, r.Offset, id.TopicID, id.Partition)
		}
		if high, ok := part.high[id]; ok && e.Offset <= high {
			l.repeated++
			continue
		}
		if e.Offset < part.promised[id] {
			t.Fatalf("events/%d@%d: entry of source %x/%d at offset %d comes after a promise that all below %d were sent", r.Partition, r.Offset, id.TopicID, id.Partition, e.Offset, part.promised[id])
		}
		part.high[id] = e.Offset
		part.recv = max(part.recv, e.Recv)
		l.disorder = max(l.disorder, part.recv-e.Recv)
		if l.seen[id] == nil {
			l.seen[id] = map[int64]int{}
		}
		if l.seen[id][e.Offset]++; l.seen[id][e.Offset] > 1 {
			t.Fatalf("source %x/%d offset %d counts twice", id.TopicID, id.Partition, e.Offset)
		}
		if e.Kind == eventlog.Reject {
			l.rejects++
		}
	}
}

func (p *collectorLogPart) declares(id eventlog.SourceID) bool {
	for _, t := range p.sources.Topics {
		if t.ID == id.TopicID && id.Partition < t.Partitions {
			return true
		}
	}
	return false
}

// check: every record that was produced counts exactly once. Twice is found in block; here it is about the missing.
func (l *collectorLog) check() {
	l.w.t.Helper()
	for id, n := range l.w.produced() {
		for o := range n {
			if l.seen[id][o] != 1 {
				l.w.t.Errorf("source %x/%d: offset %d counts %d times", id.TopicID, id.Partition, o, l.seen[id][o])
			}
		}
	}
}

func collectorAlter(key, value string) []kadm.AlterConfig {
	return []kadm.AlterConfig{{Op: kadm.SetConfig, Name: key, Value: &value}}
}
