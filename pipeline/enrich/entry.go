package enrich

import (
	"encoding/binary"
	"hash/fnv"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// entry applies one entry that provenance let through. Each has exactly one outcome. slot is its viewer, 0 where find has to look.
func (e *Enricher) entry(n *eventlog.Entry, slot uint32) {
	if n.Kind == eventlog.Reject {
		e.Stats.Invalid[n.Sub]++
		e.ledger.count(e, n, outcomeInvalid, event.Reason(n.Sub))
		if n.Instance != 0 {
			if slot == 0 {
				slot = e.find(n.ViewerHi, n.ViewerLo)
			}
			e.mark(slot)
			e.number(e.viewers.At(slot), n)
		}
		return
	}
	if slot == 0 {
		slot = e.find(n.ViewerHi, n.ViewerLo)
	}
	v := e.viewers.At(slot)
	if n.OriginalIndex >= 0 && e.replayed(slot, v, &e.block.Originals[n.OriginalIndex], n.Recv) {
		e.Stats.Replayed++
		return
	}
	e.mark(slot)
	e.number(v, n)
	if e.isDuplicate(slot, v, n) {
		e.Stats.Duplicate++
		e.ledger.judged(e, n, outcomeDuplicate)
		return
	}
	e.Stats.Accepted++
	e.ledger.judged(e, n, outcomeAccepted)
	late := n.TS < e.exactFrom
	if late {
		e.Stats.Late++
	}
	switch n.Kind {
	case eventlog.Viewer:
		e.viewer(slot, v, n, late)
	case eventlog.Interaction:
		e.interaction(slot, v, n, late)
	case eventlog.Order:
		e.orderEvent(v, n, &e.block.Orders[n.OrderIndex])
	case eventlog.Cost, eventlog.Stock:
		e.supply(n)
	}
}

// isDuplicate says whether the entry's identity was there before, and claims it. An order event's is its natural key, which has no horizon but the order's own:
// the order has it once the event is applied.
func (e *Enricher) isDuplicate(slot uint32, v *viewer, n *eventlog.Entry) bool {
	switch n.Kind {
	case eventlog.Order:
		body := &e.block.Orders[n.OrderIndex]
		return e.orderOf(e.buyerOf(v), body.OrderID).has(body.Version)
	case eventlog.Cost, eventlog.Stock:
		v.pinned = true
	}
	return e.duplicate(slot, v, n.EventFP, n.Recv)
}

// replayed says whether what a replay brings was judged by way of raw.replay before, and remembers it if not, for as long as it can come again. It is
// remembered with the viewer's event ids, by a fingerprint of its provenance and with a minute that lies ahead: so it is saved, restored and swept as they are.
// The same bytes are the same viewer's, on the same partition.
func (e *Enricher) replayed(slot uint32, v *viewer, o *eventlog.Original, recv int64) bool {
	p := append(e.provenance[:0], replayedPrefix...)
	p = append(p, o.Source.TopicID[:]...)
	p = binary.BigEndian.AppendUint32(p, uint32(o.Source.Partition))
	p = binary.BigEndian.AppendUint64(p, uint64(o.Offset))
	e.provenance = p
	e.mark(slot)
	h := fnv.New64a()
	h.Write(p)
	return e.remember(slot, v, h.Sum64(), minuteOf(max(recv, e.wm)+replayMemoryMS))
}

// replayMemoryMS is how long an original is remembered once it was judged again. Rejects are kept for seven days (runtime.MaxRejectedRetention), from when they
// were rejected, which old records loaded late are long after their receive time: so it counts from the watermark, or from a receive time ahead of it.
const replayMemoryMS = 8 * dayMS

// replayedPrefix keeps provenances and event ids apart: no id has a control character.
const replayedPrefix = "\x00replay"

// counts adds an additive change in the event's own window to the cell of key.
func (e *Enricher) counts(key cellkey.ID, n *eventlog.Entry, slot measure.Slot, delta int64) {
	e.emit(change.Change{TS: n.TS, Recv: n.Recv, Delta: delta, Key: key, Slot: slot, Mask: change.AllGrains, Flags: change.Own})
}

// common counts what every viewer and interaction event counts in a key: itself and its viewer.
func (e *Enricher) common(v *viewer, key cellkey.ID, n *eventlog.Entry, want uint8, late bool) {
	e.counts(key, n, measure.Events, 1)
	switch {
	case late:
		e.counts(key, n, measure.BeyondHorizon, 1)
	case want != 0:
		e.distinct(v, key, n.TS, n.Recv, want)
	}
}

func (e *Enricher) viewer(slot uint32, v *viewer, n *eventlog.Entry, late bool) {
	room := e.str(n.Room)
	e.viewerIn(v, e.keys.RoomKey(room), n, late)
	for _, x := range e.variants(e.str(n.Exps)) {
		e.viewerIn(v, e.keys.Cell(measure.Variant, room, x, 0), n, late)
	}
	e.viewerEvent(slot, v, n, late)
	if n.Click != 0 && event.Action(n.Sub) == event.Enter {
		e.clickTouch(v, n)
	}
}

func (e *Enricher) viewerIn(v *viewer, key cellkey.ID, n *eventlog.Entry, late bool) {
	e.common(v, key, n, 1<<kindViewer, late)
	if watch := watchOf(n); watch != 0 {
		e.counts(key, n, measure.WatchMS, watch)
	}
}

func (e *Enricher) interaction(slot uint32, v *viewer, n *eventlog.Entry, late bool) {
	room := e.str(n.Room)
	e.interactionIn(v, e.keys.RoomKey(room), n, late)
	if n.SKU != 0 {
		e.interactionIn(v, e.keys.Cell(measure.SKU, room, e.str(n.SKU), 0), n, late)
	}
	for _, x := range e.variants(e.str(n.Exps)) {
		e.interactionIn(v, e.keys.Cell(measure.Variant, room, x, 0), n, late)
	}
	kind := event.Kind(n.Sub)
	if kind == event.Gift {
		e.counts(e.keys.Cell(measure.RoomMoney, room, e.str(n.Currency), 0), n, measure.GiftMinor, n.Gift)
	}
	i, w := e.viewOf(slot, v, n.View)
	w.last = max(w.last, n.TS)
	if kind != event.ProductExposure {
		w.flags |= viewInteracted
	}
	e.judge(i, w, n.Recv)
}

// Every kind has its slot.
const _ = uint(measure.InteractionEvents - measure.Interactions - measure.Slot(event.NumKinds))

func (e *Enricher) interactionIn(v *viewer, key cellkey.ID, n *eventlog.Entry, late bool) {
	kind := event.Kind(n.Sub)
	want := uint8(0)
	switch kind {
	case event.Like, event.Comment, event.Share, event.Follow:
		want = 1<<kindInteractor | 1<<kindEngager
	case event.ProductClick:
		want = 1<<kindEngager | 1<<kindClicker
	case event.ProductExposure, event.Rating:
	default:
		want = 1 << kindEngager
	}
	e.common(v, key, n, want, late)
	e.counts(key, n, measure.Interactions+measure.Slot(kind), n.Value)
	if kind == event.Rating {
		e.counts(key, n, measure.Ratings, 1)
		e.counts(key, n, measure.RatingSum, int64(n.Rating))
	} else if kind != event.ProductExposure {
		e.counts(key, n, measure.InteractionEvents, 1)
	}
}

// pseudonym is the viewer's keyed pseudonym as 16 bytes.
func pseudonym(v *viewer) (p [16]byte) {
	binary.BigEndian.PutUint64(p[:8], v.hi)
	binary.BigEndian.PutUint64(p[8:], v.lo)
	return p
}

// supply counts a cost or stock event where it names a room: there it is one of the accepted events of all types. The log (format 3) has their
// keys and not yet their amounts, nor a touch's kind, channel, ad and creative, nor a share_id: they come with the KPI dictionary, and what was logged
// before will not have them.
func (e *Enricher) supply(n *eventlog.Entry) {
	room := e.str(n.Room)
	if !e.keys.HasRoom(room) {
		return
	}
	e.counts(e.keys.RoomKey(room), n, measure.Events, 1)
	if n.SKU != 0 {
		e.counts(e.keys.Cell(measure.SKU, room, e.str(n.SKU), 0), n, measure.Events, 1)
	}
	for _, x := range e.variants(e.str(n.Exps)) {
		e.counts(e.keys.Cell(measure.Variant, room, x, 0), n, measure.Events, 1)
	}
}
