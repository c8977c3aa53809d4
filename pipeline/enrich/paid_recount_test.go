package enrich

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// windowStart is where a window of a distinct measure begins, whatever event in it a change names.
func (s *shop) windowStart(g measure.Grain, ts int64) int64 {
	return [measure.NumGrains]int64{ts - ts%paneMS, ts - ts%minuteMS, ts - ts%hourMS, s.days.Start(ts), 0}[g]
}

// book adds what the last event changed of buyers and new buyers to sums.
func (s *shop) book(sums map[change.Change]int64) {
	for _, c := range s.out.Changes {
		if c.Slot != measure.NewBuyers && (c.Flags&change.Distinct == 0 || c.Slot != measure.Buyers) {
			continue
		}
		d := c.Delta
		c.Delta, c.Recv = 0, 0
		for g := measure.Grain10s; c.Slot == measure.Buyers && g < measure.NumGrains; g++ {
			if c.Mask == 1<<g {
				c.TS = s.windowStart(g, c.TS)
			}
		}
		if sums[c] += d; sums[c] == 0 {
			delete(sums, c)
		}
	}
	s.out.Changes, s.out.Orders = s.out.Changes[:0], s.out.Orders[:0]
}

// recounted looks at all orders as they stand. Windows of forgotten ones are not among them: with forgot only where the first order counts is answered.
func (s *shop) recounted(forgot bool) map[change.Change]int64 {
	out, b := map[change.Change]int64{}, s.buyerOf(&s.buyer)
	first := b.first
	for _, o := range b.orders {
		p := o.top(event.Paid)
		if p == nil {
			continue
		}
		if f := firstOf(o, p); first == nil || f.ts < first.ts || f.ts == first.ts && f.id < first.id {
			first = f
		}
		for _, k := range s.buyerKeys(firstOf(o, p)) {
			for g := measure.Grain10s; !forgot && g < measure.NumGrains; g++ {
				out[change.Change{TS: s.windowStart(g, p.ts), Key: k, Slot: measure.Buyers, Mask: 1 << g, Flags: change.Own | change.Distinct}] = 1
			}
		}
	}
	if first != nil {
		for _, k := range s.buyerKeys(first) {
			out[change.Change{TS: first.ts, Key: k, Slot: measure.NewBuyers, Mask: change.AllGrains, Flags: change.Own}] = 1
		}
	}
	return out
}

// Orders of many versions and rooms, moved by touches, forgotten and swept: buyers and new buyers are those that a look at all orders finds.
func TestBuyersAreThoseOfTheOrders(t *testing.T) {
	for seed := range uint64(100) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		forgets := seed%2 == 0
		steps, ids := []int64{1, 5_000, 60_000, 3 * hourMS, hourMS}, 15
		if forgets {
			steps, ids = []int64{1, 5_000, 60_000, 30 * hourMS, 100 * dayMS}, 3
		}
		s, sums, now := newShop(1+rnd.IntN(6)), map[change.Change]int64{}, int64(1_790_000_000_000)
		for i := range 250 {
			if now += rnd.Int64N(steps[rnd.IntN(5)]); forgets && rnd.IntN(50) == 0 {
				now += orderMemoryMS - rnd.Int64N(dayMS)
			}
			s.wm, s.exactFrom = now, now-6*hourMS
			at := now - rnd.Int64N([]int64{1, hourMS, 6 * dayMS}[rnd.IntN(3)])
			if rnd.IntN(20) == 0 {
				s.MarkKeys(&cellkey.Marks{})
			}
			click := uint64(rnd.IntN(6))
			if rnd.IntN(4) == 0 {
				s.clickTouch(&s.buyer, &eventlog.Entry{TS: at, Recv: at, Room: []uint32{1, 2}[rnd.IntN(2)], Click: click + 1})
			} else {
				body := &eventlog.OrderBody{OrderID: fmt.Sprint("o", rnd.IntN(ids)), Version: rnd.Int64N(1000), Items: []eventlog.Item{{LineID: "1", SKU: 5 + uint32(rnd.IntN(3)), Qty: 1}}}
				s.take(&eventlog.Entry{Kind: eventlog.Order, Sub: uint8([]event.State{event.Paid, event.Paid, event.Created}[rnd.IntN(3)]), TS: at, Recv: at,
					Room: []uint32{1, 2, 3, 3, 3}[rnd.IntN(5)], Exps: []uint32{0, 8, 9}[rnd.IntN(3)], Currency: 4, Click: click}, body)
			}
			s.book(sums)
			got := maps.Clone(sums)
			maps.DeleteFunc(got, func(c change.Change, _ int64) bool { return forgets && c.Slot == measure.Buyers })
			if want := s.recounted(forgets); !maps.Equal(got, want) {
				t.Fatalf("seed %d, event %d:\n%s", seed, i, cmp.Diff(want, got))
			}
			sweep(s, rnd)
		}
	}
}
