package aggregate

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// flight is what one flush sent and nobody has acknowledged yet.
type flight struct {
	token  uint64
	cells  []uint32
	orders []orderKey
	before told // before it
	tells  bool // has a watermark
	anew   bool // of a round that sends anew
}

// told is what was sent of a watermark: with the offset up to which it speaks.
type told struct{ wm, at int64 }

type orderKey struct {
	platform, id string
	buyer        [16]byte
}

func (k orderKey) compare(o orderKey) int {
	return cmp.Or(cmp.Compare(k.platform, o.platform), cmp.Compare(k.id, o.id), bytes.Compare(k.buyer[:], o.buyer[:]))
}

// pendingOrder is an order row that the store has not acknowledged.
type pendingOrder struct {
	row   rollup.Order
	dirty bool
}

func (a *Aggregator) order(o *rollup.Order) {
	k := orderKey{o.Platform, o.OrderID, o.Buyer}
	p := a.orders[k]
	if p == nil {
		p = &pendingOrder{}
		a.orders[k] = p
	}
	p.row, p.dirty = *o, true
}

// A round is one look at all that changed. One with very many rows leaves in pieces, cube by cube, and the next piece is asked for when the one before
// is acknowledged: what rows take up on their way to the store, several times over, would otherwise be as large as what they are made of.
const (
	wholeRound = 50_000 // rows up to which a round is one piece
	pieceRows  = 20_000 // rows from which a piece takes no further cube
)

// Pieces makes rounds of more rows than whole leave in pieces, each of cubes until it has rows of them. Zero keeps what is: 50,000 and 20,000.
func (a *Aggregator) Pieces(whole, rows int) {
	a.wholeRound, a.pieceRows = cmp.Or(whole, a.wholeRound), cmp.Or(rows, a.pieceRows)
}

// round is what is known of the round that is under way.
type round struct {
	turn   turn
	wm     int64 // watermark when it began
	held   int64 // since when the first row waits that does not leave with it, but for minutes that wait for their cube's turn
	told   int64 // hours that begin before it are told by the watermark that was sent before the round
	behind bool
	cells  [measure.NumCubes][]uint32 // that have not left yet
	rows   int                        // in all of cells
}

// Flush appends the rows that changed to b, all at the current offset. While behind only final windows leave: freshness means
// nothing then, and a row costs the store as much as an event costs us. more says that the round goes on with the next flush.
func (a *Aggregator) Flush(b *rollup.Batch, behind bool) (token uint64, more bool) {
	a.token++
	f := flight{token: a.token, before: a.told, anew: a.anew}
	r := &a.round
	if r.rows > 0 && r.behind != behind {
		a.endRound()
	}
	if r.rows == 0 {
		a.beginRound(behind)
		f.orders = a.flushOrders(b)
	}
	a.takePiece()
	for piece := range slices.Chunk(a.leaving, rowsAhead) {
		a.warmRows(piece)
		for _, i := range piece {
			c := a.cells.At(i)
			c.dirty, c.listed = false, false
			c.inflight++
			a.row(b, i, c, r.turn.still)
		}
	}
	f.cells = slices.Clone(a.leaving)
	a.anew = a.anew && r.rows > 0
	if wm := a.sent(); r.rows == 0 && a.restLeaves() {
		a.told, a.untold, f.tells = told{wm, a.offset}, false, true
		b.Watermarks = append(b.Watermarks, rollup.Watermark{Part: a.partition, Version: uint64(a.offset), WM: wm, FinalBefore: a.final.end(wm), HoursTold: a.hoursTold(wm)})
	}
	a.flights = append(a.flights, f)
	return a.token, r.rows > 0
}

// beginRound finds the cells whose rows leave.
func (a *Aggregator) beginRound(behind bool) {
	a.flushes++
	r := &a.round
	r.turn, r.behind, r.wm, r.held, r.told = a.turn(), behind, a.wm, math.MaxInt64, a.hoursTold(a.told.wm)
	keep := a.dirty[:0]
	for _, i := range a.dirty {
		c := a.cells.At(i)
		switch {
		case !c.dirty:
			c.listed = false
		case a.leaves(c, behind, r.turn):
			cube := a.pieceOf(c)
			r.cells[cube] = append(r.cells[cube], i)
			r.rows++
		default:
			keep = append(keep, i)
			if c.grain == measure.Grain1h || c.reopened || a.waits(c) || behind && c.ahead == 0 && (c.hour != 0 || a.past(c.window+paneMS)) {
				r.held = min(r.held, c.since)
			}
			// An hour that is not told yet is read from its minutes: while its own row waits, the watermark that is sent stays before the one that tells it.
			if c.grain == measure.Grain1h && c.window >= r.told {
				r.held = min(r.held, a.final.from(c.end())-1)
			}
		}
	}
	a.dirty = keep
}

// endRound gives what has not left yet back to the changed cells, for another round.
func (a *Aggregator) endRound() {
	r := &a.round
	for cube, cells := range r.cells {
		a.dirty = append(a.dirty, cells...)
		r.cells[cube] = cells[:0]
	}
	r.rows = 0
}

