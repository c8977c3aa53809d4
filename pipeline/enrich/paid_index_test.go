package enrich

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// shop is one buyer's orders, applied without a log.
type shop struct {
	*Enricher
	buyer viewer
}

func newShop(keep int) *shop {
	s := &shop{Enricher: New(0, cellkey.NewTable())}
	s.keepIndex = keep
	s.days = measure.DaysOf(time.FixedZone("", 8*3600))
	for _, t := range []string{"", "p\x00r1\x00s", "p\x00r2\x00s", "p\x00\x00", "CNY", "sku1", "sku2", "sku3", "x\x00A", "x\x00A\x01y\x00B"} {
		s.strIDs = append(s.strIDs, s.keys.String(t))
	}
	return s
}

// take applies an order event that is no duplicate.
func (s *shop) take(n *eventlog.Entry, body *eventlog.OrderBody) {
	if !s.orderOf(s.buyerOf(&s.buyer), body.OrderID).has(body.Version) {
		s.orderEvent(&s.buyer, n, body)
	}
}

// order applies one event and adds what it changes up.
func (s *shop) order(at, version int64, id string, state event.State, room, exps uint32, skus []uint32, sums map[change.Change]int64) {
	n := &eventlog.Entry{Kind: eventlog.Order, Sub: uint8(state), TS: at, Recv: at, Room: room, Exps: exps, Currency: 4}
	body := &eventlog.OrderBody{OrderID: id, Version: version, Paid: 10, Goods: 10}
	for i, sku := range skus {
		body.Items = append(body.Items, eventlog.Item{LineID: fmt.Sprint(i), SKU: sku, Qty: 1, Paid: 5})
	}
	s.out.Changes, s.out.Orders = s.out.Changes[:0], s.out.Orders[:0]
	s.take(n, body)
	for _, c := range s.out.Changes {
		d := c.Delta
		c.Delta, c.Recv = 0, 0
		if sums[c] += d; sums[c] == 0 {
			delete(sums, c)
		}
	}
}

// Whether the index is kept, or made anew from the orders each time, or lost with the keys in between: the changes are the same.
func TestPaidIndexFollowsTheOrders(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		kept, made := newShop(1), newShop(math.MaxInt)
		a, b := map[change.Change]int64{}, map[change.Change]int64{}
		now := int64(1_790_000_000_000)
		for i := range 300 {
			now += rnd.Int64N([]int64{1, 5_000, 60_000, 30 * hourMS, 20 * dayMS}[rnd.IntN(5)])
			if rnd.IntN(50) == 0 {
				now += orderMemoryMS
			}
			kept.wm, made.wm = now, now
			at, version, id := now-rnd.Int64N([]int64{1, hourMS, 6 * dayMS}[rnd.IntN(3)]), rnd.Int64N(1000), fmt.Sprint("o", rnd.IntN(20))
			state := []event.State{event.Paid, event.Paid, event.Created, event.Refunded}[rnd.IntN(4)]
			skus := []uint32{5, 6, 7}[:1+rnd.IntN(3)]
			room, exps := []uint32{1, 2, 3}[rnd.IntN(3)], []uint32{0, 8, 9}[rnd.IntN(3)]
			if rnd.IntN(20) == 0 {
				kept.MarkKeys(&cellkey.Marks{})
			}
			kept.order(at, version, id, state, room, exps, skus, a)
			made.order(at, version, id, state, room, exps, skus, b)
			if !maps.Equal(a, b) {
				t.Fatalf("seed %d, event %d: the index kept differs from one made anew:\n%s", seed, i, cmp.Diff(b, a))
			}
			sweep(kept, rnd)
		}
	}
}

// The numbers of keys that nobody keeps go to others: an index that remembered them would count the buyer of a window again.
func TestPaidIndexLosesItsKeys(t *testing.T) {
	s := newShop(1)
	order := func(id string) (buyers int64) {
		sums := map[change.Change]int64{}
		s.order(1_790_000_000_000, 1, id, event.Paid, 1, 0, []uint32{5}, sums)
		for c, n := range sums {
			if c.Slot == measure.Buyers {
				buyers += n
			}
		}
		return buyers
	}
	if n := order("o1"); n != 2*int64(measure.NumGrains) {
		t.Fatalf("the first order counts %d times, want in each window of its room and its SKU", n)
	}
	order("o2")
	s.keys.Sweep(s.MarkKeys)
	for i := range 10 {
		s.keys.Cell(measure.SKU, s.strIDs[1], s.keys.String(fmt.Sprint("other", i)), 0)
	}
	if n := order("o3"); n != 0 {
		t.Errorf("another in the same windows counts %d times", n)
	}
}

// sweep may come at any time.
func sweep(s *shop, rnd *rand.Rand) {
	if rnd.IntN(10) == 0 {
		s.sweepBuyer(&s.buyer)
	}
}

// An id that stands for all guests of a shop: an order costs what it touches, however many there were before.
func TestOrdersOfOneBuyerCostTheSame(t *testing.T) {
	allocated := func(orders int) float64 {
		s, n := newShop(keepIndex), 0
		next := func() {
			n++
			s.order(1_790_000_000_000+int64(n)*1000, 1, fmt.Sprint("o", n), event.Paid, 1, 0, []uint32{5}, map[change.Change]int64{})
		}
		for range orders {
			next()
		}
		return testing.AllocsPerRun(100, next)
	}
	few, many := allocated(100), allocated(10_000)
	if many > 2*few {
		t.Errorf("an order after 10,000 of its buyer allocates %.0f times, after 100 %.0f times", many, few)
	}
}
