package aggregate

import (
	"github.com/livemeter/livemeter/pipeline/change"
)

// warmChanges is how many changes are warmed up together: see enrich's warmEntries.
const warmChanges = 256

// nearby is where changes are going to be added, as far as is known.
type nearby struct {
	at         uint32 // the cell, then the pane's sum, then a line of it
	pane, line uint8
}

// warmUp loads the cells that some of a record's changes are going to ask for, step by step for all of them: the loads of a step do not depend on
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
			near = append(near, nearby{guess, uint8(c.TS % minuteMS / paneMS), uint8(c.Slot / lineSlots)})
		}
	}
	warm := int64(0)
	for i := range near {
		n := &near[i]
		c := a.cells.At(n.at)
		n.at = c.sums[n.pane]
		warm += c.first
	}
	for i := range near {
		n := &near[i]
		s := a.sums.At(n.at)
		if n.at = 0; s.n == wide {
			n.at = s.line(int(n.line))
		}
	}
	for i := range near {
		warm += a.lines.At(near[i].at)[0]
	}
	a.near, a.warm = near, warm
}

// rowsAhead is how many rows' cells are loaded together before the first of them is made.
const rowsAhead = 64

// warmRows loads what the rows of cells are made of.
func (a *Aggregator) warmRows(cells []uint32) {
	warm := int64(0)
	for _, i := range cells {
		warm += int64(a.keys.WarmKey(a.cells.At(i).key))
	}
	for _, i := range cells {
		for _, s := range a.cells.At(i).sums {
			warm += a.sums.At(s).value[0]
		}
	}
	a.warm = warm
}
