package ledger

import "time"

// rowKey names a row within a cube. The window of the session grain is 0: its start is only known at the end.
type rowKey struct {
	grain  uint8
	window int64
	place  uint32 // index into places
	sub    uint32 // index into subs
}

// cells is every row of every cube while it is computed.
type cells struct {
	zone     *time.Location
	places   interner[place]
	subs     interner[[2]string]
	rows     [numCubes]map[rowKey][]int64
	sessions map[uint32]int64 // place → earliest event_ts of the events counted in it
	recent   [numCubes][numGrains]recentRow
	dayFrom  int64 // the day asked for last
	dayTo    int64
}

func newCells(zone *time.Location) *cells {
	c := &cells{zone: zone, sessions: map[uint32]int64{}}
	for i := range c.rows {
		c.rows[i] = map[rowKey][]int64{}
	}
	return c
}

// interner gives each distinct value a number.
type interner[T comparable] struct {
	ids  map[T]uint32
	list []T
	last uint32 // asked for last: one viewer's events are mostly of one place
}

func (in *interner[T]) id(x T) uint32 {
	if int(in.last) < len(in.list) && in.list[in.last] == x {
		return in.last
	}
	if id, ok := in.ids[x]; ok {
		in.last = id
		return id
	}
	if in.ids == nil {
		in.ids = map[T]uint32{}
	}
	id := uint32(len(in.list))
	in.ids[x] = id
	in.list = append(in.list, x)
	return id
}

// window is the start of the half-open window that ts is in: 10 s, 1 m, 1 h in UTC, 1 d in the shop's zone.
func (c *cells) window(grain uint8, ts int64) int64 {
	switch grain {
	case g10s:
		return ts - ts%10_000
	case g1m:
		return ts - ts%60_000
	case g1h:
		return ts - ts%3_600_000
	case g1d:
		if ts < c.dayFrom || ts >= c.dayTo {
			c.dayFrom, c.dayTo = hoursOfDate(ts, c.zone)
		}
		return c.dayFrom
	}
	return 0
}

// hoursOfDate are the hours with the date of ts: where clocks leave out midnight there are 23 of them, from 1:00 on.
func hoursOfDate(ts int64, zone *time.Location) (from, to int64) {
	const hour = 3_600_000
	date := func(ts int64) string { return time.UnixMilli(ts).In(zone).Format(time.DateOnly) }
	from = ts - ts%hour
	for date(from-hour) == date(ts) {
		from -= hour
	}
	for to = from; date(to) == date(ts); to += hour {
	}
	return from, to
}

// spot is one key of a cube at one moment: the rows of all grains that contain it.
type spot struct {
	cells *cells
	cube  cube
	keys  [numGrains]rowKey
	rows  [numGrains][]int64
}

func (c *cells) at(q cube, p place, sub [2]string, ts int64) spot {
	s := spot{cells: c, cube: q}
	pid, sid := c.places.id(p), c.subs.id(sub)
	for g := range numGrains {
		s.keys[g] = rowKey{g, c.window(g, ts), pid, sid}
		s.rows[g] = c.row(q, s.keys[g])
	}
	return s
}

// recentRow is the row asked for last.
type recentRow struct {
	key rowKey
	row []int64
}

func (c *cells) row(q cube, k rowKey) []int64 {
	recent := &c.recent[q][k.grain]
	if recent.row != nil && recent.key == k {
		return recent.row
	}
	r := c.rows[q][k]
	if r == nil {
		r = make([]int64, len(cubeMeasures[q]))
		c.rows[q][k] = r
	}
	*recent = recentRow{k, r}
	return r
}

// add adds to a measure in all grains; a measure that the cube does not keep is let go.
func (s spot) add(m measure, n int64) {
	if i := position[s.cube][m]; i >= 0 {
		for g := range s.rows {
			s.rows[g][i] += n
		}
	}
}

// seen remembers in which rows somebody has already been counted by a distinct measure; last is the row asked for last.
type seen struct {
	rows map[seenKey]struct{}
	last [numCubes][numGrains]seenKey
}

func newSeen() *seen {
	s := &seen{rows: map[seenKey]struct{}{}}
	s.forget()
	return s
}

func (s *seen) forget() {
	clear(s.rows)
	for c := range s.last {
		for g := range s.last[c] {
			s.last[c][g].row.window = -1
		}
	}
}

// first says whether the row has not been seen before, and remembers it.
func (s *seen) first(k seenKey) bool {
	last := &s.last[k.cube][k.row.grain]
	if *last == k {
		return false
	}
	*last = k
	_, known := s.rows[k]
	s.rows[k] = struct{}{}
	return !known
}

type seenKey struct {
	cube    cube
	measure measure
	row     rowKey
}

// distinct adds one in each grain where this is the first time.
func (s spot) distinct(by *seen, m measure) {
	i := position[s.cube][m]
	if i < 0 {
		return
	}
	for g := range s.rows {
		if by.first(seenKey{s.cube, m, s.keys[g]}) {
			s.rows[g][i]++
		}
	}
}

// addPane adds to online in the 10 s pane alone; longer windows are the peak over the merged panes.
func (c *cells) addPane(q cube, p place, sub [2]string, pane int64) {
	k := rowKey{g10s, pane, c.places.id(p), c.subs.id(sub)}
	c.row(q, k)[position[q][mOnline]]++
}

// peaks fills online of the longer windows when all panes are complete.
func (c *cells) peaks() {
	for _, q := range []cube{cRoom, cVariant} {
		at := position[q][mOnline]
		panes := make(map[rowKey]int64, len(c.rows[q]))
		for k, r := range c.rows[q] {
			if k.grain == g10s && r[at] > 0 {
				panes[k] = r[at]
			}
		}
		for k, online := range panes {
			for g := g1m; g < numGrains; g++ {
				r := c.row(q, rowKey{g, c.window(g, k.window), k.place, k.sub})
				r[at] = max(r[at], online)
			}
		}
	}
}

// net derives net_minor: paid GMV less the refunds by order date.
func (c *cells) net() {
	for _, q := range []cube{cRoomMoney, cSKUMoney} {
		p := position[q]
		for _, r := range c.rows[q] {
			r[p[mNet]] = r[p[mGMVPaid]] - r[p[mRefundByOrder]]
		}
	}
}
