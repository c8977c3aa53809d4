// Package aggregate adds up changes in event-time windows. Each partition keeps partials: one cell per key, window and generation, of minutes
// and of hours. What a cell holds after an offset is a pure function of the log's prefix; when its row is sent is not, and changes nothing.
//
// A change is added once, in its 10 s pane, which stands in its minute's cell. A minute is the sum of its panes, an hour of its minutes: it takes
// them in when they close. Its row leaves when it is final, and reads those that stragglers keep open. Until then the store adds up minutes, and for days
// and sessions both; what only counts once in them (a viewer's first event of the day) has slots of its own.
package aggregate

import (
	"errors"
	"time"

	"github.com/livemeter/livemeter/pipeline/bucket"
	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/slab"
	"github.com/livemeter/livemeter/pipeline/wire"
)

const (
	paneMS   = measure.PaneMS
	minuteMS = measure.MinuteMS
	hourMS   = measure.HourMS
	dayMS    = measure.DayMS
)

// Aggregator is the state of one partition, owned by one goroutine.
type Aggregator struct {
	partition uint16
	keys      *cellkey.Table
	offset    int64 // newest applied
	wm        int64
	maxRecv   int64
	final     finality
	finalEnd  int64 // up to which end windows are final now
	last      bool  // every flush may be the last one
	anew      bool  // all that is held has not left yet: see Anew

	settings  *eventlog.Settings
	days      measure.Days
	gap       int64
	maxCells  int
	paneTTL   int64 // ms, 0 for ever
	minuteTTL int64
	hourTTL   int64

	cells     slab.Slab[cell]
	sums      slab.Slab[sparse] // of panes and of hours
	lines     slab.Slab[line]   // of wide sums
	index     cellIndex
	recent    []keyCache // by key
	openCells int
	due       dueList
	near      []nearby // scratch of warmUp
	warm      int64    // what warmUp loaded: keeps the loads from being removed

	closedEarly uint64

	dirty                 []uint32
	leaving               []uint32 // scratch of Flush
	sum                   stamped  // scratch of row
	pane                  total    // scratch of paneEntries
	flushes               uint64
	round                 round
	wholeRound, pieceRows int
	turnedAt              int64                              // offset at the last coarse turn
	turned                [measure.NumCubes][slowParts]int64 // watermark up to which the rows of a cube's part have left
	told                  told                               // with the watermark that was sent last
	untold                bool                               // the store may not have it: the next flush tells it again
	token                 uint64
	flights               []flight
	orders                map[orderKey]*pendingOrder
	unsaved               bucket.Set
	stepping              bool
	atChange, atOrder     int                  // what is being applied, while stepping
	Fault                 func(*change.Change) // tests make a change panic with it, when it is added
	meta, metaOrders      []byte               // of the snapshot on its way
	packing               wire.Writer          // scratch of Save
}

// New returns the empty state of a partition.
func New(partition int32, keys *cellkey.Table) *Aggregator {
	a := &Aggregator{partition: uint16(partition), keys: keys, days: measure.DaysOf(time.UTC), orders: map[orderKey]*pendingOrder{}, wholeRound: wholeRound, pieceRows: pieceRows}
	a.index.cells = &a.cells
	a.cells.Init()
	a.sums.Init()
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
	if a.settings == nil {
		if len(r.Changes)+len(r.Orders) > 0 {
			return errors.New("changes before the settings: the enricher tells them first")
		}
		return nil
	}
	a.offset, a.maxRecv = r.Offset, r.MaxRecv
	if a.stepping {
		a.addSingly(r)
	} else {
		a.addRecord(r)
	}
	a.wm = r.Watermark
	a.finalEnd = a.final.end(a.wm)
	a.closeDue()
	return nil
}

func (a *Aggregator) addRecord(r *change.Record) {
	for warm, i := 0, 0; i < len(r.Changes); {
		if i >= warm {
			warm = min(i+warmChanges, len(r.Changes))
			a.warmUp(r.Changes[i:warm])
		}
		i += a.add(r.Changes[i:])
		if a.Fault != nil {
			a.Fault(&r.Changes[i-1])
		}
	}
	for i := range r.Orders {
		a.order(&r.Orders[i])
	}
}

