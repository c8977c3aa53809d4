package enrich

import (
	"math"
	"slices"
	"strings"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

const (
	orderMemoryMS   = 400 * dayMS
	clickBeforeMS   = 30 * dayMS
	clickAfterMS    = dayMS
	clampMS         = 7 * dayMS               // an event's time lies at most this far before its receive time
	touchMemoryMS   = clickBeforeMS + clampMS // an order received now may name a touch this old
	maxClickTouches = 100                     // per viewer, oldest out
)

// buyer is a viewer with orders or with touches that an order's click_id may name.
type buyer struct {
	orders  map[string]*order
	touches []clickTouch // in log order
	first   *firstOrder  // of orders already forgotten: a buyer's first order is remembered for ever
	oldest  int64        // no order's last event is older
	index   *paidIndex   // nil where it is not kept
}

// order is all that was accepted of one order: every measure of it is recomputed from here, and what differs is emitted.
type order struct {
	id     string
	events []*orderEvent // in log order, one per version
	last   int64         // newest event_ts
	recv   int64         // newest receive time
}

// orderEvent is one version of an order.
type orderEvent struct {
	version  int64
	state    event.State
	ts       int64
	room     uint32 // interned; where it counts
	named    bool   // the event names its room: no touch can move it
	click    uint64
	exps     uint32
	currency uint32
	goods    int64
	discount int64
	paid     int64
	items    []orderItem
	refundID string
	line     string
	refund   int64
}

type orderItem struct {
	line string
	sku  uint32
	qty  int64
	paid int64
}

// firstOrder is where a buyer's first paid order counts.
type firstOrder struct {
	ts   int64
	id   string
	room uint32
	exps uint32
	skus []uint32
}

func (e *Enricher) buyerOf(v *viewer) *buyer {
	if v.buyer != 0 {
		return e.buyers[v.buyer]
	}
	b := &buyer{}
	if n := len(e.freeBuyers); n > 0 {
		v.buyer, e.freeBuyers = e.freeBuyers[n-1], e.freeBuyers[:n-1]
		e.buyers[v.buyer] = b
		return b
	}
	e.buyers = append(e.buyers, b)
	v.buyer = uint32(len(e.buyers) - 1)
	return b
}

func (b *buyer) put(o *order) {
	if b.orders == nil { // most have touches alone
		b.orders = map[string]*order{}
	}
	if len(b.orders) == 0 {
		b.oldest = o.last
	}
	b.oldest = min(b.oldest, o.last)
	b.orders[o.id] = o
}

// orderOf is what is known of a buyer's order, nil where nothing is.
func (e *Enricher) orderOf(b *buyer, id string) *order {
	o := b.orders[id]
	if o != nil && o.last+orderMemoryMS < e.wm {
		e.forget(b, o)
		return nil
	}
	return o
}

// has says whether a version of the order was applied.
func (o *order) has(version int64) bool {
	return o != nil && slices.ContainsFunc(o.events, func(x *orderEvent) bool { return x.version == version })
}

// orderEvent applies a version of an order that it has not yet.
func (e *Enricher) orderEvent(v *viewer, n *eventlog.Entry, body *eventlog.OrderBody) {
	b := e.buyerOf(v)
	o := e.orderOf(b, body.OrderID)
	if o == nil {
		o = &order{id: strings.Clone(body.OrderID)}
	}
	x := e.newOrderEvent(b, n, body)
	e.amend(b, []*order{o}, n.Recv, x.state == event.Paid, func() {
		o.events = append(o.events, x)
		o.last = max(o.last, n.TS)
		b.put(o)
		o.recv = max(o.recv, n.Recv)
	})
	e.out.Orders = append(e.out.Orders, e.orderRow(v, o))
}

func (e *Enricher) newOrderEvent(b *buyer, n *eventlog.Entry, body *eventlog.OrderBody) *orderEvent {
	x := &orderEvent{version: body.Version, state: event.State(n.Sub), ts: n.TS, room: e.str(n.Room), click: n.Click, exps: e.str(n.Exps),
		currency: e.str(n.Currency), goods: body.Goods, discount: body.Discount, paid: body.Paid,
		refundID: strings.Clone(body.RefundID), line: strings.Clone(body.RefundLine), refund: body.Refund}
	x.items = make([]orderItem, len(body.Items))
	for i, it := range body.Items {
		x.items[i] = orderItem{strings.Clone(it.LineID), e.str(it.SKU), it.Qty, it.Paid}
	}
	if x.named = e.keys.HasRoom(x.room); !x.named {
		e.resolve(b, x)
	}
	return x
}

// forget drops an order 400 days after its last event; the buyer's first order stays known.
func (e *Enricher) forget(b *buyer, o *order) {
	if p := o.top(event.Paid); p != nil {
		if f := firstOf(o, p); b.first == nil || f.before(b.first) {
			b.first = f
		}
	}
	if b.index != nil { // its first is that of the forgotten ones, too
		b.index.take(e.paidIn(o), func(distinctWindow) {})
	}
	delete(b.orders, o.id)
}

// forgetOld forgets all whose time has come: by the watermark and not by the sweep, whose time is no function of the log.
func (e *Enricher) forgetOld(b *buyer) (any bool) {
	if len(b.orders) == 0 || b.oldest+orderMemoryMS >= e.wm {
		return false
	}
	b.oldest = math.MaxInt64
	for _, o := range b.orders {
		if o.last+orderMemoryMS < e.wm {
			e.forget(b, o)
			any = true
		} else {
			b.oldest = min(b.oldest, o.last)
		}
	}
	return any
}

// top is the highest version of a state: the one that counts.
func (o *order) top(s event.State) *orderEvent {
	var best *orderEvent
	for _, x := range o.events {
		if x.state == s && (best == nil || x.version > best.version) {
			best = x
		}
	}
	return best
}

// refunds are the distinct refunds, each refund_id by its highest version, in log order of their first version.
func (o *order) refunds() []*orderEvent {
	var out []*orderEvent
next:
	for _, x := range o.events {
		if x.state != event.Refunded {
			continue
		}
		for i, y := range out {
			if y.refundID == x.refundID {
				if x.version > y.version {
					out[i] = x
				}
				continue next
			}
		}
		out = append(out, x)
	}
	return out
}

// orderRow is the order as the table `orders` shows it.
func (e *Enricher) orderRow(v *viewer, o *order) rollup.Order {
	var top *orderEvent
	for _, x := range o.events {
		if top == nil || x.version > top.version {
			top = x
		}
	}
	k := e.keys.Key(e.keys.RoomKey(top.room))
	r := rollup.Order{Platform: k.Platform, OrderID: o.id, Buyer: pseudonym(v), State: event.StateNames[top.state], OrderVersion: top.version,
		Room: k.Room, Session: k.Session, Currency: e.keys.Text(top.currency), PaidMinor: top.paid, EventTS: top.ts, Updated: o.recv,
		Version: uint64(e.out.Offset)}
	if c := o.top(event.Created); c != nil {
		r.CreatedTS = c.ts
	}
	if p := o.top(event.Paid); p != nil {
		r.PaidTS = p.ts
	}
	for _, f := range o.refunds() {
		r.RefundMinor += f.refund
	}
	return r
}

// skus are the distinct SKUs of an order event, in line order.
func (x *orderEvent) skus() []uint32 {
	out := make([]uint32, 0, len(x.items))
next:
	for _, it := range x.items {
		for _, s := range out {
			if s == it.sku {
				continue next
			}
		}
		out = append(out, it.sku)
	}
	return out
}

// skuOfLine finds the SKU of a line.
func (x *orderEvent) skuOfLine(line string) (uint32, bool) {
	for _, it := range x.items {
		if it.line == line && line != "" {
			return it.sku, true
		}
	}
	return 0, false
}
