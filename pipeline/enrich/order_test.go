package enrich

import "testing"

// An order's time comes whichever of a buyer's orders was restored first.
func TestOldestOrderWhateverTheOrder(t *testing.T) {
	old, young := &order{id: "old", last: 1}, &order{id: "young", last: 2*dayMS + orderMemoryMS}
	for _, orders := range [2][2]*order{{old, young}, {young, old}} {
		s := newShop(keepIndex)
		s.wm = dayMS + orderMemoryMS
		b := s.buyerOf(&s.buyer)
		for _, o := range orders {
			b.put(o)
		}
		if s.forgetOld(b); len(b.orders) != 1 {
			t.Errorf("%s restored first: %d orders are kept", orders[0].id, len(b.orders))
		}
	}
}
