package aggregate

import (
	"container/heap"

	"github.com/livemeter/livemeter/pipeline/measure"
)

// dueList holds open cells by the watermark at which they are to be looked at: one bucket per instant, because thousands of
// windows end together.
type dueList struct {
	times []uint32 // s
	at    map[uint32][]uint32
}

func (d *dueList) Len() int           { return len(d.times) }
func (d *dueList) Less(i, j int) bool { return d.times[i] < d.times[j] }
func (d *dueList) Swap(i, j int)      { d.times[i], d.times[j] = d.times[j], d.times[i] }
func (d *dueList) Push(x any)         { d.times = append(d.times, x.(uint32)) }
func (d *dueList) Pop() any {
	x := d.times[len(d.times)-1]
	d.times = d.times[:len(d.times)-1]
	return x
}

// dueAt rounds ms up to whole seconds: reopened windows share buckets.
func dueAt(ms int64) uint32 { return uint32((ms + 999) / 1000) }

func (d *dueList) add(t uint32, cell uint32) {
	if d.at == nil {
		d.at = map[uint32][]uint32{}
	}
	if _, ok := d.at[t]; !ok {
		heap.Push(d, t)
	}
	d.at[t] = append(d.at[t], cell)
}

func (d *dueList) pop() (t uint32, cells []uint32) {
	t = heap.Pop(d).(uint32)
	cells = d.at[t]
	delete(d.at, t)
	return t, cells
}

// closeDue closes what the watermark has passed, and, above the limit of cells, the windows that end first. It depends on the log
// only: acknowledgements decide when a closed cell's memory is given back, never when it closes.
func (a *Aggregator) closeDue() {
	for len(a.due.times) > 0 {
		early := a.maxCells > 0 && a.openCells > a.maxCells
		if !early && int64(a.due.times[0])*1000 > a.wm {
			return
		}
		t, cells := a.due.pop()
		for _, i := range cells {
			// A minute that closed early with its hour is still listed, and its slot may be another cell's by now.
			if c := a.cells.At(i); c.key != 0 && c.state&closedBit == 0 && c.due == t {
				a.close(i, early)
			}
		}
	}
}

// close ends a generation. An hour outlives its minutes: it waits for those that are kept open for stragglers, or, when memory is short, ends them.
func (a *Aggregator) close(i uint32, early bool) {
	a.unsaved.Mark(i)
	c := a.cells.At(i)
	if c.minutes != 0 && !early {
		c.due = a.lastDue(c)
		a.due.add(c.due, i)
		a.touch(i, c) // final: its row leaves now
		return
	}
	for c.minutes != 0 {
		a.close(c.minutes, early)
	}
	if c.hour != 0 {
		a.takeIn(i, c)
	}
	c.state |= closedBit
	if early {
		a.closedEarly++
	}
	a.openCells--
	// The row of a minute has left with all that it holds, and needs no word that this is so: the store folds hours only. But for one whose panes left
	// before they had begun: when rows leave is no function of the log, and one of a former life, with a higher version, may lack them.
	if c.grain == measure.Grain1m && !c.dirty && c.state&hastyBit == 0 {
		if c.inflight == 0 {
			a.release(i, c)
		}
		return
	}
	a.touch(i, c)
}
