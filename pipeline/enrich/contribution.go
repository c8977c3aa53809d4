package enrich

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// amend applies a mutation to a buyer's orders and emits the difference between what they contribute after and before it. So every order
// measure is a function of the orders as they stand, whatever the way they came there. paid says that the mutation touches a paid
// event: only then can the buyer's distinct counts change.
func (e *Enricher) amend(b *buyer, orders []*order, recv int64, paid bool, mutate func()) {
	var index *paidIndex
	var was []paidIn
	if paid {
		e.forgetOld(b)
		index = e.paidIndex(b)
		for _, o := range orders {
			was = append(was, e.paidIn(o))
		}
	}
	e.before, e.after = e.before[:0], e.after[:0]
	for _, o := range orders {
		e.before = e.orderContributions(e.before, o)
	}
	mutate()
	for _, o := range orders {
		e.after = e.orderContributions(e.after, o)
	}
	if paid {
		e.recount(index, b, orders, was)
	}
	net := e.net
	clear(net)
	for i := range e.after {
		net[e.after[i].unit()] += e.after[i].Delta
	}
	for i := range e.before {
		net[e.before[i].unit()] -= e.before[i].Delta
	}
	for _, list := range [2][]contribution{e.after, e.before} {
		for i := range list {
			u := list[i].unit()
			if d := net[u]; d != 0 {
				net[u] = 0
				u.TS, u.Delta, u.Recv = list[i].at, d, recv
				e.emit(u)
			}
		}
	}
}

// contribution is what an order adds. Its TS names the window where contributions add up; at is the time of the event behind it, in that window,
// where it is counted: a window has no row before an event of its own.
type contribution struct {
	change.Change
	at int64
}

// unit is the change without its amount: the place where contributions add up.
func (c *contribution) unit() change.Change {
	u := c.Change
	u.Delta = 0
	return u
}

// at builds contributions of one order event: in its room, its experiments and, where asked, its SKUs.
type at struct {
	e  *Enricher
	to []contribution
	x  *orderEvent
}

func (a *at) add(key cellkey.ID, slot measure.Slot, delta int64) {
	a.to = append(a.to, contribution{change.Change{TS: a.x.ts, Delta: delta, Key: key, Slot: slot, Mask: change.AllGrains, Flags: change.Own}, a.x.ts})
}

// rooms adds to the room and variant cells.
func (a *at) rooms(slot measure.Slot, delta int64) {
	a.add(a.e.keys.RoomKey(a.x.room), slot, delta)
	for _, v := range a.e.variants(a.x.exps) {
		a.add(a.e.keys.Cell(measure.Variant, a.x.room, v, 0), slot, delta)
	}
}

// all adds one to the room, variant and SKU cells: an order counts once per SKU.
func (a *at) all(slot measure.Slot) {
	a.rooms(slot, 1)
	for _, s := range a.x.skus() {
		a.add(a.e.keys.Cell(measure.SKU, a.x.room, s, 0), slot, 1)
	}
}

func (a *at) money(slot measure.Slot, currency uint32, amount int64) {
	a.add(a.e.keys.Cell(measure.RoomMoney, a.x.room, currency, 0), slot, amount)
}

func (a *at) skuMoney(slot measure.Slot, sku, currency uint32, amount int64) {
	a.add(a.e.keys.Cell(measure.SKUMoney, a.x.room, sku, currency), slot, amount)
}

func (e *Enricher) orderContributions(to []contribution, o *order) []contribution {
	a := &at{e: e, to: to}
	for _, x := range o.events {
		a.x = x
		a.all(measure.Events)
	}
	if a.x = o.top(event.Created); a.x != nil {
		a.all(measure.OrdersCreated)
		a.money(measure.GMVCreatedMinor, a.x.currency, a.x.goods-a.x.discount)
	}
	if a.x = o.top(event.DepositPaid); a.x != nil {
		a.money(measure.DepositMinor, a.x.currency, a.x.paid)
	}
	paid := o.top(event.Paid)
	if a.x = paid; paid != nil {
		a.all(measure.OrdersPaid)
		a.money(measure.GMVPaidMinor, paid.currency, paid.paid)
		for _, it := range paid.items {
			a.rooms(measure.ItemsSold, it.qty)
			a.add(e.keys.Cell(measure.SKU, paid.room, it.sku, 0), measure.ItemsSold, it.qty)
			a.skuMoney(measure.GMVPaidMinor, it.sku, paid.currency, it.paid)
		}
	}
	if a.x = o.top(event.Cancelled); a.x != nil && paid == nil {
		a.all(measure.OrdersCancelled)
	}
	return e.refundContributions(a, o, paid)
}

