package change

import (
	"errors"
	"fmt"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/wire"
)

// wireVersion is the format of a record of `events.enriched`, its first byte.
const wireVersion = 3

// Encoder packs records for `events.enriched`: keys are defined where they first occur.
type Encoder struct {
	w    wire.Writer
	refs map[cellkey.ID]uint64
}

// Encode returns the packed record; the memory is the receiver's. settings says whether to include the settings, which a reader needs
// in the first record and whenever they change.
func (e *Encoder) Encode(r *Record, keys *cellkey.Table, settings bool) []byte {
	w := &e.w
	w.Reset()
	if e.refs == nil {
		e.refs = map[cellkey.ID]uint64{}
	}
	clear(e.refs)
	w.Byte(wireVersion)
	w.Int(r.Offset)
	w.Int(r.Offset - r.From)
	w.Int(r.Began)
	w.Int(r.Watermark)
	w.Int(r.MaxRecv)
	w.Bool(settings && r.Settings != nil)
	if settings && r.Settings != nil {
		w.Raw(string(eventlog.AppendSettings(nil, r.Settings)))
	}
	w.Uint(uint64(len(r.Changes)))
	for i := range r.Changes {
		e.change(&r.Changes[i], keys, r.MaxRecv)
	}
	w.Uint(uint64(len(r.Orders)))
	for i := range r.Orders {
		PackOrder(w, &r.Orders[i])
	}
	return append([]byte(nil), w.Buf...)
}

func (e *Encoder) change(c *Change, keys *cellkey.Table, base int64) {
	w := &e.w
	if n, ok := e.refs[c.Key]; ok {
		w.Uint(n)
	} else {
		e.refs[c.Key] = uint64(len(e.refs)) + 1
		k := keys.Key(c.Key)
		w.Byte(0)
		w.Byte(byte(k.Cube))
		for _, t := range [5]string{k.Platform, k.Room, k.Session, k.Sub[0], k.Sub[1]} {
			w.String(t)
		}
	}
	w.Byte(byte(c.Slot))
	w.Byte(c.Mask)
	w.Byte(c.Flags)
	w.Int(c.Delta)
	w.Int(base - c.TS)
	w.Int(base - c.Recv)
}

// Decoder unpacks records of `events.enriched`.
type Decoder struct {
	r   wire.Reader
	ids []cellkey.ID
}

// Decode unpacks value into rec, reusing its slices, and interns its keys.
func (d *Decoder) Decode(value []byte, rec *Record, keys *cellkey.Table) error {
	r := &d.r
	r.Reset(value)
	d.ids = d.ids[:0]
	if v := r.Byte(); v != wireVersion {
		return errors.Join(fmt.Errorf("format %d of a record, which this livemeter does not know: its own is %d", v, wireVersion), r.Err())
	}
	*rec = Record{Offset: r.Int(), Changes: rec.Changes[:0], Orders: rec.Orders[:0]}
	rec.From = rec.Offset - r.Int()
	rec.Began, rec.Watermark, rec.MaxRecv = r.Int(), r.Int(), r.Int()
	if r.Bool() {
		s, err := eventlog.DecodeSettings([]byte(r.Raw()))
		if err != nil {
			return err
		}
		rec.Settings = &s
	}
	for range r.Count(7) {
		rec.Changes = append(rec.Changes, d.change(keys, rec.MaxRecv))
	}
	for range r.Count(20) {
		o := UnpackOrder(r)
		o.Version = uint64(rec.Offset)
		rec.Orders = append(rec.Orders, o)
	}
	return r.Err()
}

func (d *Decoder) change(keys *cellkey.Table, base int64) (c Change) {
	r := &d.r
	n := r.Uint()
	switch {
	case n == 0:
		k := cellkey.Key{Cube: measure.Cube(r.Byte()), Platform: r.String(), Room: r.String(), Session: r.String()}
		k.Sub[0], k.Sub[1] = r.String(), r.String()
		if !cellkey.Known(k.Cube) {
			r.Damaged("cube")
		}
		if r.Err() != nil {
			return c
		}
		c.Key = keys.Of(k)
		d.ids = append(d.ids, c.Key)
	case n <= uint64(len(d.ids)):
		c.Key = d.ids[n-1]
	default:
		r.Damaged("key reference")
	}
	c.Slot, c.Mask, c.Flags = measure.Slot(r.Byte()), r.Byte(), r.Byte()
	if c.Mask > AllGrains || c.Slot >= measure.NumSlots || c.Flags&Distinct != 0 && c.Slot > measure.NumSlots-measure.Slot(measure.NumGrains) {
		r.Damaged("slot")
	}
	c.Delta, c.TS, c.Recv = r.Int(), base-r.Int(), base-r.Int()
	if c.TS < 0 {
		r.Damaged("time before 1970")
	}
	return c
}
