package aggregate

import (
	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// stragglersMS is how much longer a reopened window stays open, so that what else comes late shares its generation: a view lasts for minutes,
// and its thresholds and watch time belong to the window of its enter.
const stragglersMS = 300_000

// keyCache is the cells that a key's newest minutes were found in last. An entry is a guess that the cell itself confirms.
type keyCache [2]uint32

func (a *Aggregator) cacheOf(key cellkey.ID) *keyCache {
	if int(key) >= len(a.recent) {
		a.recent = append(a.recent, make([]keyCache, int(key)+256+len(a.recent)/4-len(a.recent))...)
	}
	return &a.recent[key]
}

// minuteOf is the cell of a change's minute, 0 where the store would drop its row at once. Of the ledger no record drops out.
func (a *Aggregator) minuteOf(c *change.Change) uint32 {
	window := c.TS - c.TS%minuteMS
	if a.expired(a.minuteTTL, window+minuteMS) && !cellkey.Ledger(a.keys.Cube(c.Key)) {
		return 0
	}
	guess := &a.cacheOf(c.Key)[window/minuteMS%2]
	if m := a.cells.At(*guess); m.key == c.Key && m.window == window && m.grain == measure.Grain1m && m.state&closedBit == 0 {
		return *guess
	}
	*guess = a.cellAt(cellID{c.Key, measure.Grain1m, window})
	return *guess
}

// hourOf is the cell of the hour that contains ts, 0 where the store would drop its row at once.
func (a *Aggregator) hourOf(key cellkey.ID, ts int64) uint32 {
	window := ts - ts%hourMS
	if a.expired(a.hourTTL, window+hourMS) {
		return 0
	}
	return a.cellAt(cellID{key, measure.Grain1h, window})
}

// expired says that the store would drop the row of a window at once.
func (a *Aggregator) expired(ttl, end int64) bool { return ttl != 0 && a.wm != 0 && end+ttl < a.wm }

// attach gives a minute, which has been marked, its hour, from the first change on that the hour counts, so that its generation does not depend on when
// rows leave. Until it is final the hour is read from its minutes' rows (see hoursTold), and has none to send. It says whether this was the first.
func (a *Aggregator) attach(i uint32, m *cell) (first bool) {
	if m.hour == 0 {
		if cellkey.Ledger(a.keys.Cube(m.key)) {
			return false
		}
		if m.hour = a.hourOf(m.key, m.window); m.hour == 0 {
			return false
		}
		first = true
		h := a.cells.At(m.hour)
		m.next, h.minutes = h.minutes, i
		m.state |= countsBit
	}
	if a.past(m.window - m.window%hourMS + hourMS) {
		a.touch(m.hour, a.cells.At(m.hour))
	}
	return first
}

// cellAt finds or opens the cell of a window.
func (a *Aggregator) cellAt(id cellID) uint32 {
	if i := a.index.get(id); i != 0 && a.cells.At(i).state&closedBit == 0 {
		return i
	}
	return a.open(id)
}

// open makes a new generation of a window's partial at the current offset, which names it. Offset 0 is a control record, so 0 stays free.
func (a *Aggregator) open(id cellID) uint32 {
	i := a.cells.Alloc()
	a.unsaved.Mark(i)
	c := a.cells.At(i)
	c.key, c.grain, c.window, c.gen = id.key, id.grain, id.window, uint64(a.offset)
	c.prev = a.index.put(id, i)
	if id.grain == measure.Grain1h {
		c.sums[0] = a.sums.Alloc()
	}
	a.openCells++
	due := c.end() + a.final.lateness
	if a.past(c.end()) {
		c.reopened = true
		due = a.wm + stragglersMS + a.final.lateness
	}
	c.due = dueAt(due)
	a.due.add(c.due, i)
	return i
}

// waits says whether the generation before c, an hour's, is closed but not durable yet. Until it is, c's row stays here: the store folds closed
// generations of hours and keeps the newest one it has folded, so one that came after a newer one was folded would be taken for a repetition and lost.
func (a *Aggregator) waits(c *cell) bool {
	if c.prev == 0 || c.grain != measure.Grain1h {
		return false
	}
	if p := a.cells.At(c.prev); p.gen < c.gen && p.id() == c.id() {
		return true
	}
	c.prev = 0 // released; its slot may hold another cell by now
	return false
}
