package aggregate

import (
	"maps"
	"slices"

	"github.com/livemeter/livemeter/pipeline/bucket"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/wire"
)

// stateVersion is the format of a changelog record, its first byte.
const stateVersion = 8

const (
	keyMeta   = "am"
	keyOrders = "ao"
	keyPrefix = 'a' // of all keys
)

// Owns says whether a changelog key is the aggregator's.
func Owns(key []byte) bool { return len(key) > 1 && key[0] == keyPrefix }

// Snapshot begins to save the state of now: the cells that changed since the last one began, and what the store has not acknowledged. A cell stays
// in the changelog until its last row is acknowledged: what is not is sent again after a restore.
func (a *Aggregator) Snapshot() {
	a.unsaved.Begin(saving{a})
	var meta, orders wire.Writer
	a.packMeta(&meta)
	a.packOrders(&orders)
	a.meta, a.metaOrders = meta.Buf, orders.Buf
}

// Save emits the next part of the snapshot, some changelog records; a nil value deletes. False when there is no more.
func (a *Aggregator) Save(emit func(key, value []byte)) bool {
	if a.meta != nil {
		emit([]byte(keyMeta), a.meta)
		emit([]byte(keyOrders), a.metaOrders)
		a.meta, a.metaOrders = nil, nil
	}
	return a.unsaved.Save(&a.packing, keyPrefix, stateVersion, emit)
}

// saving is the aggregator as bucket.Set sees it.
type saving struct{ *Aggregator }

func (s saving) Cap() uint32 { return s.cells.Cap() }

func (s saving) Warm(from, to uint32) {
	var cells [bucket.Slots]uint32
	n := 0
	for i := from; i < to; i++ {
		if s.cells.At(i).key != 0 {
			cells[n] = i
			n++
		}
	}
	s.warmRows(cells[:n])
}

func (s saving) Pack(w *wire.Writer, slot uint32) {
	if c := s.cells.At(slot); c.key != 0 {
		w.Byte(byte(slot%bucket.Slots) + 1)
		s.packCell(w, c)
	}
}

func (a *Aggregator) packMeta(w *wire.Writer) {
	w.Byte(stateVersion)
	w.Int(a.offset)
	w.Int(a.wm)
	w.Int(a.maxRecv)
	w.Int(a.final.lateness)
	w.Uint(uint64(len(a.final.former)))
	for _, l := range a.final.former {
		w.Int(l.until)
		w.Int(l.lateness)
	}
	w.Bool(a.settings != nil)
	if a.settings != nil {
		w.Raw(string(eventlog.AppendSettings(nil, a.settings)))
	}
	last := a.durable()
	w.Int(last.wm)
	w.Int(last.at)
}

// durable is what was told with the newest watermark of which the store has said that it has it.
func (a *Aggregator) durable() told {
	if len(a.flights) > 0 {
		return a.flights[0].before
	}
	return a.told
}

func (a *Aggregator) packCell(w *wire.Writer, c *cell) {
	w.Uint(uint64(c.key))
	w.Byte(byte(c.grain))
	w.Byte(c.state)
	w.Bool(c.dirty || c.inflight > 0)
	w.Bool(c.reopened)
	w.Bool(c.hour != 0)
	for _, n := range [7]int64{c.window, int64(c.gen), int64(c.updated), c.first, c.until, c.opened, c.lateAt} {
		w.Int(n)
	}
	w.Uint(uint64(c.due))
	used := byte(0)
	for k, i := range c.sums {
		if i != 0 {
			used |= 1 << k
		}
	}
	w.Byte(used)
	for _, i := range c.sums {
		if i != 0 {
			a.packSum(w, a.sums.At(i))
		}
	}
}

// packSum writes state and time of the last change, how many slots are not 0, and those.
func (a *Aggregator) packSum(w *wire.Writer, s *sparse) {
	w.Byte(s.state)
	w.Int(int64(s.updated))
	at := len(w.Buf)
	w.Byte(0)
	if s.n != wide {
		for k, v := range s.value[:s.n] {
			if v != 0 {
				w.Buf[at]++
				w.Byte(s.slot[k])
				w.Int(v)
			}
		}
		return
	}
	a.eachOfLines(s, func(slot measure.Slot, v int64) {
		w.Buf[at]++
		w.Byte(byte(slot))
		w.Int(v)
	})
}

func (a *Aggregator) packOrders(w *wire.Writer) {
	w.Byte(stateVersion)
	w.Uint(uint64(len(a.orders)))
	for _, k := range slices.SortedFunc(maps.Keys(a.orders), orderKey.compare) {
		row := &a.orders[k].row
		change.PackOrder(w, row)
		w.Int(int64(row.Version))
	}
}
