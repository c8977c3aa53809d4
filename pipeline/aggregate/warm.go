package aggregate

import (
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// nearby is where a change is going to be added, as far as is known: its cell, and the cell's body, then a line of it.
type nearby struct{ cell, body uint32 }

// warmUp loads the cells that a record's changes are going to ask for, step by step for all of them: the loads of a step do not depend on
// each other, so their cache misses overlap, where change by change each would wait for the one before. It follows guesses and changes nothing.
func (a *Aggregator) warmUp(changes []change.Change) {
	if cap(a.near) < len(changes) {
		a.near = make([]nearby, len(changes)*2)
	}
	near := a.near[:len(changes)]
	for i := range changes {
		c := &changes[i]
		near[i] = nearby{}
		if int(c.Key) < len(a.recent) {
			guess := a.recent[c.Key][c.TS/minuteMS%2]
			near[i] = nearby{guess.cell, guess.body}
		}
	}
	warm := int64(0)
	for i, n := range near {
		c := &changes[i]
		warm += a.cells.At(n.cell).own
		near[i].body = a.panes.At(n.body)[c.TS%minuteMS/paneMS].value[c.Slot/lineSlots]
	}
	for _, n := range near {
		warm += a.lines.At(n.body)[0]
	}
	a.warm = warm
}

// rowsAhead is how many rows' cells are loaded together before the first of them is made.
const rowsAhead = 64

// warmRows loads what the rows of cells are made of.
func (a *Aggregator) warmRows(cells []uint32) {
	warm := int64(0)
	for _, i := range cells {
		c := a.cells.At(i)
		warm += int64(len(a.keys.Key(c.key).Room))
		if c.grain == measure.Grain1m {
			for p := range a.panes.At(c.body) {
				warm += a.panes.At(c.body)[p].own
			}
		}
	}
	for _, i := range cells {
		c := a.cells.At(i)
		if c.grain != measure.Grain1m {
			continue
		}
		panes := a.panes.At(c.body)
		for p := range panes {
			for _, l := range panes[p].value {
				warm += a.lines.At(l)[0]
			}
		}
	}
	a.warm = warm
}