// takePiece moves the cells that leave now to a.leaving.
func (a *Aggregator) takePiece() {
	a.leaving = a.leaving[:0]
	r := &a.round
	all := r.rows <= a.wholeRound
	for cube, cells := range r.cells {
		if all || len(a.leaving) < a.pieceRows {
			a.leaving = append(a.leaving, cells...)
			r.cells[cube] = cells[:0]
		}
	}
	r.rows -= len(a.leaving)
}

// pieceOf is the cube with which a cell's row leaves.
func (a *Aggregator) pieceOf(c *cell) measure.Cube {
	if cube := a.keys.Cube(c.key); !cellkey.Ledger(cube) {
		return cube
	}
	return measure.Room
}

// restLeaves says whether what is the same for all cubes leaves with this round.
func (a *Aggregator) restLeaves() bool {
	return a.untold || a.round.behind || a.round.turn.rest || a.flushes%restEvery == 0
}

func (a *Aggregator) flushOrders(b *rollup.Batch) (keys []orderKey) {
	if !a.restLeaves() {
		return nil
	}
	for k, p := range a.orders {
		if p.dirty {
			p.dirty = false
			keys = append(keys, k)
			b.Orders = append(b.Orders, p.row)
		}
	}
	return keys
}

// sent is the watermark of which rollup.Watermark can be said: all rows of what came before it have left. A window that is final has a row that
// leaves at once where it is a minute or an hour; a pane is final before its minute, whose row waits for its cube's turn, or, behind, for its end.
// What a session, final for an hour of silence, got since then may be in a minute that waits: see round.held.
// A cell that changed after the round began has a later since than that.
func (a *Aggregator) sent() int64 {
	r := &a.round
	if r.rows > 0 {
		return a.told.wm
	}
	if r.behind {
		return max(a.told.wm, min(r.wm-minuteMS, r.held))
	}
	low := int64(math.MaxInt64)
	for cube := range a.turned {
		for part := range a.turned[cube] {
			if r.turn.rest || eachFlush(measure.Cube(cube)) || a.turnOf(measure.Cube(cube), part, r.turn) {
				a.turned[cube][part] = r.wm
			}
			low = min(low, a.turned[cube][part])
		}
	}
	return max(a.told.wm, min(low, r.held))
}

// Anew sends all that is held to a store that has none of it, before it is told a watermark: of a window that is held still it has all tables, of the others
// none.
func (a *Aggregator) Anew() {
	for i := uint32(1); i < a.cells.Cap(); i++ {
		if c := a.cells.At(i); c.key != 0 && !c.dirty {
			a.touch(i, c)
			c.since = a.told.wm
		}
	}
	a.anew = true
}

// Last makes the flushes that follow send every row that changed: the task is about to end.
func (a *Aggregator) Last() {
	a.endRound()
	a.last = true
}

// leaves says whether a changed cell's row goes with this flush. A minute that has not begun and has nothing but who is online waits, and a pane that
// has not begun too: online reaches 30 s ahead. See waitsUntil.
func (a *Aggregator) leaves(c *cell, behind bool, turn turn) bool {
	now := max(a.maxRecv, a.wm)
	switch {
	case a.waits(c):
		return false
	case c.state&closedBit != 0 || a.outlived(c):
		return true
	case c.grain == measure.Grain1h && c.window >= a.round.told && a.past(c.end()): // what comes late, without end, would keep the hour untold
		return true
	case behind: // a reopened hour that stragglers keep open would hold the watermark back for as long
		return c.grain == measure.Grain1h && c.since+hourMS+a.final.lateness <= a.wm
	case turn.rest:
		return true
	case a.waitsUntil(c) > now:
		return false
	}
	cube, part := a.keys.Cube(c.key), int(c.key%slowParts)
	if c.grain == measure.Grain1h {
		return a.turnOf(cube, part, turn) && (turn.few || eachFlush(cube) || a.coarseTurn(cube, part, turn, c.key))
	}
	return a.turnOf(cube, part, turn) || eachFlush(cube) && !c.reopened
}

// aheadSpread is the time, ms, over which rows leave that waited for a pane to begin and for nothing else. All rooms' panes begin at once: in one flush
// they would hold up the next by half a second. It is less than a pane: a flush at which the pane is over, and more so one that tells that it is final, has
// the row.
const aheadSpread = 4096

// waitsUntil is until when a changed cell's row waits, ms: for a pane to begin, or for a window with nothing but who will be online, and for its
// key's part of aheadSpread; 0 where more has changed.
func (a *Aggregator) waitsUntil(c *cell) int64 {
	spread := int64(c.key) % aheadSpread
	switch {
	case c.ahead != 0:
		return c.window + int64(c.ahead-1)*paneMS + spread
	case c.hour != 0:
		return 0
	case c.grain == measure.Grain1h || cellkey.Ledger(a.keys.Cube(c.key)): // these never have an hour
		return c.window
	}
	return c.window + spread
}

// outlived: an hour that is final but waits for stragglers of its minutes.
func (a *Aggregator) outlived(c *cell) bool {
	return c.grain == measure.Grain1h && !c.reopened && a.past(c.end())
}
