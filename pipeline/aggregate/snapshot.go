package aggregate

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/slab"
	"github.com/livemeter/livemeter/pipeline/wire"
)

// stateVersion is the format of a changelog record, its first byte.
const stateVersion = 2

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
	a.fold()
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
}

func (a *Aggregator) packBucket(w *wire.Writer, bucket uint32) {
	w.Byte(stateVersion)
	for i := max(1, bucket*slab.BucketSlots); i < min((bucket+1)*slab.BucketSlots, a.cells.Cap()); i++ {
		if c := a.cells.At(i); c.key != 0 {
			w.Byte(byte(i%slab.BucketSlots) + 1)
			a.packCell(w, c)
		}
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
	for _, n := range [9]int64{c.window, int64(c.gen), c.first, c.last, c.own, c.any, c.due, c.opened, c.lateAt} {
		w.Int(n)
	}
	used := uint64(0)
	for k, i := range c.value {
		if i != 0 {
			used |= 1 << k
		}
	}
	w.Uint(used)
	for _, i := range c.value {
		if i != 0 {
			packLine(w, a.lines.At(i))
		}
	}
}

// packLine writes which slots are not 0, and those: most are.
func packLine(w *wire.Writer, l *line) {
	used := byte(0)
	for s, v := range l {
		if v != 0 {
			used |= 1 << s
		}
	}
	w.Byte(used)
	for _, v := range l {
		if v != 0 {
			w.Int(v)
		}
	}
}

func unpackLine(r *wire.Reader, l *line) {
	used := r.Byte()
	for s := range l {
		if used>>s&1 != 0 {
			l[s] = r.Int()
		}
	}
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

func unpackOrder(r *wire.Reader) (o rollup.Order) {
	o.Platform, o.OrderID = r.String(), r.Raw()
	copy(o.Buyer[:], r.Raw())
	o.State, o.Room, o.Session, o.Currency = r.String(), r.String(), r.String(), r.String()
	for _, n := range [7]*int64{&o.OrderVersion, &o.PaidMinor, &o.RefundMinor, &o.CreatedTS, &o.PaidTS, &o.EventTS, &o.Updated} {
		*n = r.Int()
	}
	o.Version = uint64(r.Int())
	return o
}

// Restore takes one live changelog record of an empty aggregator: each key once, with its newest value.
func (a *Aggregator) Restore(key, value []byte) error {
	var r wire.Reader
	r.Reset(value)
	if v := r.Byte(); v != stateVersion && r.Err() == nil {
		return fmt.Errorf("state format %d is not known to this livemeter (it writes %d): run the version that wrote it, or a newer one", v, stateVersion)
	}
	switch {
	case string(key) == keyMeta:
		return a.unpackMeta(&r)
	case string(key) == keyOrders:
		for range r.Count(12) {
			o := unpackOrder(&r)
			a.order(&o)
		}
		return r.Err()
	case len(key) == 6:
		return a.unpackBucket(&r, binary.BigEndian.Uint32(key[2:]))
	}
	return fmt.Errorf("changelog key %q is not the aggregator's", key)
}

// Restored rebuilds what is derived once all records are in.
func (a *Aggregator) Restored() {
	a.cells.Rebuild(func(i uint32) bool { return a.cells.At(i).key != 0 })
	a.indexCells()
}

// indexCells links the generations of each window, oldest first.
func (a *Aggregator) indexCells() {
	order := make([]uint32, 0, a.cells.Len())
	for i := uint32(1); i < a.cells.Cap(); i++ {
		if a.cells.At(i).key != 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(i, j uint32) int { return cmp.Compare(a.cells.At(i).gen, a.cells.At(j).gen) })
	for _, i := range order {
		c := a.cells.At(i)
		c.prev = a.index.put(c.id(), i)
	}
}

// Offset is that of the newest record applied, 0 before the first.
func (a *Aggregator) Offset() int64 { return a.offset }

func (a *Aggregator) unpackMeta(r *wire.Reader) error {
	a.offset, a.wm, a.maxRecv, a.started = r.Int(), r.Int(), r.Int(), true
	if r.Bool() {
		s, err := eventlog.DecodeSettings([]byte(r.Raw()))
		if err != nil {
			return err
		}
		if _, err := time.LoadLocation(s.Zone); err != nil {
			return err
		}
		return a.configure(&s)
	}
	return r.Err()
}

func (a *Aggregator) unpackBucket(r *wire.Reader, bucket uint32) error {
	for r.Left() > 0 && r.Err() == nil {
		i, ok := slab.SlotOf(bucket, r.Byte())
		if !ok {
			return wire.ErrDamaged
		}
		a.unpackCell(r, i, a.cells.Place(i))
	}
	return r.Err()
}

func (a *Aggregator) unpackCell(r *wire.Reader, i uint32, c *cell) {
	k := cellkey.Key{Cube: measure.Cube(r.Byte()), Platform: r.String(), Room: r.String(), Session: r.String()}
	k.Sub[0], k.Sub[1] = r.String(), r.String()
	c.grain, c.state = measure.Grain(r.Byte()), r.Byte()
	if !cellkey.Known(k.Cube) || c.grain >= measure.NumGrains {
		r.Damaged("cube or grain")
		return
	}
	c.key = a.keys.Of(k)
	unsent := r.Bool()
	c.window, c.gen = r.Int(), uint64(r.Int())
	for _, n := range [7]*int64{&c.first, &c.last, &c.own, &c.any, &c.due, &c.opened, &c.lateAt} {
		*n = r.Int()
	}
	used := r.Uint()
	for k := range c.value {
		if used>>k&1 == 0 {
			continue
		}
		c.value[k] = a.lines.Alloc()
		unpackLine(r, a.lines.At(c.value[k]))
	}
	if unsent {
		a.touch(i, c)
	}
	if c.state&rollup.Closed == 0 {
		a.openCells++
		a.due.add(c.due, i)
	} else if !unsent {
		a.touch(i, c) // acknowledged and about to be freed when it was saved: one more row does no harm
	}
}

// Stats are the aggregator's numbers for metrics.
func (a *Aggregator) Stats() (open, all, dirty int) {
	return a.openCells, a.cells.Len(), len(a.dirty) + len(a.unfolded) + len(a.orders)
}

// Limit is the log's limit of open cells, 0 while unknown, and how many closed early because of it since this task began.
func (a *Aggregator) Limit() (cells int, closedEarly uint64) { return a.maxCells, a.closedEarly }

// Clock is the watermark and the highest receive time applied, ms.
func (a *Aggregator) Clock() (wm, maxRecv int64) { return a.wm, a.maxRecv }

// Started says whether any record has been applied.
func (a *Aggregator) Started() bool { return a.started }
