package aggregate

import (
	"math/bits"
	"strconv"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// row appends a cell's row. all: with panes that have not begun, as a closed cell's.
func (a *Aggregator) row(b *rollup.Batch, i uint32, c *cell, all bool) {
	k := a.keys.Key(c.key)
	minute := c.grain == measure.Grain1m
	t := &a.sum
	if minute {
		t.reset(c)
		a.addMinute(t, c)
	} else {
		a.hourTotal(t, c)
	}
	if k.Cube == cellkey.Outcomes {
		part, _ := strconv.Atoi(k.Room)
		b.Outcomes = append(b.Outcomes, rollup.Outcome{Topic: k.Platform, Partition: int32(part), Minute: c.window, Outcome: k.Session,
			Reason: k.Sub[0], Part: a.partition, Gen: c.gen, Version: uint64(a.offset), Records: t.lines[0][0]})
		return
	}
	if k.Cube == cellkey.Completeness {
		b.Completeness = append(b.Completeness, rollup.Completeness{Platform: k.Platform, Kind: k.Room, SDKName: k.Session, SDKVersion: k.Sub[0], Minute: c.window,
			Part: a.partition, Gen: c.gen, Version: uint64(a.offset), Expected: t.lines[0][cellkey.Expected], Received: t.lines[0][cellkey.Received], Late: t.lines[0][cellkey.Late]})
		return
	}
	to := cellsOf(b, k.Cube)
	to.Grain = append(to.Grain, uint8(c.grain))
	to.Platform = append(to.Platform, k.Platform)
	to.Room = append(to.Room, k.Room)
	to.Session = append(to.Session, k.Session)
	for s := range measure.SubKeys[k.Cube] {
		to.Sub[s] = append(to.Sub[s], k.Sub[s])
	}
	to.Window = append(to.Window, c.window)
	to.Part = append(to.Part, a.partition)
	to.Gen = append(to.Gen, c.gen)
	to.Version = append(to.Version, uint64(a.offset))
	state, updated := c.state&^hastyBit, int64(t.updated)
	if updated <= 0 {
		state, updated = state|rollup.NoneOwn, -updated
	}
	to.State = append(to.State, state)
	to.First = append(to.First, t.first)
	to.Updated = append(to.Updated, updated)
	t.unfold(k.Cube)
	columns := &columnsOf[k.Cube][c.grain]
	for used := t.used; used != 0; used &= used - 1 {
		n := bits.TrailingZeros16(used)
		for _, at := range columns[n] {
			if v := t.lines[n][at.slot]; v != 0 {
				to.Set(int(at.column), v)
			}
		}
	}
	if t.opened != 0 { // something but whole-view measures changed
		to.SetRun(rollup.Run{t.opened, t.until, t.lateAt})
	}
	if minute && !a.expired(a.paneTTL, c.end()) {
		a.paneEntries(to, k.Cube, i, c, all || c.state&closedBit != 0)
	}
}

// paneEntries appends the panes of a minute. Those that have not begun wait, and their cell stays dirty for them.
func (a *Aggregator) paneEntries(to *rollup.Cells, cube measure.Cube, cell uint32, c *cell, all bool) {
	now := max(a.maxRecv, a.wm)
	for n, i := range c.sums {
		p := a.sums.At(i)
		if p.state&shownBit == 0 {
			continue
		}
		if start := c.window + int64(n)*paneMS; start > now {
			if !all {
				a.touch(cell, c)
				c.ahead = uint8(n) + 1
				return
			}
			a.unsaved.Mark(cell)
			c.state |= hastyBit
		}
		a.paneSum(to, cube, n, p)
		if p.state&latePaneBit != 0 {
			to.SetPane(measure.PaneAt(n, measure.PaneLate), 1)
		}
		to.SetPane(measure.PaneAt(n, measure.PaneUpdated), int64(p.updated))
	}
}

// paneSum appends what was counted in a pane, in the order of its slots.
func (a *Aggregator) paneSum(to *rollup.Cells, cube measure.Cube, n int, p *sparse) {
	t := &a.pane
	t.clear()
	t.add(a, p)
	t.unfold(cube)
	for used := t.used; used != 0; used &= used - 1 {
		k := bits.TrailingZeros16(used)
		for _, s := range paneSlots[cube][k] {
			if v := t.lines[k][s%lineSlots]; v != 0 {
				to.SetPane(measure.PaneAt(n, s), v)
			}
		}
	}
}

// columnAt says that a slot of a line is a column of the cube's table.
type columnAt struct{ slot, column uint8 }

// columnsOf are the columns of a cube's rows of a grain, line by line: a row costs what its cell holds, not what it could hold.
var columnsOf = func() (all [measure.NumCubes][measure.NumGrains][numLines][]columnAt) {
	for cube := range all {
		for i, col := range measure.RowColumns[cube] {
			for grain, slot := range map[measure.Grain]measure.Slot{measure.Grain1m: col.Minute, measure.Grain1h: col.Hour} {
				if slot != measure.NoSlot {
					line := &all[cube][grain][slot/lineSlots]
					*line = append(*line, columnAt{uint8(slot % lineSlots), uint8(i)})
				}
			}
		}
	}
	return all
}()

// paneSlots are the slots that a cube shows of a pane, line by line.
var paneSlots = func() (all [measure.NumCubes][numLines][]measure.Slot) {
	for cube := range all {
		for s := measure.Slot(0); s < measure.NumSlots; s++ {
			for _, col := range measure.Columns[cube] {
				if col.SlotAt(measure.Grain10s) == s {
					all[cube][s/lineSlots] = append(all[cube][s/lineSlots], s)
					break
				}
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
	t := &rollup.Cells{Cube: cube, Values: make([][]int64, len(measure.RowColumns[cube]))}
	b.Cells = append(b.Cells, t)
	return t
}
