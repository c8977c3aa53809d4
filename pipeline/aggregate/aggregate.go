// Package aggregate adds up changes in event-time windows. Each partition keeps partials: one cell per key, window and generation.
// What a cell holds after an offset is a pure function of the log's prefix; when its row is sent is not, and changes nothing.
//
// A change lands in its 10 s pane and is folded into the minute, hour, day and session when rows leave or windows close, so that
// an event pays for one window and not for five.
package aggregate

import (
	"time"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/slab"
)

const (
	paneMS = 10_000
	hourMS = 3_600_000
	dayMS  = 24 * hourMS
)

// Aggregator is the state of one partition, owned by one goroutine.
type Aggregator struct {
	partition uint16
	keys      *cellkey.Table
	offset    int64 // newest applied
	started   bool
	wm        int64
	maxRecv   int64
	last      bool // every flush may be the last one

	settings *eventlog.Settings
	zone     *time.Location
	lateness int64
	gap      int64
	maxCells int
	ttl      [measure.NumGrains]int64 // ms, 0 for ever

	cells     slab.Slab[cell]
	lines     slab.Slab[line]
	pend      slab.Slab[pending]
	index     cellIndex
	recent    []keyCache // by key
	openCells int
	due       dueList
	closes    uint64   // cells closed so far: parents found before may be gone
	unfolded  []uint32 // pending
	near      []uint32 // scratch of warmUp
	warm      int64    // what warmUp loaded: keeps the loads from being removed
	dayStart  dayCache

	closedEarly uint64

	dirty    []uint32
	flushes  uint64
	turnedAt int64 // offset at the last coarse turn
	token    uint64
	flights  []flight
	orders   map[orderKey]*pendingOrder
	saved    slab.Dirty
}

// New returns the empty state of a partition.
func New(partition int32, keys *cellkey.Table) *Aggregator {
	a := &Aggregator{partition: uint16(partition), keys: keys, zone: time.UTC, orders: map[orderKey]*pendingOrder{}}
	a.index.cells = &a.cells
	a.cells.Init()
	a.pend.Init()
	a.lines.Init()
	return a
}

// Apply adds the changes of one record of the log.
func (a *Aggregator) Apply(r *change.Record) error {
	if r.Settings != nil && r.Settings != a.settings {
		if err := a.configure(r.Settings); err != nil {
			return err
		}
	}
	a.offset, a.maxRecv, a.started = r.Offset, r.MaxRecv, true
	a.warmUp(r.Changes)
	for i := range r.Changes {
		a.add(&r.Changes[i])
	}
	for i := range r.Orders {
		a.order(&r.Orders[i])
	}
	a.wm = r.Watermark
	a.closeDue()
	return nil
}

func (a *Aggregator) configure(s *eventlog.Settings) error {
	loc, err := time.LoadLocation(s.Zone)
	if err != nil {
		return err
	}
	a.settings, a.zone, a.dayStart = s, loc, dayCache{}
	a.lateness, a.gap, a.maxCells = s.LatenessMS, s.SessionGapMS, int(s.MaxCells)
	for g := range a.ttl {
		a.ttl[g] = int64(s.TTLDays[g]) * dayMS
	}
	return nil
}

// add applies one change: to its pane with a fold later on if it concerns the pane, else straight to the longer windows it names.
func (a *Aggregator) add(c *change.Change) {
	if c.Mask&change.PaneOnly == 0 || a.expired(measure.Grain10s, c.TS-c.TS%paneMS+paneMS) || a.final(c.TS) {
		a.direct(c)
		return
	}
	p := a.paneOf(c)
	first, last, own := ownTimes(c)
	if first != 0 && (p.first == 0 || first < p.first) {
		p.first = first
	}
	if first != 0 && p.opened == 0 {
		p.opened = max(1, a.wm)
	}
	p.last, p.own, p.any = max(p.last, last), max(p.own, own), max(p.any, c.Recv)
	if c.Flags&change.Distinct == 0 {
		a.addTo(&p.delta, c.Slot, c.Delta)
		return
	}
	for g, m := measure.Slot(0), c.Mask; m != 0; g, m = g+1, m>>1 {
		if m&1 != 0 {
			a.addTo(&p.delta, c.Slot+g, c.Delta)
		}
	}
}

func ownTimes(c *change.Change) (first, last, own int64) {
	if c.Flags&change.Own == 0 {
		return 0, 0, 0
	}
	if c.Mask != change.AllGrains { // a distinct window's time stands for the window, not for an event
		return 0, 0, c.Recv
	}
	return c.TS, c.TS, c.Recv
}

// final says whether the pane that contains ts has been final before this record: then the change opens or joins a generation
// in every window at once, and a pane of fresh generations is not worth a fold.
func (a *Aggregator) final(ts int64) bool { return ts-ts%paneMS+paneMS+a.lateness <= a.wm }

