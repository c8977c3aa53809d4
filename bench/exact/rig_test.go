package exact

import (
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/livemeter/livemeter/pipeline/collect"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/fused"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// rig is a collector and the tasks of all partitions, driven by drawn choices.
type rig struct {
	t       *rapid.T
	stage   *collect.Stage
	sources []*source
	logs    [][][]byte // by partition of the log
	gen     int32      // of the collectors' group
	tasks   []*chain
	store   *store
	replay  *source // raw.replay
	made    int     // how often the group was made again
	newest  int64   // receive time collected
}

// source is one source partition and how far the collector has come in it.
type source struct {
	id       eventlog.SourceID
	topic    event.Topic
	num      int
	records  []record
	at       int
	recv     int64
	replayed map[int64]bool // offsets
}

func newRig(t *rapid.T, records []record, split bool) *rig {
	parts := rapid.IntRange(1, 3).Draw(t, "partitions of the log")
	refusing := rapid.Bool().Draw(t, "an earlier version refuses some")
	stage, err := collect.NewStage(collect.Config{Key: make([]byte, 16), Partitions: parts, Now: func() int64 { return base + 1000*day }})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, stage: stage, store: newStore(parts), logs: make([][][]byte, parts), gen: 5}
	settings := eventlog.AppendSettings(nil, &eventlog.Settings{Partitions: uint16(parts), HorizonMS: 6 * hour, LatenessMS: minute, SessionGapMS: hour,
		DedupeMS: 10 * minute, Zone: "Asia/Shanghai", MaxCells: pick(t, "limit of cells", uint32(1<<20), 1<<20, 1, 20)})
	list := eventlog.Sources{}
	for n, topic := range topics {
		id := [16]byte{byte(n + 1)}
		list.Topics = append(list.Topics, eventlog.SourceTopic{Name: topic.name, Kind: event.Topic(n), ID: id, Partitions: topic.partitions})
		for p := range topic.partitions {
			s := &source{id: eventlog.SourceID{TopicID: id, Partition: p}, topic: event.Topic(n), replayed: map[int64]bool{}}
			s.num = stage.Source(s.id)
			for _, rec := range records {
				if rec.topic == topic.name && rec.partition == p {
					rec.refused = refusing && rapid.IntRange(0, 3).Draw(t, "refused") == 0 && event.NewDecoder().Decode(s.topic, rec.value, new(event.Event)).Reason == event.ReasonNone
					s.records = append(s.records, rec)
				}
			}
			r.sources = append(r.sources, s)
		}
	}
	r.replay = &source{id: eventlog.SourceID{TopicID: [16]byte{byte(len(topics) + 1)}}, topic: event.TopicReplay}
	r.replay.num = stage.Source(r.replay.id)
	r.sources = append(r.sources, r.replay)
	list.Topics = append(list.Topics, eventlog.SourceTopic{Name: "raw.replay", Kind: event.TopicReplay, ID: r.replay.id.TopicID, Partitions: 1})
	for p := range r.logs {
		r.logs[p] = [][]byte{settings, eventlog.AppendSources(nil, &list)}
		r.tasks = append(r.tasks, newChain(t, r.store, int32(p), split))
	}
	return r
}

// Sources that are read anew from where one likes, and replays of replays, must come to an end.
const (
	mostReplays   = 100
	mostMadeAgain = 20
)

// play takes the records in a drawn interleaving of their sources, and lets the tasks live through what is drawn.
func (r *rig) play() tables {
	free := rapid.Bool().Draw(r.t, "sources drift apart")
	for {
		s := r.next(free)
		if s == nil {
			break
		}
		r.collect(s)
		if n := len(r.replay.records); n > 0 && n < mostReplays && rapid.IntRange(0, 9).Draw(r.t, "replay again") == 0 {
			if again := r.replay.records[rapid.IntRange(0, n-1).Draw(r.t, "which")]; r.newest-again.recv < 7*day { // as long as rejects are kept
				r.replayed(again)
			}
		}
		switch rapid.IntRange(0, 5).Draw(r.t, "log") {
		case 0, 1, 2:
			r.seal()
		case 3:
			r.seal()
			r.progress(0)
		case 4:
			r.zombieCollector()
		}
		if r.made < mostMadeAgain && rapid.IntRange(0, 19).Draw(r.t, "group") == 0 {
			r.made++
			r.groupMadeAgain()
		}
		r.step()
	}
	r.seal()
	r.progress(pick(r.t, "end", 31*second, 2*hour, 2*day))
	for _, c := range r.tasks {
		c.finish(r.logs[c.part])
	}
	return r.store.read()
}

// next is the source to take from: the one with the oldest record, or any that has one.
func (r *rig) next(free bool) *source {
	var ready []*source
	for _, s := range r.sources {
		if s.at < len(s.records) {
			ready = append(ready, s)
		}
	}
	if len(ready) == 0 {
		return nil
	}
	if free {
		return rapid.SampledFrom(ready).Draw(r.t, "source")
	}
	return slices.MinFunc(ready, func(a, b *source) int { return int(a.records[a.at].recv - b.records[b.at].recv) })
}

