package runtime

import (
	"errors"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// Task is the state machine of one partition: what it holds is a pure function of the records applied so far. A Task is owned by one goroutine.
type Task interface {
	// Apply consumes the record at offset of the task's input topic. value is valid only during the call. An error is fatal for the
	// partition: the record is not understood (written by a newer version) or the log is damaged.
	Apply(offset int64, value []byte) error

	// Isolate is Apply for a record over which that panicked in a former life: entry by entry, to find the one that does it. With a Poison the task is of no
	// use any more. It panics itself where no single entry does.
	Isolate(offset int64, value []byte) (*Poison, error)
	// Skip makes an entry of a record to come invalid, reason internal, instead of applying it.
	Skip(offset int64, entry int)

	// Flush appends to b the rows that changed since they were last flushed, all at the current offset. With behind, only rows that have
	// reached their end leave. It returns a token for Ack; the batch is the caller's and shares no memory that Apply changes. more: there were too
	// many, and the others leave with the next flush, which should follow at once.
	Flush(b *rollup.Batch, behind bool) (token uint64, more bool)
	// Last makes the flushes that follow send all that changed, whatever waits for its turn otherwise: the task is about to end.
	Last()
	// Ack says that all rows of the flush with this token, and of those before it, are durable. Nack returns them to the dirty set.
	Ack(token uint64)
	Nack(token uint64)

	// Snapshot begins to save the state that changed since it was called last, and the consumed offset (key "offset"): as they are now, whatever is
	// called until Save has emitted all of it. The one before must be over.
	Snapshot()
	// Save emits the next changelog records of the snapshot, as many as take well below a millisecond; a nil value deletes. Keys and values are the
	// receiver's. more: there are others.
	Save(emit func(key, value []byte)) (more bool)
	// Restore takes one live changelog record: each key once, with its newest value, in any order. It keeps neither. RestoreDone is called
	// after the last one and returns the offset to go on from (0 when the changelog was empty).
	Restore(key, value []byte) error
	RestoreDone() (next int64, err error)
	// Stored is called after that, with the offset in the log of events up to which the store has rows of the partition: 0 without rows, or without a store
	// that can be asked. anew: it has taken another's place, or is an older copy of itself, and what the task holds is to be sent to it whether it was before
	// or not.
	Stored(offset int64, anew bool)

	// Stats of now.
	Stats() Stats
}

// ErrOtherLife is what Apply wraps where a record is one of a state that the rows up to now are not of, or not from its beginning on: it can only be
// counted again from there.
var ErrOtherLife = errors.New("not of the state that the rows are of")

// Stats are the numbers of one task. Most are for metrics; MaxRecv and the cells say whether the partition is behind or full, and by Acknowledged a store
// that has less is refused, and what Waits is not drained, nor ready for long; what is Unfinished is not drained.
type Stats struct {
	Watermark     int64 // ms, 0 while unknown
	MaxRecv       int64 // highest receive time applied, ms
	Acknowledged  int64 // offset up to which the sink has said that it has the rows, 0 before it has
	Viewers       int
	Cells         int  // open ones
	Waits         bool // what came last was not taken: it does not follow, and what is missing is to be sent again
	Unfinished    bool // a record has come in part: the rest of it, or all of it again, is to come
	DirtyCells    int  // changed and not sent, with all orders that the sink has not acknowledged
	FlyingCells   int  // sent, and not acknowledged
	DedupeEntries int
	Keys          int    // cell keys in use: rooms, products, sources, variants
	MaxCells      int    // the log's limit of cells, 0 while unknown
	ClosedEarly   uint64 // cells closed because of it
	Accepted      uint64
	Duplicate     uint64
	Invalid       [event.NumReasons]uint64
	Replayed      uint64 // events dropped by provenance
	Late          uint64 // events beyond the horizon
	Records       uint64 // of the log, applied
}

// unacknowledged are the cells and orders whose last value the sink does not have for certain; one that changed again on its way counts twice.
func (s *Stats) unacknowledged() int { return s.DirtyCells + s.FlyingCells }

// Output takes what a task sends to the next hop (events.enriched); nil in `run`.
type Output interface {
	// Emit hands over one record for the same partition number of the next topic; value is the receiver's.
	Emit(partition int32, value []byte)
}
