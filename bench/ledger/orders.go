package ledger

import "cmp"

const (
	touchBeforeMS = 30 * 24 * 3600 * 1000
	touchAfterMS  = 24 * 3600 * 1000
)

// order is all accepted events of one order of one buyer, one per version.
type order struct {
	events   []*event
	versions map[int64]bool
}

// top is the highest version of a state: the one that counts. A state of "" means any.
func (o *order) top(state string) *event {
	var best *event
	for _, e := range o.events {
		if (state == "" || e.sub == state) && (best == nil || e.order.version > best.order.version) {
			best = e
		}
	}
	return best
}

// refunds are the distinct refunds by refund_id, each by its highest version.
func (o *order) refunds() map[string]*event {
	out := map[string]*event{}
	for _, e := range o.events {
		if e.sub != "refunded" {
			continue
		}
		if old := out[e.order.refundID]; old == nil || e.order.version > old.order.version {
			out[e.order.refundID] = e
		}
	}
	return out
}

// locate gives an order event without a room the place of the buyer's own touch with its click_id, the first in the log.
func locate(e *event, touches []*event) {
	if e.place.room != "" || e.click == "" {
		return
	}
	for _, t := range touches {
		if t.click == e.click && t.ts >= e.ts-touchBeforeMS && t.ts <= e.ts+touchAfterMS {
			e.place = t.place
			return
		}
	}
}

func (a *account) settleOrders(who owner, orders map[string]*order, touches []*event) {
	var first *event // the buyer's first paid order, by (event_ts, order_id)
	for _, o := range orders {
		for _, e := range o.events {
			locate(e, touches)
			a.counted(e.place, e.ts)
			for _, s := range a.orderSpots(e) {
				s.add(mEvents, 1)
			}
		}
		if len(o.events) == 0 {
			continue
		}
		a.countOrder(o)
		a.countRefunds(o)
		a.orders = append(a.orders, orderRow(who, o))
		if paid := o.top("paid"); paid != nil && (first == nil || before(paid, first)) {
			first = paid
		}
	}
	if first != nil {
		for _, s := range a.orderSpots(first) {
			s.add(mNewBuyers, 1)
		}
	}
}

func before(a, b *event) bool {
	return cmp.Or(cmp.Compare(a.ts, b.ts), cmp.Compare(a.order.id, b.order.id)) < 0
}

// orderSpots are the rows of an order event: the room's, its experiments', and one for each distinct SKU.
func (a *account) orderSpots(e *event) []spot {
	out := a.spots(e)
	done := map[string]bool{}
	for _, it := range e.order.items {
		if !done[it.sku] {
			done[it.sku] = true
			out = append(out, a.skuSpot(e, it.sku))
		}
	}
	return out
}

func (a *account) skuSpot(e *event, sku string) spot {
	return a.c.at(cSKU, e.place, [2]string{sku}, e.ts)
}

// money adds an amount in the event's room, window and currency.
func (a *account) money(e *event, currency string, m measure, amount int64) {
	a.c.at(cRoomMoney, e.place, [2]string{currency}, e.ts).add(m, amount)
}

func (a *account) skuMoney(e *event, sku, currency string, m measure, amount int64) {
	a.c.at(cSKUMoney, e.place, [2]string{sku, currency}, e.ts).add(m, amount)
}

func (a *account) countOrder(o *order) {
	if e := o.top("created"); e != nil {
		for _, s := range a.orderSpots(e) {
			s.add(mOrdersCreated, 1)
		}
		a.money(e, e.currency, mGMVCreated, e.order.goods-e.order.discount)
	}
	if e := o.top("deposit_paid"); e != nil {
		a.money(e, e.currency, mDeposit, e.order.paid)
	}
	paid := o.top("paid")
	if paid != nil {
		a.countPaid(paid)
	}
	if e := o.top("cancelled"); e != nil && paid == nil {
		for _, s := range a.orderSpots(e) {
			s.add(mOrdersCancelled, 1)
		}
	}
	if e := o.top("settled"); e != nil {
		amount := e.order.paid
		for _, r := range o.refunds() {
			if r.ts <= e.ts && r.currency == e.currency { // amounts of different currencies are never added
				amount -= r.order.refund
			}
		}
		a.money(e, e.currency, mSettled, amount)
	}
}

func (a *account) countPaid(e *event) {
	for _, s := range a.orderSpots(e) {
		s.add(mOrdersPaid, 1)
		s.distinct(a.seen, mBuyers)
	}
	a.money(e, e.currency, mGMVPaid, e.order.paid)
	for _, it := range e.order.items {
		for _, s := range a.spots(e) {
			s.add(mItemsSold, it.qty)
		}
		a.skuSpot(e, it.sku).add(mItemsSold, it.qty)
		a.skuMoney(e, it.sku, e.currency, mGMVPaid, it.paid)
	}
}

// countRefunds counts by refund date in the refund's own room, and by order date in the room and window of the paid. A line the event
// (by order date: the paid) does not know counts for the order, not by SKU.
func (a *account) countRefunds(o *order) {
	refunds, paid := o.refunds(), o.top("paid")
	if len(refunds) == 0 {
		return
	}
	a.ofOrder.forget()
	for _, r := range refunds {
		a.money(r, r.currency, mRefund, r.order.refund)
		spots := a.spots(r)
		if sku := skuOfLine(r); sku != "" {
			spots = append(spots, a.skuSpot(r, sku))
			a.skuMoney(r, sku, r.currency, mRefund, r.order.refund)
		}
		for _, s := range spots {
			s.distinct(a.ofOrder, mOrdersRefunded)
		}
		if paid == nil {
			continue
		}
		a.money(paid, r.currency, mRefundByOrder, r.order.refund)
		spots = a.spots(paid)
		if sku := lineSKU(paid, r.order.refundLine); sku != "" {
			spots = append(spots, a.skuSpot(paid, sku))
			a.skuMoney(paid, sku, r.currency, mRefundByOrder, r.order.refund)
		}
		for _, s := range spots {
			s.distinct(a.ofOrder, mOrdersRefundedByOrder)
		}
	}
}

func skuOfLine(refund *event) string { return lineSKU(refund, refund.order.refundLine) }

func lineSKU(e *event, line string) string {
	for _, it := range e.order.items {
		if it.line == line && line != "" {
			return it.sku
		}
	}
	return ""
}

// orderRow is the order as the table shows it: the highest version's state, room, currency and paid_minor, and the sum of all refunds.
func orderRow(who owner, o *order) OrderRow {
	e := o.top("")
	row := OrderRow{Platform: who.platform, OrderID: e.order.id, State: e.sub, Version: e.order.version, Room: e.place.room,
		Session: e.place.session, Currency: e.currency, PaidMinor: e.order.paid}
	for _, r := range o.refunds() {
		row.RefundMinor += r.order.refund
	}
	return row
}
