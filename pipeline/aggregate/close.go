package aggregate

import (
	"container/heap"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// dueList holds open cells by the watermark at which they are to be looked at: one bucket per instant, because thousands of
// windows end together.
type dueList struct {
	times []int64
	at    map[int64][]uint32
}

func (d *dueList) Len() int           { return len(d.times) }
func (d *dueList) Less(i, j int) bool { return d.times[i] < d.times[j] }
func (d *dueList) Swap(i, j int)      { d.times[i], d.times[j] = d.times[j], d.times[i] }
func (d *dueList) Push(x any)         { d.times = append(d.times, x.(int64)) }
func (d *dueList) Pop() any {
	x := d.times[len(d.times)-1]
	d.times = d.times[:len(d.times)-1]
	return x
}

func (d *dueList) add(t int64, cell uint32) {
	t += 999 - (t+999)%1000 // whole seconds: sessions and reopened windows share buckets
	if d.at == nil {
		d.at = map[int64][]uint32{}
	}
	if _, ok := d.at[t]; !ok {
		heap.Push(d, t)
	}
	d.at[t] = append(d.at[t], cell)
}

func (d *dueList) pop() []uint32 {
	t := heap.Pop(d).(int64)
	cells := d.at[t]
	delete(d.at, t)
	return cells
}

// closeDue closes what the watermark has passed, and, above the limit of cells, the windows that end first. It depends on the log
// only: acknowledgements decide when a closed cell's memory is given back, never when it closes.
func (a *Aggregator) closeDue() {
	for folded := false; len(a.due.times) > 0; {
		early := a.maxCells > 0 && a.openCells > a.maxCells
		if !early && a.due.times[0] > a.wm {
			return
		}
		if !folded {
			a.fold()
			folded = true
		}
		for _, i := range a.due.pop() {
			a.close(i, early)
		}
	}
}

func (a *Aggregator) close(i uint32, early bool) {
	c := a.cells.At(i)
	if c.grain == measure.GrainSession && !early {
		if due := c.last + a.gap; due > a.wm {
			c.due = due
			a.due.add(due, i)
			a.saved.Mark(i)
			return
		}
	}
	c.state |= rollup.Closed
	if early {
		a.closedEarly++
	} else {
		c.state |= rollup.Final
	}
	a.openCells--
	a.closes++
	a.touch(i, c)
}
