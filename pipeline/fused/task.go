// Package fused wires the stages into partition tasks: enricher and aggregator in one call for `run`, or each alone, joined by the topic
// `events.enriched`. It is the same stage code either way.
package fused

import (
	"encoding/binary"
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
)

// keyOffset is the changelog record that holds the next offset to read, and where in `events` the state begins.
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
	saving    int64 // where to go on from, when the snapshot on its way began: next, or the first chunk of what is not whole yet
	savingOf  int64 // began, at that time
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
	return &Task{partition: partition, began: -1, keys: cellkey.NewTable(), chunks: newChunks(), enriched: enrichedChunks{limit: maxEnriched}}
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
	t.next = offset + 1
	t.records++
	if t.enricher == nil {
		return t.applyEnriched(offset, value)
	}
	if t.began < 0 {
		t.began = offset
	}
	rec, err := t.enricher.Apply(offset, value)
	if err != nil {
		return err
	}
	if t.agg != nil {
		return t.agg.Apply(rec)
	}
	rec.Began = t.began
	// A restarted enricher sends the settings again: its reader may have missed none, but it can't know.
	t.enriched.cut(rec.Offset, t.enc.Encode(rec, t.keys, rec.Settings != t.sent), func(value []byte) { t.out.Emit(t.partition, value) })
	t.sent = rec.Settings
	return nil
}

// applyEnriched drops what a restarted or paused enricher sends again: its provenance is the offset in `events`.
func (t *Task) applyEnriched(offset int64, value []byte) error {
	applied := func(offset int64) bool { return t.began >= 0 && offset <= t.agg.Offset() }
	whole, err := t.enriched.join(offset, value, applied)
	if err == nil && whole == nil {
		return nil
	}
	if err == nil {
		err = t.dec.Decode(whole, &t.rec, t.keys)
	}
	if err == nil {
		err = t.sameLife(&t.rec)
	}
	if err != nil {
		return fmt.Errorf("events.enriched partition %d offset %d: %w", t.partition, offset, err)
	}
	if applied(t.rec.Offset) {
		return nil
	}
	t.began = t.rec.Began
	err = t.agg.Apply(&t.rec)
	t.enriched.drop(applied)
	return err
}

// sameLife holds an aggregator to one enricher's state from its beginning on: a record says what is different from those before, and an enricher that
// has lost its state counts again what it finds.
func (t *Task) sameLife(rec *change.Record) error {
	const anew = "To count again what the log still holds: with all services stopped delete events.enriched and the changelogs of enricher and aggregator, and start with an empty database and --clickhouse-take-over"
	switch {
	case t.began >= 0 && rec.Began != t.began:
		return fmt.Errorf("an enricher whose state begins at offset %d of events sent it, and the rows up to now are of one that began at %d: the enricher's state was lost, and what it counts again would be added to them. "+
			"Give it its changelog back. %s", rec.Began, t.began, anew)
	case t.began < 0 && rec.Offset != rec.Began:
		return fmt.Errorf("nothing is saved, and this record, of offset %d of events, is not the first of its enricher, whose state begins at %d. %s", rec.Offset, rec.Began, anew)
	case t.began < 0 && rec.Began > 0 && t.stored > 0:
		return fmt.Errorf("nothing is saved, this first record is that of offset %d of events, and the database has rows of them: what is counted again would be added. "+
			"Give the aggregator its changelog back. %s", rec.Offset, anew)
	}
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
	t.saving, t.savingOf = t.enriched.from(t.next), t.began
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
	emit([]byte(keyOffset), binary.AppendVarint(binary.AppendVarint(nil, t.saving), t.savingOf))
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
		var n int
		t.next, n = binary.Varint(value)
		t.began, _ = binary.Varint(value[max(n, 0):])
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
		t.enricher.Restored()
	}
	if t.agg != nil {
		t.agg.Restored()
	}
	return t.next, nil
}

// Stats are the task's numbers: see runtime.Stats for what is decided by them.
func (t *Task) Stats() runtime.Stats {
	s := runtime.Stats{Records: t.records, Keys: t.keys.Len()}
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