func (r *rig) collect(s *source) {
	rec := s.records[s.at]
	s.at++
	s.recv = max(s.recv, rec.recv)
	r.newest = max(r.newest, rec.recv)
	in := collect.Record{Topic: s.topic, Source: s.num, Partition: rec.partition, Offset: rec.offset, Timestamp: rec.recv, Value: rec.value}
	if rec.refused {
		in.Refused = event.Verdict{Reason: event.BadEnum, Field: "kind"}
	}
	if rec.replays != nil {
		in.Topic, in.Original = rec.kind, rec.replays
	}
	r.stage.Add(&in)
	if rec.refused && !s.replayed[rec.offset] {
		s.replayed[rec.offset] = true
		rec.kind, rec.replays = s.topic, &eventlog.OriginalInput{Source: s.id, Offset: rec.offset, Topic: rec.topic, Reason: in.Refused.Reason}
		r.replayed(rec)
	}
}

// replayed sends a record to raw.replay and collects it at once: in order, else another copy might be the first.
func (r *rig) replayed(rec record) {
	rec.refused, rec.topic, rec.partition, rec.offset = false, "raw.replay", 0, int64(len(r.replay.records))
	r.replay.records = append(r.replay.records, rec)
	for r.replay.at < len(r.replay.records) {
		r.collect(r.replay)
	}
}

func (r *rig) seal() {
	for p := range r.logs {
		if b := r.stage.Writer(p).Seal(nil); b != nil {
			r.logs[p] = append(r.logs[p], b)
		}
	}
}

// progress claims for every source what the collector knows: up to its last record, or, where it is idle, up to before the next one.
func (r *rig) progress(beyond int64) {
	var pr eventlog.Progress
	for _, s := range r.sources {
		recv := s.recv
		switch {
		case s == r.replay: // it waits for nothing
			recv = r.lastRecv() + beyond
		case beyond != 0:
			recv = r.lastRecv() + beyond
		case s.at < len(s.records) && rapid.Bool().Draw(r.t, "idle"):
			recv = s.records[s.at].recv
		}
		pr.Items = append(pr.Items, eventlog.ProgressItem{Source: s.id, Generation: r.gen, Offset: int64(s.at) - 1, Recv: recv})
	}
	for p := range r.logs {
		r.logs[p] = append(r.logs[p], eventlog.AppendProgress(nil, &pr))
	}
}

func (r *rig) lastRecv() (last int64) {
	for _, s := range r.sources {
		last = max(last, s.recv)
	}
	return last
}

// zombieCollector sends an old record of the log again.
func (r *rig) zombieCollector() {
	p := rapid.IntRange(0, len(r.logs)-1).Draw(r.t, "zombie's partition")
	r.logs[p] = append(r.logs[p], r.logs[p][rapid.IntRange(0, len(r.logs[p])-1).Draw(r.t, "zombie's record")])
}

// groupMadeAgain lets the collectors begin anew with a group that knows no committed offsets of some of the sources.
func (r *rig) groupMadeAgain() {
	r.seal()
	r.gen = 1
	for _, s := range r.sources {
		if rapid.Bool().Draw(r.t, "expired") {
			s.at, s.recv = 0, 0
		}
	}
}

func (r *rig) step() {
	for _, c := range r.tasks {
		if rapid.Bool().Draw(r.t, "step") {
			c.run(r.logs[c.part])
		}
	}
	if rapid.IntRange(0, 7).Draw(r.t, "fold") == 0 {
		r.store.fold()
	}
}

// chain is the tasks of one partition: one, or enricher and aggregator with the topic between them.
type chain struct {
	part     int32
	enricher *life // nil in `run`
	rows     *life
	enriched [][]byte
}

func newChain(t *rapid.T, s *store, part int32, split bool) *chain {
	c := &chain{part: part, rows: &life{t: t, store: s, make: func() runtime.Task { return fused.NewRun(part, nil) }}}
	if split {
		c.enricher = &life{t: t, store: s, make: func() runtime.Task { return fused.NewEnricher(part, c) }}
		c.enricher.start()
		c.rows.make = func() runtime.Task { return fused.NewAggregator(part, nil) }
	}
	c.rows.start()
	return c
}

// Emit is the topic events.enriched.
func (c *chain) Emit(_ int32, value []byte) { c.enriched = append(c.enriched, value) }

func (c *chain) run(log [][]byte) {
	if c.enricher != nil {
		c.enricher.run(log)
		log = c.enriched
	}
	c.rows.run(log)
}

