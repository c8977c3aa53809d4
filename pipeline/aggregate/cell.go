package aggregate

import (
	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

const (
	lineSlots = 8
	numLines  = int(measure.NumSlots) / lineSlots
)

// line is eight slots: one cache line.
type line [lineSlots]int64

// vector is a sparse vector of slots: indices of the lines in use.
type vector [numLines]uint32

// cell is one partial: one key, one window, one generation.
type cell struct {
	key      cellkey.ID
	grain    measure.Grain
	state    uint8 // rollup.Final, Late, Closed
	dirty    bool  // changed since its last flush
	listed   bool  // stands in the dirty list
	inflight uint16
	window   int64  // start, ms; 0 for a session
	gen      uint64 // log offset that opened it
	prev     uint32 // the closed generation before this one while it is not released, else void: see waits
	first    int64  // earliest event_ts of its own events, ms
	last     int64  // newest event_ts of its own events, ms
	own      int64  // receive time of the last event of its own, ms
	any      int64  // receive time of the last event that changed it, ms
	opened   int64  // sessions: watermark at the first event of its own, 0 before it; at least 1
	lateAt   int64  // sessions: watermark at the newest event that was older than the session gap, 0 without one
	due      int64  // a session's next check or the end of a window, ms of watermark
	value    vector
	pane     uint32 // 10 s cells: pending changes not yet folded, index into Aggregator.pend; 0 for none
}

// pending is what changed in a 10 s pane since the last fold, and the cells of the longer windows it folds into.
type pending struct {
	cell   uint32
	closes uint64 // Aggregator.closes when parents were looked up
	parent [measure.NumGrains]uint32
	opened int64 // watermark at the first event of its own since the last fold
	first  int64
	last   int64
	own    int64
	any    int64
	delta  vector
}

// cellID finds an open cell.
type cellID struct {
	key    cellkey.ID
	grain  measure.Grain
	window int64
}

func (a *Aggregator) addTo(v *vector, slot measure.Slot, delta int64) {
	i := &v[slot/lineSlots]
	if *i == 0 {
		*i = a.lines.Alloc()
	}
	a.lines.At(*i)[slot%lineSlots] += delta
}

func (a *Aggregator) freeVector(v *vector) {
	for k, i := range v {
		if i != 0 {
			a.lines.Free(i)
			v[k] = 0
		}
	}
}

// get is the value of a slot.
func (a *Aggregator) get(v *vector, slot measure.Slot) int64 {
	if i := v[slot/lineSlots]; i != 0 {
		return a.lines.At(i)[slot%lineSlots]
	}
	return 0
}

// touch notes that a cell changed: it must leave and be saved.
func (a *Aggregator) touch(i uint32, c *cell) {
	c.dirty = true
	if !c.listed {
		c.listed = true
		a.dirty = append(a.dirty, i)
	}
	a.saved.Mark(i)
}

// stragglersMS is how much longer a reopened window stays open, so that what else comes late shares its generation: a view lasts for minutes,
// and its thresholds and watch time belong to the window of its enter.
const stragglersMS = 300_000

// open makes a new generation of a window's partial at the current offset.
func (a *Aggregator) open(id cellID) uint32 {
	i := a.cells.Alloc()
	c := a.cells.At(i)
	c.key, c.grain, c.window, c.gen = id.key, id.grain, id.window, a.gen()
	c.prev = a.index.put(id, i)
	a.openCells++
	end := a.end(id)
	if id.grain != measure.GrainSession && end+a.lateness <= a.wm {
		c.state |= rollup.Final
		end = a.wm + stragglersMS
	}
	c.due = end + a.lateness
	if id.grain == measure.GrainSession {
		c.due = a.wm + a.gap
	}
	a.due.add(c.due, i)
	return i
}

// gen names a generation by the offset that opens it. Offset 0 is a control record, so 0 stays free.
func (a *Aggregator) gen() uint64 { return uint64(a.offset) }

// cellAt finds or opens the cell of a window.
func (a *Aggregator) cellAt(id cellID) uint32 {
	if i := a.index.get(id); i != 0 && a.cells.At(i).state&rollup.Closed == 0 {
		return i
	}
	return a.open(id)
}

func (c *cell) id() cellID { return cellID{c.key, c.grain, c.window} }

// waits says whether the generation before c is closed but not durable yet. Until it is, c's row stays here: the store folds closed generations
// and keeps the newest one it has folded, so one that came after a newer one was folded would be taken for a repetition and lost.
func (a *Aggregator) waits(c *cell) bool {
	if c.prev == 0 {
		return false
	}
	if p := a.cells.At(c.prev); p.gen < c.gen && p.id() == c.id() {
		return true
	}
	c.prev = 0 // released; its slot may hold another cell by now
	return false
}

// updated is the receive time that the row shows.
func (c *cell) updated() int64 {
	if c.own != 0 {
		return c.own
	}
	return c.any
}

// stamp takes the times of one change. Only an event's own window moves first and updated.
func (c *cell) stamp(first, last, own, any int64) {
	if first != 0 && (c.first == 0 || first < c.first) {
		c.first = first
	}
	c.last = max(c.last, last)
	c.own = max(c.own, own)
	c.any = max(c.any, any)
}
