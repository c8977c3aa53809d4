package exact

import (
	"fmt"
	"math"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// store is what ClickHouse does with rows: the highest version of a partial wins, closed partials are folded into one row that says up to
// which generation it contains them, partials and folded row add up.
type store struct {
	cells    map[cellKey]map[partial]row // of minutes and hours
	told     []rollup.Watermark          // the highest of each partition
	folded   map[cellKey]*foldedRow
	outcomes map[string]map[partial]row
	complete map[string]map[partial]row
	orders   map[string]rollup.Order
	said     []rollup.Watermark // all that came
	broken   tables             // what no row may be
}

type cellKey struct {
	cube                    measure.Cube
	grain                   measure.Grain
	window                  int64
	platform, room, session string
	sub                     [2]string
}

type partial struct {
	part uint16
	gen  uint64
}

type row struct {
	version uint64
	state   uint8
	first   int64
	values  map[measure.Slot]int64
	panes   map[uint16]int64
}

func emptyRow() row {
	return row{first: math.MaxInt64, values: map[measure.Slot]int64{}, panes: map[uint16]int64{}}
}

type foldedRow struct {
	row
	contains map[uint16]uint64
}

func newStore(parts int) *store {
	return &store{told: make([]rollup.Watermark, parts), cells: map[cellKey]map[partial]row{}, folded: map[cellKey]*foldedRow{}, outcomes: map[string]map[partial]row{}, complete: map[string]map[partial]row{}, orders: map[string]rollup.Order{}, broken: tables{}}
}

// write stores the rows for which keep says yes: a failed write may have stored any part of a batch.
func (s *store) write(b *rollup.Batch, keep func() bool) {
	for _, c := range b.Cells {
		for i := range c.Grain {
			k := cellKey{c.Cube, measure.Grain(c.Grain[i]), c.Window[i], c.Platform[i], c.Room[i], c.Session[i], [2]string{}}
			for n := range measure.SubKeys[c.Cube] {
				k.sub[n] = c.Sub[n][i]
			}
			if r := s.rowOf(c, i, k); keep() {
				put(s.cells, k, partial{c.Part[i], c.Gen[i]}, r)
			}
		}
	}
	s.said = append(s.said, b.Watermarks...)
	for _, w := range b.Watermarks {
		if keep() && w.WM > s.told[w.Part].WM {
			s.told[w.Part] = w
		}
	}
	for _, o := range b.Outcomes {
		if keep() {
			put(s.outcomes, fmt.Sprint(o.Topic, " ", o.Partition, " ", o.Minute, " ", o.Outcome, " ", o.Reason), partial{o.Part, o.Gen},
				row{version: o.Version, values: map[measure.Slot]int64{0: o.Records}})
		}
	}
	for _, o := range b.Completeness {
		if keep() {
			put(s.complete, fmt.Sprint(o.Platform, " ", o.Kind, " ", o.SDKName, " ", o.SDKVersion, " ", o.Minute), partial{o.Part, o.Gen},
				row{version: o.Version, values: map[measure.Slot]int64{0: o.Expected, 1: o.Received}})
		}
	}
	for _, o := range b.Orders {
		k := fmt.Sprintf("%s %s %x", o.Platform, o.OrderID, o.Buyer)
		if old, ok := s.orders[k]; keep() && (!ok || o.Version >= old.Version) {
			s.orders[k] = o
		}
	}
}

func put[K comparable](m map[K]map[partial]row, k K, p partial, r row) {
	if m[k] == nil {
		m[k] = map[partial]row{}
	}
	if old, ok := m[k][p]; !ok || r.version >= old.version {
		m[k][p] = r
	}
}

// fold adds closed partials of hours up, by the rule of sinks/clickhouse: a generation is taken when all that are known to have been opened
// before it in its part are closed, and what was contained before adds nothing.
func (s *store) fold() {
	for k, partials := range s.cells {
		if k.grain != measure.Grain1h {
			continue
		}
		open := map[uint16]uint64{}
		for p, r := range partials {
			if first, ok := open[p.part]; r.state&rollup.Closed == 0 && (!ok || p.gen < first) {
				open[p.part] = p.gen
			}
		}
		f := s.folded[k]
		if f == nil {
			f = &foldedRow{row: emptyRow(), contains: map[uint16]uint64{}}
			s.folded[k] = f
		}
		top := map[uint16]uint64{}
		for p, r := range partials {
			if first, ok := open[p.part]; r.state&rollup.Closed == 0 || ok && p.gen > first {
				continue
			}
			delete(partials, p)
			if had, ok := f.contains[p.part]; ok && p.gen <= had {
				continue
			}
			top[p.part] = max(top[p.part], p.gen)
			f.add(r)
		}
		for part, gen := range top {
			f.contains[part] = gen
		}
	}
}

func (r *row) add(o row) {
	r.state |= o.state
	if o.first != 0 {
		r.first = min(r.first, o.first)
	}
	for slot, v := range o.values {
		r.values[slot] += v
	}
	for at, v := range o.panes {
		switch measure.Slot(at % measure.PaneStride) {
		case measure.PaneUpdated, measure.PaneLate:
			r.panes[at] = max(r.panes[at], v)
		default:
			r.panes[at] += v
		}
	}
}