// direct applies a change to each window it names.
func (a *Aggregator) direct(c *change.Change) {
	first, last, own := ownTimes(c)
	for g := measure.Grain10s; g < measure.NumGrains; g++ {
		if c.Mask>>g&1 == 0 {
			continue
		}
		id := cellID{c.Key, g, a.window(g, c.TS)}
		if a.expired(g, a.end(id)) && a.keys.Key(c.Key).Cube != cellkey.Outcomes { // of the ledger no record drops out
			continue
		}
		i := a.cellAt(id)
		cell := a.cells.At(i)
		slot := c.Slot
		if c.Flags&change.Distinct != 0 {
			slot += measure.Slot(g)
		}
		a.addTo(&cell.value, slot, c.Delta)
		cell.stamp(first, last, own, c.Recv)
		switch {
		case g == measure.GrainSession:
			a.run(cell, first)
		case cell.state&rollup.Final != 0 && (c.Flags&change.Own != 0 || c.Slot == measure.Online):
			cell.state |= rollup.Late // on-time events change no final pane's online: they light panes to come
		}
		a.touch(i, cell)
	}
}

// paneOf returns the pending changes of the pane of a change, with cells for it and for the windows it folds into.
func (a *Aggregator) paneOf(c *change.Change) *pending {
	window := c.TS - c.TS%paneMS
	cache := a.cacheOf(c.Key)
	i := a.cached(&cache.pane[window/paneMS%4], cellID{c.Key, measure.Grain10s, window})
	cl := a.cells.At(i)
	if cl.pane == 0 {
		cl.pane = a.pend.Alloc()
		a.unfolded = append(a.unfolded, cl.pane)
		p := a.pend.At(cl.pane)
		p.cell, p.closes = i, a.closes+1
	}
	p := a.pend.At(cl.pane)
	// A parent exists from the change on that needs it, so that its generation does not depend on when the fold happens.
	if p.closes != a.closes && c.Mask&^change.PaneOnly != 0 {
		p.closes = a.closes
		for g := measure.Grain1m; g < measure.NumGrains; g++ {
			id := cellID{c.Key, g, a.window(g, window)}
			p.parent[g] = 0
			if !a.expired(g, a.end(id)) {
				p.parent[g] = a.cached(&cache.parent[g], id)
			}
		}
	}
	return p
}

// keyCache is where a key's cells were found last: its newest panes, and the window of each longer grain. An entry is a guess that
// the cell itself confirms.
type keyCache struct {
	pane   [4]uint32
	parent [measure.NumGrains]uint32
}

func (a *Aggregator) cacheOf(key cellkey.ID) *keyCache {
	if int(key) >= len(a.recent) {
		a.recent = append(a.recent, make([]keyCache, int(key)+256+len(a.recent)/4-len(a.recent))...)
	}
	return &a.recent[key]
}

// cached is cellAt with a guess.
func (a *Aggregator) cached(guess *uint32, id cellID) uint32 {
	if i := *guess; i != 0 {
		if c := a.cells.At(i); c.key == id.key && c.window == id.window && c.grain == id.grain && c.state&rollup.Closed == 0 {
			return i
		}
	}
	i := a.cellAt(id)
	*guess = i
	return i
}

// fold moves all pending changes into their cells. It may run at any time: the cells are there already, and sums don't mind.
func (a *Aggregator) fold() {
	for _, n := range a.unfolded {
		p := a.pend.At(n)
		a.foldInto(p.cell, p)
		for g := measure.Grain1m; g < measure.NumGrains; g++ {
			if p.parent[g] != 0 {
				a.foldInto(p.parent[g], p)
			}
		}
		a.cells.At(p.cell).pane = 0
		a.freeVector(&p.delta)
		a.pend.Free(n)
	}
	a.unfolded = a.unfolded[:0]
}

func (a *Aggregator) foldInto(i uint32, p *pending) {
	c := a.cells.At(i)
	moved := false
	for k, from := range p.delta {
		if from == 0 {
			continue
		}
		src := a.lines.At(from)
		skip := -1
		if c.grain != measure.Grain10s && k == int(measure.Online)/lineSlots {
			if skip = int(measure.Online) % lineSlots; onlyAt(src, skip) {
				continue // online is not additive over time
			}
		}
		if c.value[k] == 0 {
			c.value[k] = a.lines.Alloc()
			src = a.lines.At(from)
		}
		dst := a.lines.At(c.value[k])
		for s := range dst {
			if s != skip {
				dst[s] += src[s]
			}
		}
		moved = true
	}
	if moved {
		c.stamp(p.first, p.last, p.own, p.any)
		if p.opened != 0 && (c.opened == 0 || p.opened < c.opened) { // a late event may have come to the cell before the fold
			c.opened = p.opened
		}
		a.touch(i, c)
	}
}

func onlyAt(l *line, slot int) bool {
	for s, v := range l {
		if v != 0 && s != slot {
			return false
		}
	}
	return true
}
