package exact

import (
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// rowOf takes a row of a batch by slots, and notes what no row may be.
func (s *store) rowOf(c *rollup.Cells, i int, k cellKey) row {
	r := row{c.Version[i], c.State[i], c.First[i], map[measure.Slot]int64{}, map[uint16]int64{}}
	broken := func(why string) {
		s.broken.set("broken rows", fmt.Sprint(keyText(k.grain, k.window, k.platform, k.room, k.session, k.sub), " of ", measure.CubeTables[k.cube]), why, 1)
	}
	if k.grain != measure.Grain1m && k.grain != measure.Grain1h {
		broken("grain")
	}
	for n, col := range measure.RowColumns[k.cube] {
		slot := col.Hour
		if k.grain == measure.Grain1m {
			slot = col.Minute
		}
		switch v := c.Value(n, i); {
		case v == 0:
		case slot == measure.NoSlot:
			broken(col.Name)
		default:
			r.values[slot] = v
		}
	}
	at, value := c.Panes(i)
	for n, key := range at {
		r.panes[key] = value[n]
		if slot := measure.Slot(key % measure.PaneStride); key >= measure.PanesPerMinute*measure.PaneStride || k.grain != measure.Grain1m ||
			n > 0 && key <= at[n-1] || slot < measure.PaneLate && !paneSlots[k.cube][slot] {
			broken(fmt.Sprint("entry ", key))
		}
	}
	return r
}

// paneSlots are the slots that a pane of a cube may have.
var paneSlots = func() (all [measure.NumCubes]map[measure.Slot]bool) {
	for cube, columns := range measure.Columns {
		all[cube] = map[measure.Slot]bool{}
		for _, col := range columns {
			all[cube][col.SlotAt(measure.Grain10s)] = true
		}
	}
	return all
}()

// merged are the stored rows, partials and folded row of a key added up.
func (s *store) merged() map[cellKey]row {
	all := map[cellKey]row{}
	for k, partials := range s.cells {
		sum := emptyRow()
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
		all[k] = sum
	}
	return all
}

// windows are those of all grains, each by the slots of its grain: panes of minutes, and hours, days and sessions as sums of the rows of hours that
// every partition has told, and of the minutes of the others.
func (s *store) windows() map[cellKey]row {
	all := map[cellKey]row{}
	add := func(k cellKey, g measure.Grain, window int64, r row) {
		k.grain, k.window = g, window
		sum, ok := all[k]
		if !ok {
			sum = emptyRow()
		}
		sum.add(r)
		all[k] = sum
	}
	told := int64(math.MaxInt64)
	for _, w := range s.told {
		told = min(told, w.HoursTold)
	}
	for k, r := range s.merged() {
		if k.grain == measure.Grain1m {
			add(k, measure.Grain1m, k.window, row{values: r.values})
			for pane, values := range panesOf(r.panes) {
				add(k, measure.Grain10s, k.window+int64(pane)*10*second, row{values: values})
			}
		}
		if start := k.window - k.window%hour; (k.grain == measure.Grain1h) == (start < told) && (k.grain == measure.Grain1h || r.state&rollup.Counts != 0) {
			add(k, measure.Grain1h, start, row{values: r.values})
			add(k, measure.Grain1d, dayOf(start), row{values: r.values})
			add(k, measure.GrainSession, 0, row{first: r.first, values: r.values})
		}
	}
	return all
}

// panesOf are the panes of a minute that are windows of their own.
func panesOf(entries map[uint16]int64) map[uint16]map[measure.Slot]int64 {
	panes := map[uint16]map[measure.Slot]int64{}
	for at := range entries {
		if at%measure.PaneStride == uint16(measure.PaneUpdated) {
			panes[at/measure.PaneStride] = map[measure.Slot]int64{}
		}
	}
	for at, v := range entries {
		if slots := panes[at/measure.PaneStride]; slots != nil {
			slots[measure.Slot(at%measure.PaneStride)] = v
		}
	}
	return panes
}

// read is what an analyst sees.
func (s *store) read() tables {
	t := maps.Clone(s.broken)
	online := map[cellKey]int64{}
	for k, r := range s.windows() {
		for _, col := range measure.Columns[k.cube] {
			v := r.values[col.SlotAt(k.grain)]
			if col.Name == "online" {
				if k.grain == measure.Grain10s && v != 0 {
					peaks(online, k, v)
				}
				continue
			}
			t.set(measure.CubeTables[k.cube], keyText(k.grain, k.window, k.platform, k.room, k.session, k.sub), col.Name, v)
		}
		if k.cube == measure.Room && k.grain == measure.GrainSession && k.room != "" && r.first != math.MaxInt64 { // '' has also seen the orders that moved away
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
	for k, partials := range s.complete {
		for slot, name := range []string{"expected", "received"} { // late depends on how the sources were read
			n := int64(0)
			for _, r := range partials {
				n += r.values[measure.Slot(slot)]
			}
			t.set("completeness", k, name, n)
		}
	}
	for _, o := range s.orders {
		t.order(o.Platform, o.OrderID, o.State, o.OrderVersion, o.Room, o.Session, o.Currency, o.PaidMinor, o.RefundMinor)
	}
	t.net()
	return t
}

var shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

func dayOf(ms int64) int64 {
	d := time.UnixMilli(ms).In(shanghai)
	return time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, shanghai).UnixMilli()
}

// peaks raises the longer windows' online to that of one of their panes.
func peaks(online map[cellKey]int64, k cellKey, v int64) {
	at := time.UnixMilli(k.window)
	for g, w := range [measure.NumGrains]int64{k.window, at.Truncate(time.Minute).UnixMilli(), at.Truncate(time.Hour).UnixMilli(),
		dayOf(k.window), 0} {
		k.grain, k.window = measure.Grain(g), w
		online[k] = max(online[k], v)
	}
}
