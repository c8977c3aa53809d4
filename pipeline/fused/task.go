// Package fused wires the stages into partition tasks: enricher and aggregator in one call for `run`, or each alone, joined by the topic
// `events.enriched`. It is the same stage code either way.
package fused

import (
	"errors"
	"fmt"
	goruntime "runtime"

	"github.com/livemeter/livemeter/pipeline/aggregate"
	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/enrich"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/runtime"
	"github.com/livemeter/livemeter/pipeline/wire"
)

// keyOffset is the changelog record that holds the next offset to read, where in `events` the state begins and, of an aggregator, up to where it has come there.
const keyOffset = "offset"

// Task is a partition's state machine. Either stage may be absent, but not both. Methods that follow pointers into slabs keep the task reachable
// to their end, and the slabs with it: see slab.Slab.At.
type Task struct {
	partition int32
	keys      *cellkey.Table
	enricher  *enrich.Enricher      // nil in the aggregator service
	agg       *aggregate.Aggregator // nil in the enricher service
	out       runtime.Output        // the enricher service's
	next      int64
	began     int64 // offset in `events` of the first record that the state is made of, -1 before it
	hole      int64 // the aggregator service's: offset of the first record, or chunk of one, that does not follow, -1 while all do; those before it are to come again
	after     int64 // the aggregator service's: offset in `events` after the last record that it has applied
	saving    int64 // where to go on from, when the snapshot on its way began: next, or the first of what is not whole yet or does not follow
	savingOf  int64 // began, at that time
	savingTo  int64 // after, at that time
	chunks    chunks
	enriched  enrichedChunks
	enc       change.Encoder
	dec       change.Decoder
	rec       change.Record
	stored    int64 // see Stored
	sent      *eventlog.Settings
	records   uint64
}

func newTask(partition int32) *Task {
	return &Task{partition: partition, began: -1, hole: -1, keys: cellkey.NewTable(), chunks: newChunks(), enriched: enrichedChunks{limit: maxEnriched}}
}

// NewRun is the task of `run`: events in, rows out.
func NewRun(partition int32, _ runtime.Output) runtime.Task {
	t := newTask(partition)
	t.enricher, t.agg = enrich.New(partition, t.keys), aggregate.New(partition, t.keys)
	return t
}

// NewEnricher is the task of the enricher service: events in, `events.enriched` out.
func NewEnricher(partition int32, out runtime.Output) runtime.Task {
	t := newTask(partition)
	t.enricher, t.out = enrich.New(partition, t.keys), out
	return t
}

// NewAggregator is the task of the aggregator service: `events.enriched` in, rows out.
func NewAggregator(partition int32, _ runtime.Output) runtime.Task {
	t := newTask(partition)
	t.agg = aggregate.New(partition, t.keys)
	return t
}

// Apply consumes one record of the task's input topic.
func (t *Task) Apply(offset int64, value []byte) error {
	defer goruntime.KeepAlive(t)
	from := t.next
	t.next = offset + 1
	t.records++
	if t.enricher == nil {
		return t.applyEnriched(offset, value)
	}
	if t.began < 0 {
		t.began, from = offset, offset
	}
	rec, err := t.enricher.Apply(offset, value)
	if err != nil {
		return err
	}
	if t.agg != nil {
		return t.agg.Apply(rec)
	}
	rec.From, rec.Began = from, t.began
	// A restarted enricher sends the settings again: its reader may have missed none, but it can't know.
	t.enriched.cut(rec.Offset, t.enc.Encode(rec, t.keys, rec.Settings != t.sent), func(value []byte) { t.out.Emit(t.partition, value) })
	t.sent = rec.Settings
	return nil
}

// Stored keeps an aggregator from adding what an enricher makes of a log whose beginning is gone to rows that the store has, and sends anew what it holds.
func (t *Task) Stored(offset int64, anew bool) {
	defer goruntime.KeepAlive(t)
	t.stored = offset
	if anew && t.agg != nil {
		t.agg.Anew()
	}
}

// Flush, Ack and Nack are the aggregator's.
func (t *Task) Flush(b *rollup.Batch, behind bool) (token uint64, more bool) {
	defer goruntime.KeepAlive(t)
	if t.agg == nil {
		return 0, false
	}
	return t.agg.Flush(b, behind)
}

// Pieces is the aggregator's.
func (t *Task) Pieces(whole, rows int) {
	if t.agg != nil {
		t.agg.Pieces(whole, rows)
	}
}

// Last makes the next flush send all.
func (t *Task) Last() {
	if t.agg != nil {
		t.agg.Last()
	}
}

func (t *Task) Ack(token uint64) {
	defer goruntime.KeepAlive(t)
	if t.agg != nil {
		t.agg.Ack(token)
	}
}

