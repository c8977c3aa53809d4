package enrich

import (
	"slices"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// clickTouch is an enter with a click_id.
type clickTouch struct {
	click uint64
	ts    int64
	room  uint32
}

// resolve gives an event without a room that of the buyer's first touch in the log with its click_id, 30 days before to 1 day after.
func (e *Enricher) resolve(b *buyer, x *orderEvent) {
	for _, t := range b.touches {
		if x.matches(t) && !e.touchGone(t) { // by the watermark, not by when the sweep comes
			x.room, x.named = t.room, true
			return
		}
	}
}

func (x *orderEvent) matches(t clickTouch) bool {
	return x.click != 0 && t.click == x.click && t.ts >= x.ts-clickBeforeMS && t.ts <= x.ts+clickAfterMS
}

// touchGone says that no order within the horizon can name the touch any more.
func (e *Enricher) touchGone(t clickTouch) bool { return t.ts+touchMemoryMS < e.exactFrom }

func (e *Enricher) dropTouches(b *buyer) { b.touches = slices.DeleteFunc(b.touches, e.touchGone) }

// clickTouch remembers an enter's click and moves what stood in room "" for want of it.
func (e *Enricher) clickTouch(v *viewer, n *eventlog.Entry) {
	b := e.buyerOf(v)
	t := clickTouch{n.Click, n.TS, e.str(n.Room)}
	e.dropTouches(b)
	if len(b.touches) >= maxClickTouches {
		b.touches = slices.Delete(b.touches, 0, 1)
	}
	b.touches = append(b.touches, t)
	var moved []*order
	paid := false
	for _, o := range b.orders {
		if o.last+orderMemoryMS < e.wm { // forgotten, though the sweep may not have come yet
			continue
		}
		hit := false
		for _, x := range o.events {
			if !x.named && x.matches(t) {
				hit, paid = true, paid || x.state == event.Paid
			}
		}
		if hit {
			moved = append(moved, o)
		}
	}
	if len(moved) == 0 {
		return
	}
	sortOrders(moved)
	e.amend(b, moved, n.Recv, paid, func() {
		for _, o := range moved {
			for _, x := range o.events {
				if !x.named && x.matches(t) {
					x.room, x.named = t.room, true
				}
			}
		}
	})
	for _, o := range moved {
		e.out.Orders = append(e.out.Orders, e.orderRow(v, o))
	}
}
