package enrich

import (
	"fmt"
	"time"

	"github.com/livemeter/livemeter/pipeline/bucket"
	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/slab"
	"github.com/livemeter/livemeter/pipeline/wire"
)

// Restore takes one live changelog record of an empty enricher: each key once, with its newest value.
func (e *Enricher) Restore(key, value []byte) error {
	var r wire.Reader
	r.Reset(value)
	if err := bucket.CheckVersion(&r, stateVersion); err != nil {
		return err
	}
	if string(key) == keyMeta {
		return e.unpackMeta(&r)
	}
	if n, ok := bucket.Number(key, keyPrefix); ok {
		return e.unpackBucket(&r, n)
	}
	return fmt.Errorf("changelog key %q is not the enricher's", key)
}

// Restored rebuilds what is derived once all records are in, and the keys are restored.
func (e *Enricher) Restored(began int64) {
	e.began = began
	e.noOrigin = e.keys.String(cellkey.Sep)
	e.viewers.Rebuild(func(i uint32) bool { v := e.viewers.At(i); return v.hi|v.lo != 0 })
	e.derive()
	for i := uint32(1); i < e.views.Cap(); i++ {
		if w := e.views.At(i); w.flags&viewEntered != 0 {
			if due := e.due(w); due != never {
				w.flags |= viewTimed
				e.timers.add(due, i)
			}
		}
	}
}

func (e *Enricher) unpackMeta(r *wire.Reader) error {
	e.wm, e.maxRecv, e.exactFrom, e.oldestMinute, e.sources.known = r.Int(), r.Int(), r.Int(), uint32(r.Uint()), r.Bool()
	e.sources.wm = e.wm
	if r.Bool() {
		s, err := eventlog.DecodeSettings([]byte(r.Raw()))
		if err != nil {
			return err
		}
		loc, err := time.LoadLocation(s.Zone)
		if err != nil {
			return fmt.Errorf("saved settings: zone %q: %w", s.Zone, err)
		}
		e.settings, e.days = &s, measure.DaysOf(loc)
	}
	for range r.Count(20) {
		var id eventlog.SourceID
		copy(id.TopicID[:], r.Raw())
		id.Partition = int32(r.Int())
		row := &e.sources.list[e.sources.find(id)]
		row.topic, row.offset, row.recv, row.claimed, row.retired, row.stalled = r.String(), r.Int(), r.Int(), r.Int(), r.Bool(), r.Bool()
	}
	return r.Err()
}

func (e *Enricher) unpackBucket(r *wire.Reader, n uint32) error {
	for r.Left() > 0 && r.Err() == nil {
		slot, ok := bucket.SlotOf(n, r.Byte())
		if !ok {
			return wire.ErrDamaged
		}
		v := e.viewers.Place(slot)
		e.unpackViewer(r, slot, v)
		if v.hi|v.lo == 0 {
			return wire.ErrDamaged
		}
		if e.table.used*4 >= len(e.table.slots)*3 {
			e.growTable()
		}
		e.place(slot)
	}
	return r.Err()
}

func (e *Enricher) unpackViewer(r *wire.Reader, slot uint32, v *viewer) {
	v.hi, v.lo, v.pinned = r.Fixed(), r.Fixed(), r.Bool()
	n := r.Count(9)
	e.ids += n
	var big bigSet
	if n > bigNodes*nodeIDs {
		big = make(bigSet, n)
		e.big[slot] = big
	}
	node, at := (*dedupeNode)(nil), 0
	for range n {
		fp, minute := r.Fixed(), uint32(r.Uint())
		if big != nil {
			big[fp] = minute
			continue
		}
		if node == nil || at == nodeIDs || !node.fits(minute) {
			node, at = e.newNode(v, minute), 0
		}
		node.put(at, fp, minute)
		at++
	}
	link := &v.views
	for r.Byte() != 0 {
		*link = e.unpackView(r, slot)
		link = &e.views.At(*link).next
	}
	link = &v.scopes
	for r.Byte() != 0 {
		*link = e.unpackScope(r)
		link = &e.scopes.At(*link).next
	}
	link = &v.sequences
	for r.Byte() != 0 {
		*link = e.unpackSequence(r)
		link = &e.sequences.At(*link).next
	}
	if r.Bool() {
		e.unpackBuyer(r, e.buyerOf(v))
	}
}

