package aggregate

import "github.com/livemeter/livemeter/pipeline/change"

// warmUp loads the cells that a record's changes are going to ask for, step by step for all of them: the loads of a step do not depend on
// each other, so their cache misses overlap, where change by change each would wait for the one before. It follows guesses and changes nothing.
func (a *Aggregator) warmUp(changes []change.Change) {
	if cap(a.near) < len(changes) {
		a.near = make([]uint32, len(changes)*2)
	}
	near := a.near[:len(changes)]
	for i := range changes {
		c := &changes[i]
		near[i] = 0
		if int(c.Key) < len(a.recent) {
			near[i] = a.recent[c.Key].pane[c.TS/paneMS%4]
		}
	}
	warm := int64(0)
	for i, n := range near {
		near[i] = a.cells.At(n).pane
	}
	for i, n := range near {
		near[i] = a.pend.At(n).delta[changes[i].Slot/lineSlots]
	}
	for _, n := range near {
		warm += a.lines.At(n)[0]
	}
	a.warm = warm
}
