package enrich

import (
	"github.com/livemeter/livemeter/pipeline/bucket"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/slab"
	"github.com/livemeter/livemeter/pipeline/wire"
)

// stateVersion is the format of a changelog record, its first byte.
const stateVersion = 7

const (
	keyMeta   = "em"
	keyPrefix = 'e' // of all keys
)

// Owns says whether a changelog key is the enricher's.
func Owns(key []byte) bool { return len(key) > 1 && key[0] == keyPrefix }

// Snapshot begins to save the state of now: what changed since the last one began.
func (e *Enricher) Snapshot() {
	e.sweep()
	e.unsaved.Begin(saving{e})
	e.oldestSaved = e.oldestMinute
	var w wire.Writer
	e.packMeta(&w)
	e.meta = w.Buf
}

// Save emits the next part of the snapshot, one or two changelog records; a nil value deletes. False when there is no more.
func (e *Enricher) Save(emit func(key, value []byte)) bool {
	if e.meta != nil {
		emit([]byte(keyMeta), e.meta)
		e.meta = nil
	}
	return e.unsaved.Save(&e.packing, keyPrefix, stateVersion, emit)
}

// saving is the enricher as bucket.Set sees it.
type saving struct{ *Enricher }

func (s saving) Cap() uint32 { return s.viewers.Cap() }

func (s saving) Warm(from, to uint32) { s.warmBucket(from, to) }

func (s saving) Pack(w *wire.Writer, slot uint32) {
	if v := s.viewers.At(slot); v.hi|v.lo != 0 {
		w.Byte(byte(slot%bucket.Slots) + 1)
		s.packViewer(w, slot, v)
	}
}

func (e *Enricher) packMeta(w *wire.Writer) {
	w.Byte(stateVersion)
	w.Int(e.wm)
	w.Int(e.maxRecv)
	w.Int(e.exactFrom)
	w.Uint(uint64(e.oldestMinute))
	w.Bool(e.sources.known)
	w.Bool(e.settings != nil)
	if e.settings != nil {
		w.Raw(string(eventlog.AppendSettings(nil, e.settings)))
	}
	w.Uint(uint64(len(e.sources.list)))
	for i := range e.sources.list {
		s := &e.sources.list[i]
		w.Raw(string(s.id.TopicID[:]))
		w.Int(int64(s.id.Partition))
		w.String(s.topic)
		w.Int(s.offset)
		w.Int(s.recv)
		w.Int(s.claimed)
		w.Bool(s.retired)
		w.Bool(s.stalled)
	}
}

func (e *Enricher) packViewer(w *wire.Writer, slot uint32, v *viewer) {
	w.Fixed(v.hi)
	w.Fixed(v.lo)
	w.Bool(v.pinned)
	n := 0
	e.eachID(slot, v, e.oldestSaved, func(uint64, uint32) { n++ })
	w.Uint(uint64(n))
	e.eachID(slot, v, e.oldestSaved, func(fp uint64, minute uint32) {
		w.Fixed(fp)
		w.Uint(uint64(minute))
	})
	for i := v.views; i != 0; i = e.views.At(i).next {
		w.Byte(1)
		e.packView(w, e.views.At(i))
	}
	w.Byte(0)
	for i := v.scopes; i != 0; i = e.scopes.At(i).next {
		w.Byte(1)
		e.packScope(w, e.scopes.At(i))
	}
	w.Byte(0)
	for i := v.sequences; i != 0; i = e.sequences.At(i).next {
		w.Byte(1)
		e.packSequence(w, i)
	}
	w.Byte(0)
	w.Bool(v.buyer != 0)
	if v.buyer != 0 {
		e.packBuyer(w, e.buyers[v.buyer])
	}
}

func (e *Enricher) packSequence(w *wire.Writer, i uint32) {
	q := e.sequences.At(i)
	for _, n := range [3]uint32{q.id, q.hi, q.last} {
		w.Uint(uint64(n))
	}
	if head := e.gapsOf[i]; head != nil {
		for at := *head; at != 0; at = e.gaps.At(at).next {
			g := e.gaps.At(at)
			w.Byte(1)
			for _, n := range [4]uint32{g.from, g.to, g.minute, uint32(g.key)} {
				w.Uint(uint64(n))
			}
		}
	}
	w.Byte(0)
}

func (e *Enricher) packView(w *wire.Writer, v *view) {
	w.Fixed(v.id)
	for _, s := range [3]uint32{v.room, v.origin, v.exps} {
		w.Uint(uint64(s))
	}
	w.Byte(v.flags)
	w.Int(int64(v.leavePane))
	w.Int(int64(v.hiPane))
	w.Int(v.enterTS)
	w.Int(v.last)
	w.Int(v.watch)
	w.Int(v.owed)
	w.Int(v.owedAt)
	packPanes(w, &v.seen, &e.viewArch)
}

func packPanes[B bitset](w *wire.Writer, p *panes[B], arch *slab.Slab[older[B]]) {
	w.Int(int64(p.block))
	packBits(w, p.bits)
	for i := p.archived; i != 0; i = arch.At(i).next {
		w.Byte(1)
		w.Int(int64(arch.At(i).block))
		packBits(w, arch.At(i).bits)
	}
	w.Byte(0)
}

func packBits[B bitset](w *wire.Writer, b B) {
	for k := range len(b) {
		w.Uint(b[k])
	}
}

func (e *Enricher) packScope(w *wire.Writer, s *scope) {
	w.Uint(uint64(s.key))
	packPanes(w, &s.panes, &e.scopeArch)
	w.Int(int64(s.dayHi))
	w.Byte(s.hour)
	w.Byte(s.session)
	w.Int(s.last)
	for _, d := range s.days {
		w.Uint(uint64(d))
	}
}

func (e *Enricher) packBuyer(w *wire.Writer, b *buyer) {
	w.Uint(uint64(len(b.touches)))
	for _, t := range b.touches {
		w.Fixed(t.click)
		w.Int(t.ts)
		w.Uint(uint64(t.room))
	}
	w.Bool(b.first != nil)
	if f := b.first; f != nil {
		w.Int(f.ts)
		w.Raw(f.id)
		w.Uint(uint64(f.room))
		w.Uint(uint64(f.exps))
		w.Uint(uint64(len(f.skus)))
		for _, s := range f.skus {
			w.Uint(uint64(s))
		}
	}
	w.Uint(uint64(len(b.orders)))
	for _, o := range e.sortedOrders(b) {
		e.packOrder(w, o)
	}
}

func (e *Enricher) packOrder(w *wire.Writer, o *order) {
	w.Raw(o.id)
	w.Int(o.last)
	w.Int(o.recv)
	w.Uint(uint64(len(o.events)))
	for _, x := range o.events {
		w.Int(x.version)
		w.Byte(byte(x.state))
		w.Int(x.ts)
		w.Uint(uint64(x.room))
		w.Bool(x.named)
		w.Fixed(x.click)
		w.Uint(uint64(x.exps))
		w.Uint(uint64(x.currency))
		for _, n := range [4]int64{x.goods, x.discount, x.paid, x.refund} {
			w.Int(n)
		}
		w.Raw(x.refundID)
		w.Raw(x.line)
		w.Uint(uint64(len(x.items)))
		for _, it := range x.items {
			w.Raw(it.line)
			w.Uint(uint64(it.sku))
			w.Int(it.qty)
			w.Int(it.paid)
		}
	}
}
