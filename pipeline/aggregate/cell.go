package aggregate

import (
	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

const (
	countsBit  = rollup.Counts
	lateBit    = rollup.Late
	closedBit  = rollup.Closed
	lateDayBit = rollup.LateDay
	hastyBit   = 128 // minutes, of the state alone: a row has left with panes that had not begun
)

// cell is one partial: one key, one minute or hour, one generation. It is two cache lines; what every change reads and writes stands in the first.
type cell struct {
	key      cellkey.ID
	grain    measure.Grain // 1m or 1h
	state    uint8         // of rollup's bits, and hastyBit
	dirty    bool          // changed since its last flush
	listed   bool          // stands in the dirty list, or in the round's
	reopened bool          // opened after its window was final
	inflight uint8
	ahead    uint8                          // minutes: the first pane, from 1, that had not begun when the row left without it; 0 if none waits, or the minute has changed since
	next     uint32                         // minutes: the next of their hour's
	window   int64                          // start, ms
	sums     [measure.PanesPerMinute]uint32 // minutes: of their panes, 0 before the first change; hours: the first is of what they have taken in
	updated  received
	until    int64 // when the session's gap ends after its own events, ms: by the gap of when they came

	first   int64   // earliest event_ts of its own events, ms
	gen     uint64  // log offset that opened it
	opened  int64   // watermark at the first event of its own, 0 before it; at least 1
	lateAt  int64   // watermark at the newest event that was older than the session gap, 0 without one
	since   int64   // watermark at the first change that its row has not left with
	due     uint32  // when it is to close, s of watermark
	hour    uint32  // minutes: the hour's cell that takes them in, 0 before the first change that concerns it
	prev    uint32  // the closed generation before this one while it is not released, else 0: see waits
	minutes uint32  // hours: the open minutes that it has not taken in, a list
	_       [8]byte // up to two cache lines
}

// cellID finds an open cell.
type cellID struct {
	key    cellkey.ID
	grain  measure.Grain
	window int64
}

func (c *cell) id() cellID { return cellID{c.key, c.grain, c.window} }

func (c *cell) end() int64 {
	if c.grain == measure.Grain1m {
		return c.window + minuteMS
	}
	return c.window + hourMS
}

// eventTime is that of the event behind a change, in whose own window it is; 0 where the change's time stands for windows, or for a view's enter.
func eventTime(c *change.Change) int64 {
	if c.Flags&change.Own == 0 || c.Mask != change.AllGrains {
		return 0
	}
	return c.TS
}

// received is the receive time of the newest event of a window's own, ms. While it has none, it is that of the newest event that changed it, negated.
type received int64

func receivedOf(c *change.Change) received {
	if c.Flags&change.Own == 0 {
		return -received(c.Recv)
	}
	return received(c.Recv)
}

// with is the newest of both.
func (r received) with(s received) received {
	if r > 0 || s > 0 {
		return max(r, s)
	}
	return min(r, s)
}

// stamp takes the times of one change: eventTime and receivedOf.
func (c *cell) stamp(first int64, r received) {
	if first != 0 && (c.first == 0 || first < c.first) {
		c.first = first
	}
	c.updated = c.updated.with(r)
}

// touch comes before a cell changes: it must leave and be saved.
func (a *Aggregator) touch(i uint32, c *cell) {
	a.unsaved.Mark(i)
	if !c.dirty {
		c.since = a.wm
	}
	c.dirty, c.ahead = true, 0
	if !c.listed {
		c.listed = true
		a.dirty = append(a.dirty, i)
	}
}

// release gives a cell's memory back. It has been marked.
func (a *Aggregator) release(i uint32, c *cell) {
	a.index.remove(c.id(), i)
	for _, n := range c.sums {
		if n != 0 {
			a.free(n)
		}
	}
	a.cells.Free(i)
}
