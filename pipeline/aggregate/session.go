package aggregate

import (
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// run notes an event of a session's own at ts, 0 for a change that is none: when its run began, and whether it came an hour late.
func (a *Aggregator) run(c *cell, ts int64) {
	if ts == 0 {
		return
	}
	if c.opened == 0 {
		c.opened = max(1, a.wm)
	}
	if ts+a.gap <= a.wm {
		c.lateAt = a.wm
		c.state |= rollup.Late
	}
}

// stateOf is the state that a row shows. A session's partial is final when the watermark has passed its last event by the gap, even while it is
// kept open for stragglers: a late event makes no final session provisional. Whether the session as a whole is final is for the store to
// say, which knows all partials.
func (a *Aggregator) stateOf(c *cell) uint8 {
	if c.grain == measure.GrainSession && c.last+a.gap <= a.wm {
		return c.state | rollup.Final
	}
	return c.state
}

// runOf is the run, as in rollup.Cells, of a session's cell, nil for others and where nothing but whole-view measures changed.
func (a *Aggregator) runOf(c *cell) []int64 {
	if c.grain != measure.GrainSession || c.opened == 0 {
		return nil
	}
	return []int64{c.opened, c.last + a.gap, c.lateAt}
}
