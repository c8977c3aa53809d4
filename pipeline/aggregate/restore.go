package aggregate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/livemeter/livemeter/pipeline/bucket"
	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/wire"
)

// Restore takes one live changelog record of an empty aggregator: each key once, with its newest value.
func (a *Aggregator) Restore(key, value []byte) error {
	var r wire.Reader
	r.Reset(value)
	if err := bucket.CheckVersion(&r, stateVersion); err != nil {
		return err
	}
	switch {
	case string(key) == keyMeta:
		return a.unpackMeta(&r)
	case string(key) == keyOrders:
		for range r.Count(12) {
			o := change.UnpackOrder(&r)
			o.Version = uint64(r.Int())
			a.order(&o)
		}
		return r.Err()
	}
	if n, ok := bucket.Number(key, keyPrefix); ok {
		return a.unpackBucket(&r, n)
	}
	return fmt.Errorf("changelog key %q is not the aggregator's", key)
}

// Restored rebuilds what is derived once all records are in, and the keys are restored.
func (a *Aggregator) Restored() {
	a.cells.Rebuild(func(i uint32) bool { return a.cells.At(i).key != 0 })
	a.indexCells()
	for _, i := range a.dirty {
		a.cells.At(i).since = a.told.wm // or later
	}
	a.joinMinutes()
	a.untold = true // a store that has taken over may hear of no other watermark for long
}

// joinMinutes gives the open minutes back to their hours. An hour closes after its minutes, so theirs is the open one.
func (a *Aggregator) joinMinutes() {
	for i := uint32(1); i < a.cells.Cap(); i++ {
		m := a.cells.At(i)
		if m.hour == 0 {
			continue
		}
		m.hour = 0
		if m.grain != measure.Grain1m || m.state&closedBit != 0 {
			continue // a damaged changelog
		}
		if m.hour = a.index.get(cellID{m.key, measure.Grain1h, m.window - m.window%hourMS}); m.hour == 0 {
			continue // likewise
		}
		h := a.cells.At(m.hour)
		m.next, h.minutes = h.minutes, i
		m.state |= countsBit
	}
}

// indexCells links the generations of each window, oldest first.
func (a *Aggregator) indexCells() {
	order := make([]uint32, 0, a.cells.Len())
	for i := uint32(1); i < a.cells.Cap(); i++ {
		if a.cells.At(i).key != 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(i, j uint32) int { return cmp.Compare(a.cells.At(i).gen, a.cells.At(j).gen) })
	for _, i := range order {
		c := a.cells.At(i)
		c.prev = a.index.put(c.id(), i)
	}
}

// Offset is that of the newest record applied, 0 before the first.
func (a *Aggregator) Offset() int64 { return a.offset }

func (a *Aggregator) unpackMeta(r *wire.Reader) error {
	a.offset, a.wm, a.maxRecv = r.Int(), r.Int(), r.Int()
	a.final.lateness = r.Int() // before the settings, which may say less
	for range r.Count(2) {
		a.final.former = append(a.final.former, former{r.Int(), r.Int()})
	}
	a.finalEnd = a.final.end(a.wm)
	if r.Bool() {
		s, err := eventlog.DecodeSettings([]byte(r.Raw()))
		if err != nil {
			return err
		}
		if err := a.configure(&s); err != nil {
			return err
		}
	}
	a.told = told{r.Int(), r.Int()}
	return r.Err()
}

func (a *Aggregator) unpackBucket(r *wire.Reader, n uint32) error {
	for r.Left() > 0 && r.Err() == nil {
		i, ok := bucket.SlotOf(n, r.Byte())
		if !ok {
			return wire.ErrDamaged
		}
		a.unpackCell(r, i, a.cells.Place(i))
	}
	return r.Err()
}

// joined stands for the hour of a minute that had one until joinMinutes finds it.
const joined = math.MaxUint32

func (a *Aggregator) unpackCell(r *wire.Reader, i uint32, c *cell) {
	c.key, c.grain, c.state = cellkey.ID(r.Uint()), measure.Grain(r.Byte()), r.Byte()
	if c.key == 0 || c.grain != measure.Grain1m && c.grain != measure.Grain1h {
		r.Damaged("key or grain")
		return
	}
	unsent := r.Bool()
	c.reopened = r.Bool()
	if r.Bool() {
		c.hour = joined
	}
	c.window, c.gen = r.Int(), uint64(r.Int())
	c.updated = received(r.Int())
	for _, n := range [4]*int64{&c.first, &c.until, &c.opened, &c.lateAt} {
		*n = r.Int()
	}
	c.due = uint32(r.Uint())
	used := r.Byte()
	for k := range c.sums {
		if used>>k&1 != 0 {
			c.sums[k] = a.sums.Alloc()
			a.unpackSum(r, a.sums.At(c.sums[k]))
		}
	}
	if c.grain == measure.Grain1h && c.sums[0] == 0 {
		r.Damaged("hour")
		return
	}
	if unsent {
		a.touch(i, c)
	}
	if c.state&closedBit == 0 {
		a.openCells++
		a.due.add(c.due, i)
	} else if !unsent {
		a.touch(i, c) // a damaged changelog: what is closed and acknowledged has been released
	}
}

func (a *Aggregator) unpackSum(r *wire.Reader, s *sparse) {
	s.state, s.updated = r.Byte(), received(r.Int())
	for range r.Byte() {
		slot, v := measure.Slot(r.Byte()), r.Int()
		if slot >= measure.NumSlots {
			r.Damaged("slot")
			return
		}
		*a.slot(s, slot) = v
	}
}
