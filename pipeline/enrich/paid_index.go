package enrich

import (
	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// paidIndex says in how many of a buyer's paid orders each window is: the buyer counts once in those that have any. It follows from the orders alone, and
// is kept for buyers with many: an id that a shop uses for all its guests has too many to look at with each event.
type paidIndex struct {
	orders map[distinctWindow]int
	first  *firstOrder // the earliest, of those that are forgotten too
}

// keepIndex is from how many orders on a buyer's index is kept.
const keepIndex = 32

// paidIn is where an order's paid event counts its buyer: in windows around ts, each once. first is nil where there is no such event.
type paidIn struct {
	windows []distinctWindow
	first   *firstOrder
}

func (e *Enricher) paidIn(o *order) (in paidIn) {
	p := o.top(event.Paid)
	if p == nil {
		return in
	}
	in.first = firstOf(o, p)
	for _, k := range e.buyerKeys(in.first) {
		in.windows = e.distinctWindows(in.windows, k, p.ts)
	}
	return in
}

// buyerKeys are the cells of which a paid order's buyer is one: its room's, its variants' and its SKUs'.
func (e *Enricher) buyerKeys(f *firstOrder) []cellkey.ID {
	return append(e.roomAndVariants(f.room, f.exps), e.skuKeys(f.room, f.skus)...)
}

func (e *Enricher) paidIndex(b *buyer) *paidIndex {
	if b.index != nil {
		return b.index
	}
	x := &paidIndex{orders: map[distinctWindow]int{}, first: b.first}
	for _, o := range b.orders {
		in := e.paidIn(o)
		for _, w := range in.windows {
			x.orders[w]++
		}
		x.meet(in.first)
	}
	if len(b.orders) >= e.keepIndex {
		b.index = x
	}
	return x
}

func (x *paidIndex) meet(f *firstOrder) {
	if f != nil && (x.first == nil || f.before(x.first)) {
		x.first = f
	}
}

// take removes an order from its windows, and tells left of those that have none now.
func (x *paidIndex) take(in paidIn, left func(distinctWindow)) {
	for _, w := range in.windows {
		if x.orders[w]--; x.orders[w] == 0 {
			delete(x.orders, w)
			left(w)
		}
	}
}

// recount moves orders of b from where they counted to where they count now, and appends to before and after what the buyer counted in there. Only where the last order
// goes or the first one comes is there a difference: so the other orders are not asked.
func (e *Enricher) recount(x *paidIndex, b *buyer, orders []*order, was []paidIn) {
	e.before = e.newBuyer(e.before, x.first)
	led := false
	for _, in := range was {
		x.take(in, func(w distinctWindow) { e.before = append(e.before, e.once(w, measure.Buyers, in.first.ts)) })
		led = led || in.first != nil && x.first.same(in.first)
	}
	if led { // it may not be the earliest any more
		x.first = b.first
		for _, o := range b.orders {
			if p := o.top(event.Paid); p != nil {
				x.meet(firstOf(o, p))
			}
		}
	}
	for _, o := range orders {
		in := e.paidIn(o)
		for _, w := range in.windows {
			if x.orders[w]++; x.orders[w] == 1 {
				e.after = append(e.after, e.once(w, measure.Buyers, in.first.ts))
			}
		}
		x.meet(in.first)
	}
	e.after = e.newBuyer(e.after, x.first)
}

// newBuyer appends where the buyer's first order counts.
func (e *Enricher) newBuyer(to []contribution, f *firstOrder) []contribution {
	if f == nil {
		return to
	}
	for _, k := range e.buyerKeys(f) {
		to = append(to, contribution{change.Change{TS: f.ts, Delta: 1, Key: k, Slot: measure.NewBuyers, Mask: change.AllGrains, Flags: change.Own}, f.ts})
	}
	return to
}
