package aggregate

import (
	"math"
	"slices"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// A row costs the store as much as an event costs us, and an INSERT as much as thousands of rows. So only what the show is run by leaves with
// every flush: the current minutes of rooms and their money. The rest leaves every so many flushes, and where many cells change the hours of the rest less often still.
const (
	restEvery   = 5
	coarseEvery = 25
	manyCells   = 2000
)

// flight is what one flush sent and nobody has acknowledged yet.
type flight struct {
	token  uint64
	cells  []uint32
	orders []orderKey
	before int64 // the watermark that was sent before it
}

type orderKey struct {
	platform, id string
	buyer        [16]byte
}

// pendingOrder is an order row that the store has not acknowledged.
type pendingOrder struct {
	row   rollup.Order
	dirty bool
}

func (a *Aggregator) order(o *rollup.Order) {
	k := orderKey{o.Platform, o.OrderID, o.Buyer}
	p := a.orders[k]
	if p == nil {
		p = &pendingOrder{}
		a.orders[k] = p
	}
	p.row, p.dirty = *o, true
}

// Flush appends the rows that changed to b, all at the current offset. While behind only final windows leave: freshness means
// nothing then, and a row costs the store as much as an event costs us.
func (a *Aggregator) Flush(b *rollup.Batch, behind bool) uint64 {
	a.token++
	a.flushes++
	f := flight{token: a.token, before: a.sentWM}
	turn := a.turn()
	a.leaving = a.leaving[:0]
	keep, held := a.dirty[:0], int64(math.MaxInt64)
	for _, i := range a.dirty {
		c := a.cells.At(i)
		switch {
		case !c.dirty:
			c.listed = false
		case a.leaves(c, behind, turn):
			c.dirty, c.listed = false, false
			a.leaving = append(a.leaving, i)
		default:
			keep = append(keep, i)
			if c.grain == measure.Grain1h || a.waits(c) {
				held = min(held, c.since)
			}
		}
	}
	a.dirty = keep
	for piece := range slices.Chunk(a.leaving, rowsAhead) {
		a.warmRows(piece)
		for _, i := range piece {
			c := a.cells.At(i)
			c.inflight++
			a.row(b, i, c, turn.still)
		}
	}
	f.cells = slices.Clone(a.leaving)
	for k, p := range a.orders {
		if p.dirty && (behind || turn.rest || a.flushes%restEvery == 0) {
			p.dirty = false
			f.orders = append(f.orders, k)
			b.Orders = append(b.Orders, p.row)
		}
	}
	if wm := a.sent(behind, turn, held); behind || turn.rest || a.flushes%restEvery == 0 {
		a.sentWM = wm
		b.Watermarks = append(b.Watermarks, rollup.Watermark{Part: a.partition, Version: uint64(a.offset), WM: wm})
	}
	a.flights = append(a.flights, f)
	return a.token
}

// sent is the watermark of which rollup.Watermark can be said: all rows of what came before it have left. A window that is final has a row that
// leaves at once where it is a minute or an hour; a pane is final before its minute, whose row waits for its cube's turn, or, behind, for its end.
// Days and sessions are final by hours that may not have left: held is since when the first of those waits, or the first row behind a generation.
func (a *Aggregator) sent(behind bool, turn turn, held int64) int64 {
	if behind {
		return max(a.sentWM, min(a.wm-minuteMS, held))
	}
	for cube := range a.turned {
		if turn.rest || eachFlush(measure.Cube(cube)) || a.turnOf(measure.Cube(cube), restEvery) {
			a.turned[cube] = a.wm
		}
	}
	return max(a.sentWM, min(slices.Min(a.turned[:]), held))
}

// Last makes the flushes that follow send every row that changed: the task is about to end.
func (a *Aggregator) Last() { a.last = true }

// leaves says whether a changed cell's row goes with this flush. A minute that has not begun waits, and a pane too: online reaches 30 s ahead.
func (a *Aggregator) leaves(c *cell, behind bool, turn turn) bool {
	now := max(a.maxRecv, a.wm)
	switch {
	case a.waits(c):
		return false
	case c.state&closedBit != 0 || a.outlived(c):
		return true
	case behind: // an hour that stragglers keep open would hold the watermark back for as long
		return c.grain == measure.Grain1h && c.since+hourMS+a.lateness <= a.wm
	case turn.rest:
		return true
	case c.window > now || c.quiet && c.ahead > now:
		return false
	}
	cube := a.keys.Key(c.key).Cube
	if c.grain == measure.Grain1h {
		return a.turnOf(cube, coarseEvery) || (turn.few || eachFlush(cube)) && a.turnOf(cube, restEvery)
	}
	return a.turnOf(cube, restEvery) || eachFlush(cube) && !c.reopened
}

// outlived: an hour that is final but waits for stragglers of its minutes.
func (a *Aggregator) outlived(c *cell) bool {
	return c.grain == measure.Grain1h && !c.reopened && a.past(c.end())
}

// turnOf: cubes take turns, so that a flush is like the one before it and no INSERT holds up the windows that the show is run by.
func (a *Aggregator) turnOf(cube measure.Cube, every uint64) bool {
	return (a.flushes+uint64(cube))%every == 0
}

// eachFlush says whether a cube is one that the show is run by.
func eachFlush(cube measure.Cube) bool {
	return cube == measure.Room || cube == measure.RoomMoney
}

// turn says what leaves with a flush whatever its cube. few: so little changed that hours leave as often as the rest. still: nothing has
// come in since the last look. Then nothing may wait for what comes: a partition with too many changed cells reads no more until they have left.
type turn struct{ rest, few, still bool }

func (a *Aggregator) turn() turn {
	t := turn{rest: a.last, few: len(a.dirty) <= manyCells}
	if a.flushes%coarseEvery == 0 {
		t.still = a.offset == a.turnedAt
		t.rest = t.rest || t.still
		a.turnedAt = a.offset
	}
	return t
}
