package aggregate

import (
	"strconv"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// A row costs the store as much as an event costs us, and an INSERT as much as thousands of rows. So only what the show is run by leaves with
// every flush: the current windows of rooms and their money. The rest leaves every so many flushes, hours and days less often still where many
// cells change.
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

// Flush appends the rows that changed to b, all at the current offset. While behind only closed windows leave: freshness means
// nothing then, and a row costs the store as much as an event costs us.
func (a *Aggregator) Flush(b *rollup.Batch, behind bool) uint64 {
	a.fold()
	a.token++
	a.flushes++
	f := flight{token: a.token}
	turn := a.turn()
	keep := a.dirty[:0]
	for _, i := range a.dirty {
		c := a.cells.At(i)
		if !c.dirty {
			c.listed = false
			continue
		}
		if !a.leaves(c, behind, turn) {
			keep = append(keep, i)
			continue
		}
		c.dirty, c.listed = false, false
		c.inflight++
		f.cells = append(f.cells, i)
		a.row(b, c)
	}
	a.dirty = keep
	for k, p := range a.orders {
		if p.dirty && (behind || turn.rest || a.flushes%restEvery == 0) {
			p.dirty = false
			f.orders = append(f.orders, k)
			b.Orders = append(b.Orders, p.row)
		}
	}
	if turn.rest || a.flushes%restEvery == 0 {
		b.Watermarks = append(b.Watermarks, rollup.Watermark{Part: a.partition, Version: uint64(a.offset), WM: a.wm})
	}
	a.flights = append(a.flights, f)
	return a.token
}

// Last makes the flushes that follow send every row that changed: the task is about to end.
func (a *Aggregator) Last() { a.last = true }

// leaves says whether a changed cell's row goes with this flush. A pane that has not begun waits: online reaches 30 s ahead.
func (a *Aggregator) leaves(c *cell, behind bool, turn turn) bool {
	if a.waits(c) {
		return false
	}
	if c.state&rollup.Closed != 0 {
		return true
	}
	if behind || c.window > max(a.maxRecv, a.wm) && !turn.still {
		return false
	}
	cube := a.keys.Key(c.key).Cube
	if c.grain == measure.Grain1h || c.grain == measure.Grain1d {
		return turn.coarse || a.turnOf(cube, coarseEvery) || turn.few && a.turnOf(cube, restEvery)
	}
	return turn.rest || a.turnOf(cube, restEvery) || c.grain <= measure.Grain1m && c.state&rollup.Final == 0 && hot(cube)
}

// turnOf: cubes take turns, so that a flush is like the one before it and no INSERT holds up the windows that the show is run by.
func (a *Aggregator) turnOf(cube measure.Cube, every uint64) bool {
	return (a.flushes+uint64(cube))%every == 0
}

// hot says whether a cube is one that the show is run by.
func hot(cube measure.Cube) bool { return cube == measure.Room || cube == measure.RoomMoney }

// turn says what leaves with a flush whatever its cube. few: so little changed that hours and days leave as often as the rest. still: nothing has
// come in since the last look. Then nothing may wait for what comes: a partition with too many changed cells reads no more until they have left.
type turn struct{ rest, coarse, few, still bool }

func (a *Aggregator) turn() turn {
	t := turn{rest: a.last, coarse: a.last, few: len(a.dirty) <= manyCells}
	if a.flushes%coarseEvery == 0 {
		t.still = a.offset == a.turnedAt
		t.rest, t.coarse = t.rest || t.still, t.coarse || t.still
		a.turnedAt = a.offset
	}
	return t
}

func (a *Aggregator) row(b *rollup.Batch, c *cell) {
	k := a.keys.Key(c.key)
	if k.Cube == cellkey.Outcomes {
		part, _ := strconv.Atoi(k.Room)
		b.Outcomes = append(b.Outcomes, rollup.Outcome{Topic: k.Platform, Partition: int32(part), Minute: c.window, Outcome: k.Session,
			Reason: k.Sub[0], Part: a.partition, Gen: c.gen, Version: uint64(a.offset), Records: a.get(&c.value, 0)})
		return
	}
	t := cellsOf(b, k.Cube)
	t.Grain = append(t.Grain, uint8(c.grain))
	t.Platform = append(t.Platform, k.Platform)
	t.Room = append(t.Room, k.Room)
	t.Session = append(t.Session, k.Session)
	for s := range measure.SubKeys[k.Cube] {
		t.Sub[s] = append(t.Sub[s], k.Sub[s])
	}
	t.Window = append(t.Window, c.window)
	t.Part = append(t.Part, a.partition)
	t.Gen = append(t.Gen, c.gen)
	t.Version = append(t.Version, uint64(a.offset))
	t.State = append(t.State, a.stateOf(c))
	if run := a.runOf(c); run != nil {
		t.SetRun(run)
	}
	t.First = append(t.First, c.first)
	t.Updated = append(t.Updated, c.updated())
	columns := &columnsOf[k.Cube][c.grain]
	for n, i := range c.value {
		if i == 0 {
			continue
		}
		l := a.lines.At(i)
		for _, at := range columns[n] {
			if v := l[at.slot]; v != 0 {
				t.Set(int(at.column), v)
			}
		}
	}
}

// columnAt says that a slot of a line is a column of the cube's table.
type columnAt struct{ slot, column uint8 }

// columnsOf are the columns of a cube at a grain, line by line: a row costs what its cell holds, not what it could hold.
var columnsOf = func() (all [measure.NumCubes][measure.NumGrains][numLines][]columnAt) {
	for cube := range all {
		for grain := range all[cube] {
			for i, col := range measure.Columns[cube] {
				slot := col.SlotAt(measure.Grain(grain))
				line := &all[cube][grain][slot/lineSlots]
				*line = append(*line, columnAt{uint8(slot % lineSlots), uint8(i)})
			}
		}
	}
	return all
}()

// cellsOf is the batch's table of a cube.
func cellsOf(b *rollup.Batch, cube measure.Cube) *rollup.Cells {
	for _, t := range b.Cells {
		if t.Cube == cube {
			return t
		}
	}
	t := &rollup.Cells{Cube: cube, Values: make([][]int64, len(measure.Columns[cube]))}
	b.Cells = append(b.Cells, t)
	return t
}

// Ack gives back the memory of closed cells whose last row is durable, for the flush with this token and those before it.
func (a *Aggregator) Ack(token uint64) { a.settle(token, false) }

// Nack returns the rows of the flush with this token, and of those before it, to the dirty ones.
func (a *Aggregator) Nack(token uint64) { a.settle(token, true) }

func (a *Aggregator) settle(token uint64, failed bool) {
	for len(a.flights) > 0 && a.flights[0].token <= token {
		f := a.flights[0]
		a.flights = a.flights[1:]
		for _, i := range f.cells {
			c := a.cells.At(i)
			c.inflight--
			a.saved.Mark(i)
			if failed {
				a.touch(i, c)
			} else if c.state&rollup.Closed != 0 && !c.dirty && c.inflight == 0 {
				a.release(i, c)
			}
		}
		for _, k := range f.orders {
			p := a.orders[k]
			switch {
			case p == nil:
			case failed:
				p.dirty = true
			case !p.dirty:
				delete(a.orders, k)
			}
		}
	}
}

func (a *Aggregator) release(i uint32, c *cell) {
	a.index.remove(c.id(), i)
	a.freeVector(&c.value)
	a.cells.Free(i)
}
