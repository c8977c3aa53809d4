package exact

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// store is what ClickHouse does with rows: the highest version of a partial wins, closed partials are folded into one row that says up to
// which generation it contains them, partials and folded row add up.
type store struct {
	cells    map[cellKey]map[partial]row
	folded   map[cellKey]*foldedRow
	outcomes map[string]map[partial]row
	orders   map[string]rollup.Order
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
	values  []int64
}

type foldedRow struct {
	row
	contains map[uint16]uint64
}

func newStore() *store {
	return &store{cells: map[cellKey]map[partial]row{}, folded: map[cellKey]*foldedRow{}, outcomes: map[string]map[partial]row{}, orders: map[string]rollup.Order{}}
}

// write stores the rows for which keep says yes: a failed write may have stored any part of a batch.
func (s *store) write(b *rollup.Batch, keep func() bool) {
	for _, c := range b.Cells {
		for i := range c.Grain {
			k := cellKey{c.Cube, measure.Grain(c.Grain[i]), c.Window[i], c.Platform[i], c.Room[i], c.Session[i], [2]string{}}
			for n := range measure.SubKeys[c.Cube] {
				k.sub[n] = c.Sub[n][i]
			}
			r := row{c.Version[i], c.State[i], c.First[i], nil}
			for column := range c.Values {
				r.values = append(r.values, c.Value(column, i))
			}
			if keep() {
				put(s.cells, k, partial{c.Part[i], c.Gen[i]}, r)
			}
		}
	}
	for _, o := range b.Outcomes {
		if keep() {
			put(s.outcomes, fmt.Sprint(o.Topic, " ", o.Partition, " ", o.Minute, " ", o.Outcome, " ", o.Reason), partial{o.Part, o.Gen}, row{version: o.Version, values: []int64{o.Records}})
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

// fold adds closed partials up, by the rule of sinks/clickhouse: a generation is taken when all that are known to have been opened
// before it in its part are closed, and what was contained before adds nothing.
func (s *store) fold() {
	for k, partials := range s.cells {
		open := map[uint16]uint64{}
		for p, r := range partials {
			if first, ok := open[p.part]; r.state&rollup.Closed == 0 && (!ok || p.gen < first) {
				open[p.part] = p.gen
			}
		}
		f := s.folded[k]
		if f == nil {
			f = &foldedRow{row: row{first: math.MaxInt64, values: make([]int64, len(measure.Columns[k.cube]))}, contains: map[uint16]uint64{}}
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
	if o.first != 0 {
		r.first = min(r.first, o.first)
	}
	for i, v := range o.values {
		r.values[i] += v
	}
}

// tables are the analyst's rows: table → readable key → measures that are not 0.
type tables map[string]map[string]map[string]int64

func (t tables) set(table, key, measure string, v int64) {
	if v == 0 {
		return
	}
	if t[table] == nil {
		t[table] = map[string]map[string]int64{}
	}
	if t[table][key] == nil {
		t[table][key] = map[string]int64{}
	}
	t[table][key][measure] = v
}

func keyText(grain measure.Grain, window int64, platform, room, session string, sub [2]string) string {
	return fmt.Sprintf("%s %d %s %s %s %s", measure.GrainNames[grain], window, platform, room, session, sub)
}

func (s *store) read() tables {
	t := tables{}
	merged := map[cellKey]row{}
	for k, partials := range s.cells {
		sum := row{first: math.MaxInt64, values: make([]int64, len(measure.Columns[k.cube]))}
		contains := map[uint16]uint64{}
		if f := s.folded[k]; f != nil {
			sum.add(f.row)
			contains = f.contains
		}
		for p, r := range partials {
			if had, ok := contains[p.part]; ok && p.gen <= had {
				continue
			}
			sum.add(r)
		}
		merged[k] = sum
	}
	online := map[cellKey]int64{}
	for k, r := range merged {
		for i, col := range measure.Columns[k.cube] {
			if col.Name == "online" {
				if k.grain == measure.Grain10s && r.values[i] != 0 {
					peaks(online, k, r.values[i])
				}
				continue
			}
			t.set(measure.CubeTables[k.cube], keyText(k.grain, k.window, k.platform, k.room, k.session, k.sub), col.Name, r.values[i])
		}
		if k.cube == measure.Room && k.grain == measure.GrainSession && k.room != "" { // '' has also seen the orders that moved away
			t.set("session starts", fmt.Sprint(k.platform, " ", k.room, " ", k.session), "first", r.first)
		}
	}
	for k, v := range online {
		t.set(measure.CubeTables[k.cube], keyText(k.grain, k.window, k.platform, k.room, k.session, k.sub), "online", v)
	}
	for k, partials := range s.outcomes {
		n := int64(0)
		for _, r := range partials {
			n += r.values[0]
		}
		t.set("outcomes", k, "records", n)
	}
	for _, o := range s.orders {
		t.order(o.Platform, o.OrderID, o.State, o.OrderVersion, o.Room, o.Session, o.Currency, o.PaidMinor, o.RefundMinor)
	}
	t.net()
	return t
}

func (t tables) order(platform, id, state string, version int64, room, session, currency string, paid, refund int64) {
	key := fmt.Sprintf("%s %s %s v%d in %q %q %s paid %d refunded %d", platform, id, state, version, room, session, currency, paid, refund)
	t.set("orders", key, "orders", t["orders"][key]["orders"]+1) // two buyers may have one order id
}

var shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

// peaks raises the longer windows' online to that of one of their panes.
func peaks(online map[cellKey]int64, k cellKey, v int64) {
	at := time.UnixMilli(k.window)
	d := at.In(shanghai)
	for g, w := range [measure.NumGrains]int64{k.window, at.Truncate(time.Minute).UnixMilli(), at.Truncate(time.Hour).UnixMilli(),
		time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, shanghai).UnixMilli(), 0} {
		k.grain, k.window = measure.Grain(g), w
		online[k] = max(online[k], v)
	}
}

func (t tables) net() {
	for _, name := range []string{"room_money", "sku_money"} {
		for key, m := range t[name] {
			t.set(name, key, "net_minor", m["gmv_paid_minor"]-m["refund_minor_by_order"])
		}
	}
}

// differences between what the ledger says and the rows, one a line.
func (t tables) differences(rows tables) string {
	lines := map[string]bool{}
	for _, both := range [2]tables{t, rows} {
		for table, keys := range both {
			for key, measures := range keys {
				for m := range measures {
					if want, got := t[table][key][m], rows[table][key][m]; want != got {
						lines[fmt.Sprintf("%s %s %s: ledger %d, rows %d\n", table, key, m, want, got)] = true
					}
				}
			}
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(lines)), "")
}