func (t *Task) Nack(token uint64) {
	defer goruntime.KeepAlive(t)
	if t.agg != nil {
		t.agg.Nack(token)
	}
}

// Snapshot begins to save all state that changed, and the offset to go on from: as they are now, which must stand in one transaction.
func (t *Task) Snapshot() {
	defer goruntime.KeepAlive(t)
	t.saving, t.savingOf, t.savingTo = t.enriched.from(t.next), t.began, t.after
	if t.hole >= 0 {
		t.saving = min(t.saving, t.hole)
	}
	t.keys.Snapshot()
	if t.enricher != nil {
		t.enricher.Snapshot()
	}
	if t.agg != nil {
		t.agg.Snapshot()
	}
}

// Save emits the snapshot's next part: false with the last one.
func (t *Task) Save(emit func(key, value []byte)) (more bool) {
	defer goruntime.KeepAlive(t)
	emit = t.chunks.cut(emit)
	if t.keys.Save(emit) || t.enricher != nil && t.enricher.Save(emit) || t.agg != nil && t.agg.Save(emit) {
		return true
	}
	var w wire.Writer
	w.Int(t.saving)
	w.Int(t.savingOf)
	w.Int(t.savingTo)
	emit([]byte(keyOffset), w.Buf)
	if t.keys.Due() { // what is to be saved names its keys
		t.sweepKeys()
	}
	return false
}

// sweepKeys frees the keys and strings that no state refers to any more. Which number a key has shows in no row, so when it happens is of no
// consequence.
func (t *Task) sweepKeys() { t.keys.Sweep(t.markKeys) }

func (t *Task) markKeys(m *cellkey.Marks) {
	if t.enricher != nil {
		t.enricher.MarkKeys(m)
	}
	if t.agg != nil {
		t.agg.MarkKeys(m)
	}
}

// Restore takes one live changelog record of an empty task: each key once, with its newest value, in any order. It keeps neither.
// What was cut waits for RestoreDone.
func (t *Task) Restore(key, value []byte) (err error) {
	defer goruntime.KeepAlive(t)
	switch {
	case len(value) == 0: // deleted
	case len(key) > 0 && key[0] == keyChunk:
		t.chunks.keep(key, value)
	case string(key) == keyOffset:
		err = t.restoreOffset(value)
	case cellkey.Owns(key):
		err = t.keys.Restore(key, value)
	case enrich.Owns(key) && t.enricher != nil:
		err = t.enricher.Restore(key, value)
	case aggregate.Owns(key) && t.agg != nil:
		err = t.agg.Restore(key, value)
	default:
		err = errors.New("not known to this service: is the changelog another service's?")
	}
	if err != nil {
		return fmt.Errorf("changelog of partition %d, record %q: %w", t.partition, key, err)
	}
	return nil
}

func (t *Task) restoreOffset(value []byte) error {
	var r wire.Reader
	r.Reset(value)
	t.next, t.began, t.after = r.Int(), r.Int(), r.Int()
	return r.Err()
}

// RestoreDone decodes what came in chunks, rebuilds what is derived, and returns the offset to go on from.
func (t *Task) RestoreDone() (int64, error) {
	defer goruntime.KeepAlive(t)
	whole, err := t.chunks.join()
	if err != nil {
		return 0, fmt.Errorf("changelog of partition %d: %w", t.partition, err)
	}
	for key, value := range whole {
		if err := t.Restore([]byte(key), value); err != nil {
			return 0, err
		}
	}
	if err := t.keys.Restored(t.markKeys); err != nil {
		return 0, fmt.Errorf("changelog of partition %d: %w", t.partition, err)
	}
	if t.enricher != nil {
		t.enricher.Restored(t.began)
	}
	if t.agg != nil {
		t.agg.Restored()
	}
	return t.next, nil
}

// Stats are the task's numbers: see runtime.Stats for what is decided by them.
func (t *Task) Stats() runtime.Stats {
	s := runtime.Stats{Records: t.records, Keys: t.keys.Len(), Waits: t.hole >= 0, Unfinished: len(t.enriched.parts) > 0}
	if e := t.enricher; e != nil {
		s.Watermark, s.MaxRecv = e.Clock()
		s.Viewers, s.DedupeEntries = e.Held()
		s.Accepted, s.Duplicate, s.Replayed, s.Late = e.Stats.Accepted, e.Stats.Duplicate, e.Stats.Replayed, e.Stats.Late
		s.Invalid = e.Stats.Invalid
	}
	if t.agg != nil {
		s.Cells, s.DirtyCells, s.FlyingCells = t.agg.Stats()
		s.MaxCells, s.ClosedEarly = t.agg.Limit()
		s.Watermark, s.MaxRecv = t.agg.Clock()
		s.Acknowledged = t.agg.Acknowledged()
	}
	return s
}
