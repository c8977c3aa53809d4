package aggregate

import (
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// nearby is where changes are going to be added, as far as is known.
type nearby struct {
	cell, body uint32
	pane, line uint8
}

// warmUp loads the cells that a record's changes are going to ask for, step by step for all of them: the loads of a step do not depend on
// each other, so their cache misses overlap, where change by change each would wait for the one before. It follows guesses and changes nothing.
func (a *Aggregator) warmUp(changes []change.Change) {
	near, before := a.near[:0], &change.Change{}
	for i := range changes {
		c := &changes[i]
		if c.Key == before.Key && c.TS == before.TS {
			continue
		}
		before = c
		if int(c.Key) < len(a.recent) {
			guess := a.recent[c.Key][c.TS/minuteMS%2]
			near = append(near, nearby{guess.cell, guess.body, uint8(c.TS % minuteMS / paneMS), uint8(c.Slot / lineSlots)})
		}
	}
	warm := int64(0)
	for i := range near {
		n := &near[i]
		warm += a.cells.At(n.cell).own
		n.body = a.panes.At(n.body)[n.pane].sum
	}
	for i := range near {
		n := &near[i]
		s := a.sums.At(n.body)
		if n.body = 0; s.n == wide {
			n.body = s.line(int(n.line))
		}
	}
	for i := range near {
		warm += a.lines.At(near[i].body)[0]
	}
	a.near, a.warm = near, warm
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
			warm += a.sums.At(panes[p].sum).value[0]
		}
	}
	a.warm = warm
}