func (e *Enricher) unpackSequence(r *wire.Reader) uint32 {
	i := e.sequences.Alloc()
	q := e.sequences.At(i)
	q.id, q.hi, q.last = number(r), number(r), number(r)
	var head uint32
	link := &head
	for r.Byte() != 0 {
		*link = e.gaps.Alloc()
		g := e.gaps.At(*link)
		g.from, g.to, g.minute, g.key = number(r), number(r), number(r), cellkey.ID(number(r))
		link = &g.next
	}
	if head != 0 {
		e.gapsOf[i] = &head
	}
	return i
}

// number is that of a string or key, which stands for something when the table of keys is restored.
func number(r *wire.Reader) uint32 { return uint32(r.Uint()) }

func (e *Enricher) unpackView(r *wire.Reader, slot uint32) uint32 {
	i := e.views.Alloc()
	v := e.views.At(i)
	v.owner = slot
	v.id, v.room, v.origin, v.exps = r.Fixed(), number(r), number(r), number(r)
	v.flags = r.Byte()
	v.leavePane, v.hiPane = int32(r.Int()), int32(r.Int())
	v.enterTS, v.last, v.watch, v.owed, v.owedAt = r.Int(), r.Int(), r.Int(), r.Int(), r.Int()
	unpackPanes(r, &v.seen, &e.viewArch)
	v.flags &^= viewTimed // the timer is set again when all is restored: it depends on the watermark
	return i
}

func unpackPanes[B bitset](r *wire.Reader, p *panes[B], arch *slab.Slab[older[B]]) {
	p.block = int32(r.Int())
	unpackBits(r, &p.bits)
	link := &p.archived
	for r.Byte() != 0 {
		*link = arch.Alloc()
		o := arch.At(*link)
		o.block = int32(r.Int())
		unpackBits(r, &o.bits)
		link = &o.next
	}
}

func unpackBits[B bitset](r *wire.Reader, b *B) {
	for k := range len(*b) {
		(*b)[k] = r.Uint()
	}
}

func (e *Enricher) unpackScope(r *wire.Reader) uint32 {
	i := e.scopes.Alloc()
	s := e.scopes.At(i)
	s.key = cellkey.ID(number(r))
	unpackPanes(r, &s.panes, &e.scopeArch)
	s.dayHi, s.hour, s.session, s.last = int32(r.Int()), r.Byte(), r.Byte(), r.Int()
	for d := range s.days {
		s.days[d] = uint32(r.Uint())
	}
	return i
}

func (e *Enricher) unpackBuyer(r *wire.Reader, b *buyer) {
	for range r.Count(10) {
		b.touches = append(b.touches, clickTouch{r.Fixed(), r.Int(), number(r)})
	}
	if r.Bool() {
		f := &firstOrder{ts: r.Int(), id: r.Raw(), room: number(r), exps: number(r)}
		for range r.Count(1) {
			f.skus = append(f.skus, number(r))
		}
		b.first = f
	}
	for range r.Count(4) {
		b.put(e.unpackOrder(r))
	}
}

func (e *Enricher) unpackOrder(r *wire.Reader) *order {
	o := &order{id: r.Raw(), last: r.Int(), recv: r.Int()}
	for range r.Count(12) {
		x := &orderEvent{version: r.Int(), state: event.State(r.Byte()), ts: r.Int(), room: number(r), named: r.Bool(), click: r.Fixed(),
			exps: number(r), currency: number(r)}
		x.goods, x.discount, x.paid, x.refund = r.Int(), r.Int(), r.Int(), r.Int()
		x.refundID, x.line = r.Raw(), r.Raw()
		for range r.Count(4) {
			x.items = append(x.items, orderItem{r.Raw(), number(r), r.Int(), r.Int()})
		}
		o.events = append(o.events, x)
	}
	return o
}
