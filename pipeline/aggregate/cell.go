package aggregate

import (
	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

const (
	lateBit    = rollup.Late
	closedBit  = rollup.Closed
	lateDayBit = rollup.LateDay
)

// cell is one partial: one key, one minute or hour, one generation. It is two cache lines; what every change reads and writes stands in the first.
type cell struct {
	key      cellkey.ID
	grain    measure.Grain // 1m or 1h
	state    uint8         // rollup.Late, Closed, LateDay
	dirty    bool          // changed since its last flush
	listed   bool          // stands in the dirty list
	quiet    bool          // dirty only because its row left without the panes from ahead on
	owes     bool          // minutes: changed since the hour's last row
	reopened bool          // opened after its window was final
	inflight uint16
	body     uint32 // minutes: index of their panes; hours: of the sum of what they have taken in
	hour     uint32 // minutes: the hour's cell that takes them in, 0 before the first change that concerns it
	window   int64  // start, ms
	gen      uint64 // log offset that opened it
	first    int64  // earliest event_ts of its own events, ms
	last     int64  // newest event_ts of its own events, ms
	own      int64  // receive time of the last event of its own, ms

	any     int64  // receive time of the last event that changed it, ms
	opened  int64  // watermark at the first event of its own, 0 before it; at least 1
	lateAt  int64  // watermark at the newest event that was older than the session gap, 0 without one
	due     int64  // when it is to close, ms of watermark
	ahead   int64  // minutes: start of the first pane that its row left out, because it has not begun
	since   int64  // watermark at the first change that its row has not left with
	prev    uint32 // the closed generation before this one while it is not released, else 0: see waits
	minutes uint32 // hours: the open minutes that it has not taken in, a list
	next    uint32 // minutes: the next in that list
	_       [4]byte
}

// pane is 10 s of a minute.
type pane struct {
	own   int64  // receive time of the last event of its own, ms
	any   int64  // receive time of the last event that changed it, ms
	sum   uint32 // 0 before the first change
	shown bool   // it is a window: something but the counts of longer windows changed in it
	late  bool   // it changed after it was final
}

type minutePanes [measure.PanesPerMinute]pane

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

// times of a change: those of an event of its own.
type times struct{ first, own int64 }

func timesOf(c *change.Change) times {
	switch {
	case c.Flags&change.Own == 0:
		return times{}
	case c.Mask != change.AllGrains: // the time of a distinct count stands for its windows, not for an event
		return times{own: c.Recv}
	}
	return times{first: c.TS, own: c.Recv}
}

// stamp takes the times of one change.
func (c *cell) stamp(t times, any int64) {
	if t.first != 0 && (c.first == 0 || t.first < c.first) {
		c.first = t.first
	}
	c.last = max(c.last, t.first)
	c.own = max(c.own, t.own)
	c.any = max(c.any, any)
}

// touch notes that a cell changed: it must leave and be saved.
func (a *Aggregator) touch(i uint32, c *cell) {
	if !c.dirty {
		c.since = a.wm
	}
	c.dirty, c.quiet = true, false
	if !c.listed {
		c.listed = true
		a.dirty = append(a.dirty, i)
	}
	a.saved.Mark(i)
}

// updated is the receive time that a row shows.
func updated(own, any int64) int64 {
	if own != 0 {
		return own
	}
	return any
}

// release gives a cell's memory back.
func (a *Aggregator) release(i uint32, c *cell) {
	a.index.remove(c.id(), i)
	if c.grain == measure.Grain1m {
		panes := a.panes.At(c.body)
		for p := range panes {
			if panes[p].sum != 0 {
				a.free(panes[p].sum)
			}
		}
		a.panes.Free(c.body)
	} else {
		a.free(c.body)
	}
	a.cells.Free(i)
}
