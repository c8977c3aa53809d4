package aggregate

// stamped is a cell's total, and its times with those of what it is the sum of.
type stamped struct {
	total
	cell // its times only: they lie where a cell's cache lines have room for them, and are no struct of their own
}

func (t *stamped) reset(c *cell) {
	t.clear()
	t.first, t.until, t.updated, t.opened, t.lateAt = c.first, c.until, c.updated, c.opened, c.lateAt
}

func (a *Aggregator) addMinute(t *stamped, m *cell) {
	for _, i := range m.sums {
		if i != 0 {
			t.add(a, a.sums.At(i))
		}
	}
}

// hourTotal is the hour with its open minutes.
func (a *Aggregator) hourTotal(t *stamped, h *cell) {
	t.reset(h)
	t.add(a, a.sums.At(h.sums[0]))
	for i := h.minutes; i != 0; {
		m := a.cells.At(i)
		a.addMinute(t, m)
		t.merge(m)
		i = m.next
	}
}

// merge takes the times of a part.
func (c *cell) merge(m *cell) {
	c.stamp(m.first, m.updated)
	c.until = max(c.until, m.until)
	if m.opened != 0 && (c.opened == 0 || m.opened < c.opened) {
		c.opened = m.opened
	}
	c.lateAt = max(c.lateAt, m.lateAt)
}

// takeIn moves a minute that closes, and is marked, into its hour.
func (a *Aggregator) takeIn(i uint32, m *cell) {
	a.unsaved.Mark(m.hour)
	h := a.cells.At(m.hour)
	link := &h.minutes
	for *link != i {
		link = &a.cells.At(*link).next
	}
	*link, m.next = m.next, 0
	sum := a.sums.At(h.sums[0])
	for _, i := range m.sums {
		if i != 0 {
			a.addAll(sum, a.sums.At(i))
		}
	}
	h.merge(m)
	m.hour = 0
}

// run notes an event of a session's own at ts: when its run began, and whether it came later than the session gap.
func (a *Aggregator) run(c *cell, ts int64) {
	if c.opened == 0 {
		c.opened = max(1, a.wm)
	}
	c.until = max(c.until, ts+a.gap)
	if ts+a.gap <= a.wm {
		c.lateAt = a.wm
	}
}

// lastDue is when the last of an hour's open minutes is to close.
func (a *Aggregator) lastDue(h *cell) (due uint32) {
	for i := h.minutes; i != 0; i = a.cells.At(i).next {
		due = max(due, a.cells.At(i).due)
	}
	return due
}