func (e *Enricher) refundContributions(a *at, o *order, paid *orderEvent) []contribution {
	refunds := o.refunds()
	if len(refunds) == 0 && o.top(event.Settled) == nil {
		return a.to
	}
	seen := map[distinctWindow]bool{}
	byOrder := map[cellkey.ID]bool{}
	var windows []distinctWindow
	for _, r := range refunds {
		a.x = r
		a.money(measure.RefundMinor, r.currency, r.refund)
		keys := e.roomAndVariants(r.room, r.exps)
		if sku, ok := r.skuOfLine(r.line); ok {
			a.skuMoney(measure.RefundMinor, sku, r.currency, r.refund)
			keys = append(keys, e.keys.Cell(measure.SKU, r.room, sku, 0))
		}
		for _, k := range keys {
			windows = e.distinctWindows(windows[:0], k, r.ts)
			for _, w := range windows {
				if !seen[w] {
					seen[w] = true
					a.to = append(a.to, e.once(w, measure.OrdersRefunded, r.ts))
				}
			}
		}
		if paid == nil {
			continue
		}
		a.x = paid
		a.money(measure.RefundMinorByOrder, r.currency, r.refund)
		keys = e.roomAndVariants(paid.room, paid.exps)
		if sku, ok := paid.skuOfLine(r.line); ok {
			a.skuMoney(measure.RefundMinorByOrder, sku, r.currency, r.refund)
			keys = append(keys, e.keys.Cell(measure.SKU, paid.room, sku, 0))
		}
		for _, k := range keys {
			if !byOrder[k] {
				byOrder[k] = true
				a.add(k, measure.OrdersRefundedByOrder, 1)
			}
		}
	}
	if s := o.top(event.Settled); s != nil {
		a.x = s
		net := s.paid
		for _, r := range refunds {
			if r.ts <= s.ts && r.currency == s.currency {
				net -= r.refund
			}
		}
		a.money(measure.SettledMinor, s.currency, net)
	}
	return a.to
}

func (e *Enricher) roomAndVariants(room, exps uint32) []cellkey.ID {
	keys := []cellkey.ID{e.keys.RoomKey(room)}
	for _, v := range e.variants(exps) {
		keys = append(keys, e.keys.Cell(measure.Variant, room, v, 0))
	}
	return keys
}

// distinctWindow is one window of one key, of one grain.
type distinctWindow struct {
	key   cellkey.ID
	grain measure.Grain
	win   int64
}

// distinctWindows appends the windows of a key around ts.
func (e *Enricher) distinctWindows(to []distinctWindow, key cellkey.ID, ts int64) []distinctWindow {
	wins := [measure.NumGrains]int64{ts / paneMS, ts / minuteMS, ts / hourMS, int64(e.days.Number(ts)), 0}
	for g := measure.Grain10s; g < measure.NumGrains; g++ {
		to = append(to, distinctWindow{key, g, wins[g]})
	}
	return to
}

// once adds one to a window for what has an event at the time at in it. The contribution's time is one that all events of the window share, so that
// before and after cancel.
func (e *Enricher) once(w distinctWindow, slot measure.Slot, at int64) contribution {
	rep := int64(0)
	switch w.grain {
	case measure.Grain10s:
		rep = w.win * paneMS
	case measure.Grain1m:
		rep = w.win * minuteMS
	case measure.Grain1h:
		rep = w.win * hourMS
	case measure.Grain1d:
		rep = e.days.Start(at)
	case measure.GrainSession:
	default:
		panic("no time for grain " + strconv.Itoa(int(w.grain)))
	}
	return contribution{change.Change{TS: rep, Delta: 1, Key: w.key, Slot: slot, Mask: 1 << w.grain, Flags: change.Own | change.Distinct}, at}
}

func (e *Enricher) skuKeys(room uint32, skus []uint32) []cellkey.ID {
	keys := make([]cellkey.ID, len(skus))
	for i, s := range skus {
		keys[i] = e.keys.Cell(measure.SKU, room, s, 0)
	}
	return keys
}

func firstOf(o *order, p *orderEvent) *firstOrder {
	return &firstOrder{p.ts, o.id, p.room, p.exps, p.skus()}
}

func (f *firstOrder) same(g *firstOrder) bool { return f.ts == g.ts && f.id == g.id }

// before orders by (event_ts, order_id), ids compared as bytes.
func (f *firstOrder) before(g *firstOrder) bool {
	if f.ts != g.ts {
		return f.ts < g.ts
	}
	return bytes.Compare([]byte(f.id), []byte(g.id)) < 0
}

// sortedOrders are those of a buyer by id, valid until the next call.
func (e *Enricher) sortedOrders(b *buyer) []*order {
	e.byID = e.byID[:0]
	for _, o := range b.orders {
		e.byID = append(e.byID, o)
	}
	sortOrders(e.byID)
	return e.byID
}

func sortOrders(o []*order) {
	slices.SortFunc(o, func(a, b *order) int { return strings.Compare(a.id, b.id) })
}