func (c *chain) finish(log [][]byte) {
	if c.enricher != nil {
		c.enricher.apply(log, len(log))
		log = c.enriched
	}
	c.rows.apply(log, len(log))
	for range 40 { // coarse rows leave with every fifth flush; a generation waits for the one before it
		c.rows.flush(stored)
		for c.rows.more {
			c.rows.flush(stored)
		}
	}
	c.rows.answer()
}

// life is one task through its crashes.
type life struct {
	t      *rapid.T
	store  *store
	make   func() runtime.Task
	task   runtime.Task
	next   int
	saved  map[string][]byte
	saving map[string][]byte // the checkpoint on its way, nil without
	later  func()            // the answer to a flush that is on its way
	more   bool              // that flush was a piece of a round
}

func (l *life) start() {
	l.task, l.later, l.saving = l.make(), nil, nil
	if rapid.Bool().Draw(l.t, "pieces") {
		l.task.(*fused.Task).Pieces(1, 1)
	}
	for k, v := range l.saved {
		if err := l.task.Restore([]byte(k), v); err != nil {
			l.t.Fatal(err)
		}
	}
	next, err := l.task.RestoreDone()
	if err != nil {
		l.t.Fatal(err)
	}
	l.next = int(next)
}

func (l *life) apply(log [][]byte, to int) {
	for ; l.next < to; l.next++ {
		if err := l.task.Apply(int64(l.next), log[l.next]); err != nil {
			l.t.Fatal(err)
		}
	}
}

// run applies some of what is there, with a flush, a checkpoint or a crash after it.
func (l *life) run(log [][]byte) {
	for l.next < len(log) {
		l.apply(log, min(len(log), l.next+rapid.IntRange(1, 4).Draw(l.t, "records")))
		if l.saving != nil {
			l.save(rapid.IntRange(0, 2).Draw(l.t, "parts"))
		}
		switch rapid.IntRange(0, 6).Draw(l.t, "life") {
		case 0, 1:
			l.flush(rapid.SampledFrom([]fate{stored, stored, unacknowledged, lost, torn}).Draw(l.t, "fate"))
		case 2, 3:
			l.checkpoint()
		case 4:
			l.crash()
		case 5:
			l.unanswered()
		default:
			return
		}
	}
}

// fate of a flush.
type fate int

const (
	stored         fate = iota
	unacknowledged      // stored, but the answer is lost
	lost
	torn // a part is stored
)

// answer lets the store answer the flush that is on its way. Before it the task is not asked for another.
func (l *life) answer() {
	if l.later != nil {
		l.later()
		l.later = nil
	}
}

func (l *life) flush(f fate) {
	l.answer()
	var b rollup.Batch
	token, more := l.task.Flush(&b, f != stored && rapid.Bool().Draw(l.t, "behind"))
	l.more = more
	l.later = func() { l.settle(&b, token, f) }
	if rapid.Bool().Draw(l.t, "answered at once") {
		l.answer()
	}
}

func (l *life) settle(bp *rollup.Batch, token uint64, f fate) {
	b := *bp
	switch f {
	case stored:
		l.store.write(&b, func() bool { return true })
		l.task.Ack(token)
		return
	case unacknowledged:
		l.store.write(&b, func() bool { return true })
	case torn:
		l.store.write(&b, func() bool { return rapid.Bool().Draw(l.t, "row") })
	}
	l.task.Nack(token)
}

// checkpoint begins one, which is saved in parts while life goes on, or all at once.
func (l *life) checkpoint() {
	l.save(1 << 30)
	l.task.Snapshot()
	l.saving = maps.Clone(l.saved)
	if l.saving == nil {
		l.saving = map[string][]byte{}
	}
	l.save(pick(l.t, "parts", 1<<30, 0, 0, 1, 2))
}

// save goes on with the checkpoint on its way, for some parts.
func (l *life) save(parts int) {
	for ; parts > 0 && l.saving != nil; parts-- {
		more := l.task.Save(func(k, v []byte) {
			if l.saving[string(k)] = v; v == nil {
				delete(l.saving, string(k))
			}
		})
		if !more {
			l.saved, l.saving = l.saving, nil
		}
	}
}

// unanswered saves while a flush is on its way, and ends before the store answers.
func (l *life) unanswered() {
	l.answer()
	var b rollup.Batch
	l.task.Flush(&b, rapid.Bool().Draw(l.t, "behind"))
	l.checkpoint()
	if rapid.Bool().Draw(l.t, "arrives") {
		l.store.write(&b, func() bool { return rapid.Bool().Draw(l.t, "row") })
	}
	l.start()
}

// crash loses what was not saved; the rows of a last flush may still arrive, as those of a zombie.
func (l *life) crash() {
	l.answer()
	var b rollup.Batch
	l.task.Flush(&b, false)
	l.start()
	if rapid.Bool().Draw(l.t, "zombie") {
		l.store.write(&b, func() bool { return rapid.Bool().Draw(l.t, "row") })
	}
}
