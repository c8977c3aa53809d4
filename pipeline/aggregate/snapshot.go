package aggregate

import (
	"encoding/binary"
	"slices"

	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/slab"
	"github.com/livemeter/livemeter/pipeline/wire"
)

// stateVersion is the format of a changelog record, its first byte.
const stateVersion = 4

const (
	keyMeta   = "am"
	keyOrders = "ao"
	keyPrefix = 'a' // followed by 'b' and the bucket number, big endian
)

// Owns says whether a changelog key is the aggregator's.
func Owns(key []byte) bool { return len(key) > 1 && key[0] == keyPrefix }

// Snapshot emits the changelog records of all cells that changed since the last Snapshot. A cell stays in them until the store has
// acknowledged its last row: what is not acknowledged is sent again after a restore.
func (a *Aggregator) Snapshot(emit func(key, value []byte)) {
	var w wire.Writer
	a.saved.Drain(func(bucket uint32) {
		w.Reset()
		a.packBucket(&w, bucket)
		key := binary.BigEndian.AppendUint32([]byte{keyPrefix, 'b'}, bucket)
		if len(w.Buf) == 1 {
			emit(key, nil)
			return
		}
		emit(key, slices.Clone(w.Buf))
	})
	w.Reset()
	a.packMeta(&w)
	emit([]byte(keyMeta), slices.Clone(w.Buf))
	w.Reset()
	a.packOrders(&w)
	emit([]byte(keyOrders), slices.Clone(w.Buf))
}

func (a *Aggregator) packMeta(w *wire.Writer) {
	w.Byte(stateVersion)
	w.Int(a.offset)
	w.Int(a.wm)
	w.Int(a.maxRecv)
	w.Bool(a.settings != nil)
	if a.settings != nil {
		w.Raw(string(eventlog.AppendSettings(nil, a.settings)))
	}
	w.Int(a.durableWM())
}

// durableWM is the newest watermark of which the store has said that it has it.
func (a *Aggregator) durableWM() int64 {
	if len(a.flights) > 0 {
		return a.flights[0].before
	}
	return a.sentWM
}

func (a *Aggregator) packBucket(w *wire.Writer, bucket uint32) {
	w.Byte(stateVersion)
	a.leaving = a.leaving[:0]
	for i := max(1, bucket*slab.BucketSlots); i < min((bucket+1)*slab.BucketSlots, a.cells.Cap()); i++ {
		if a.cells.At(i).key != 0 {
			a.leaving = append(a.leaving, i)
		}
	}
	a.warmRows(a.leaving)
	for _, i := range a.leaving {
		w.Byte(byte(i%slab.BucketSlots) + 1)
		a.packCell(w, a.cells.At(i))
	}
}

func (a *Aggregator) packCell(w *wire.Writer, c *cell) {
	k := a.keys.Key(c.key)
	w.Byte(byte(k.Cube))
	for _, t := range [5]string{k.Platform, k.Room, k.Session, k.Sub[0], k.Sub[1]} {
		w.String(t)
	}
	w.Byte(byte(c.grain))
	w.Byte(c.state)
	w.Bool(c.dirty || c.inflight > 0)
	w.Bool(c.reopened)
	w.Bool(c.hour != 0)
	for _, n := range [8]int64{c.window, int64(c.gen), c.first, c.last, c.own, c.any, c.opened, c.lateAt} {
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

// packSum writes how many slots are not 0, and those.
func (a *Aggregator) packSum(w *wire.Writer, s *sparse) {
	w.Bool(s.shown)
	w.Bool(s.late)
	w.Int(s.own)
	w.Int(s.any)
	n := byte(0)
	a.each(s, func(measure.Slot, int64) { n++ })
	w.Byte(n)
	a.each(s, func(slot measure.Slot, v int64) {
		w.Byte(byte(slot))
		w.Int(v)
	})
}

func (a *Aggregator) packOrders(w *wire.Writer) {
	w.Byte(stateVersion)
	w.Uint(uint64(len(a.orders)))
	for _, p := range a.orders {
		packOrder(w, &p.row)
	}
}

func packOrder(w *wire.Writer, o *rollup.Order) {
	w.String(o.Platform)
	w.Raw(o.OrderID)
	w.Raw(string(o.Buyer[:]))
	for _, t := range [4]string{o.State, o.Room, o.Session, o.Currency} {
		w.String(t)
	}
	for _, n := range [8]int64{o.OrderVersion, o.PaidMinor, o.RefundMinor, o.CreatedTS, o.PaidTS, o.EventTS, o.Updated, int64(o.Version)} {
		w.Int(n)
	}
}