func (a *Aggregator) configure(s *eventlog.Settings) error {
	loc, err := time.LoadLocation(s.Zone)
	if err != nil {
		return err
	}
	if lateness := int64(dueAt(s.LatenessMS)) * 1000; lateness > a.final.lateness { // in whole seconds, in which cells are due: what is final has closed
		a.raise(lateness)
	}
	a.settings, a.days = s, measure.DaysOf(loc)
	a.gap, a.maxCells = s.SessionGapMS, int(s.MaxCells)
	ms := func(days uint16) int64 { return int64(days) * dayMS }
	a.paneTTL, a.minuteTTL, a.hourTTL = ms(s.TTLDays[measure.Grain10s]), ms(s.TTLDays[measure.Grain1m]), ms(measure.HourDays(s.TTLDays[:]))
	return nil
}

// add applies the changes at the head that share key and time, most of an event's, and says how many they are: each to its pane, or, where the
// minute's row would be dropped at once, to its hour.
func (a *Aggregator) add(changes []change.Change) (n int) {
	head := &changes[0]
	i := a.minuteOf(head)
	if i == 0 {
		a.addToHour(head)
		return 1
	}
	m := a.cells.At(i)
	a.touch(i, m)
	p := a.paneOf(m, head.TS)
	past := a.past(head.TS - head.TS%paneMS + paneMS)
	for ; n < len(changes) && changes[n].Key == head.Key && changes[n].TS == head.TS; n++ {
		c := &changes[n]
		a.addTo(p, c)
		first := eventTime(c)
		if c.Mask&change.PaneOnly != 0 {
			p.state |= shownBit
			p.updated = p.updated.with(receivedOf(c))
		}
		if c.Mask&^change.PaneOnly != 0 {
			if a.attach(i, m) {
				m.updated = 0 // so far of online alone, which is not the hour's
			}
			m.stamp(first, receivedOf(c))
		} else if m.state&countsBit == 0 { // a minute that nothing but online is in has that time
			m.updated = m.updated.with(-received(c.Recv))
		}
		if first != 0 {
			a.run(m, first)
		}
		if past {
			a.late(m, p, c)
		}
	}
	return n
}

// paneOf is the pane of a minute in which ts lies.
func (a *Aggregator) paneOf(m *cell, ts int64) *sparse {
	i := &m.sums[ts%minuteMS/paneMS]
	if *i == 0 {
		*i = a.sums.Alloc()
	}
	return a.sums.At(*i)
}

// addToHour applies a change that comes later than minutes are kept.
func (a *Aggregator) addToHour(c *change.Change) {
	if c.Mask&^change.PaneOnly == 0 { // an hour that is opened has a row
		return
	}
	i := a.hourOf(c.Key, c.TS)
	if i == 0 {
		return
	}
	h, first := a.cells.At(i), eventTime(c)
	a.touch(i, h)
	a.addTo(a.sums.At(h.sums[0]), c)
	h.stamp(first, receivedOf(c))
	if first != 0 {
		a.run(h, first)
	}
	a.lateHour(i, c)
}

// late notes which windows of a change were final before this record. On-time events change no final pane's online: they light panes to come.
func (a *Aggregator) late(m *cell, p *sparse, c *change.Change) {
	own := c.Flags&change.Own != 0
	if own && c.Mask&change.PaneOnly != 0 || c.Slot == measure.Online {
		p.state |= latePaneBit
	}
	if own && c.Mask>>measure.Grain1m&1 != 0 && a.past(m.end()) {
		m.state |= lateBit
	}
	if m.hour != 0 {
		a.lateHour(m.hour, c)
	}
}

func (a *Aggregator) lateHour(i uint32, c *change.Change) {
	if c.Flags&change.Own == 0 {
		return
	}
	h, late := a.cells.At(i), uint8(0)
	if c.Mask>>measure.Grain1h&1 != 0 && a.past(h.end()) {
		late |= lateBit
	}
	if c.Mask>>measure.Grain1d&1 != 0 && a.past(a.days.End(h.window)) {
		late |= lateDayBit
	}
	if late&^h.state != 0 {
		a.touch(i, h)
		h.state |= late
	}
}
