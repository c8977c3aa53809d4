package ledger

import (
	"fmt"
	"testing"
)

func TestOrderDuplicatesHaveNoHorizon(t *testing.T) {
	s := newScript(t)
	s.order(0, "o", 1, "created", 0, room)
	s.order(86_400_000, "o", 1, "cancelled", 0, room) // the same version: a duplicate, whatever it says
	s.add("stock", 1, room+`,"sku_id":"a","available":-1,"stock_version":1,"ts":5`)
	s.add("stock", 2, another+`,"sku_id":"a","available":3,"stock_version":1,"ts":5`)
	s.add("stock", 3, room+`,"sku_id":"a","available":9,"stock_version":1,"ts":5`)
	outcomes := outcomesOf(s.finish())
	if outcomes["accepted"] != 3 || outcomes["duplicate"] != 2 {
		t.Errorf("%v, want 3 accepted and 2 duplicate", outcomes)
	}
}

func TestOrderVersions(t *testing.T) {
	s := newScript(t)
	s.order(20_000, "o", 3, "paid", 900, room)
	s.order(10_000, "o", 2, "paid", 600, room) // lower, later in the log: does not count
	s.order(0, "o", 1, "created", 0, room)
	s.order(70_000, "o", 4, "cancelled", 900, another) // paid: no cancel, but the table shows it
	truth := s.finish()
	s.expect(truth, theRoom, []expect{
		{"room_measures", "10s", 20_000, none, "orders_paid", 1},
		{"room_measures", "10s", 10_000, none, "orders_paid", 0},
		{"room_measures", "10s", 10_000, none, "events", 1},
		{"room_measures", "1m", 0, none, "buyers", 1},
		{"room_measures", "1m", 0, none, "new_buyers", 1},
		{"room_measures", "1m", 0, none, "items_sold", 3},
		{"room_money", "1m", 0, [2]string{"CNY"}, "gmv_paid_minor", 900},
		{"room_money", "1m", 0, [2]string{"CNY"}, "gmv_created_minor", 900},
		{"sku_money", "1m", 0, [2]string{"b", "CNY"}, "gmv_paid_minor", 300},
		{"sku_measures", "1m", 0, [2]string{"a"}, "items_sold", 2},
		{"sku_measures", "1m", 0, [2]string{"a"}, "events", 3},
	})
	s.expect(truth, Place{"douyin", "r2", "s2"}, []expect{
		{"room_measures", "1m", 60_000, none, "orders_cancelled", 0},
		{"room_measures", "1m", 60_000, none, "events", 1},
	})
	want := OrderRow{"douyin", "o", "cancelled", 4, "r2", "s2", "CNY", 900, 0}
	if len(truth.Orders) != 1 || truth.Orders[0] != want {
		t.Errorf("orders %+v, want %+v", truth.Orders, want)
	}
}

func TestNewBuyerByTimeThenOrderID(t *testing.T) {
	s := newScript(t)
	s.order(60_000, "o1", 1, "paid", 900, room)
	s.order(0, "o9", 1, "paid", 900, another)
	s.order(0, "o10", 1, "paid", 900, room) // equal times: bytes compare, "o10" < "o9"
	s.expect(s.finish(), theRoom, []expect{
		{"room_measures", "1m", 0, none, "new_buyers", 1},
		{"room_measures", "1m", 60_000, none, "new_buyers", 0},
		{"room_measures", "1h", 0, none, "buyers", 1},
		{"room_measures", "1h", 0, none, "orders_paid", 2},
		{"sku_measures", "1m", 0, [2]string{"a"}, "new_buyers", 1},
	})
}

func TestRefunds(t *testing.T) {
	s := newScript(t)
	refund := func(at int64, version int, id, line string, minor int64) {
		s.order(at, "o", version, "refunded", 900, fmt.Sprintf(`%s,"refund":{"refund_id":"%s","line_id":"%s","minor":%d}`, room, id, line, minor))
	}
	s.order(0, "o", 1, "paid", 900, room)
	refund(60_000, 2, "f1", "1", 100)
	refund(130_000, 4, "f1", "1", 50) // the same refund by its higher version, with that one's time
	refund(130_000, 3, "f2", "2", 30)
	refund(250_000, 7, "f3", "9", 7)               // no such line: for the order, not by SKU
	s.order(130_000, "o", 5, "settled", 900, room) // up to its own time, included
	truth := s.finish()
	s.expect(truth, theRoom, []expect{
		{"room_money", "1m", 60_000, [2]string{"CNY"}, "refund_minor", 0},
		{"room_money", "1m", 120_000, [2]string{"CNY"}, "refund_minor", 80},
		{"room_money", "1m", 240_000, [2]string{"CNY"}, "refund_minor", 7},
		{"room_money", "1m", 0, [2]string{"CNY"}, "refund_minor_by_order", 87},
		{"room_money", "1m", 0, [2]string{"CNY"}, "net_minor", 813},
		{"room_money", "1m", 120_000, [2]string{"CNY"}, "settled_minor", 820},
		{"sku_money", "1m", 0, [2]string{"a", "CNY"}, "refund_minor_by_order", 50},
		{"sku_money", "1m", 0, [2]string{"a", "CNY"}, "net_minor", 550},
		{"sku_money", "1m", 120_000, [2]string{"b", "CNY"}, "refund_minor", 30},
		{"room_measures", "1m", 120_000, none, "orders_refunded", 1},
		{"room_measures", "1h", 0, none, "orders_refunded", 1},
		{"room_measures", "1m", 0, none, "orders_refunded_by_order", 1},
		{"sku_measures", "1h", 0, [2]string{"a"}, "orders_refunded", 1},
	})
	if got := truth.Orders[0].RefundMinor; got != 87 {
		t.Errorf("refund_minor of the order is %d, want 87", got)
	}
}

func TestRefundWithoutPaidCountsByRefundDateOnly(t *testing.T) {
	s := newScript(t)
	s.order(0, "o", 2, "refunded", 900, room+`,"refund":{"refund_id":"f","minor":5}`)
	s.order(0, "o", 3, "cancelled", 900, room)
	s.expect(s.finish(), theRoom, []expect{
		{"room_money", "1m", 0, [2]string{"CNY"}, "refund_minor", 5},
		{"room_money", "1m", 0, [2]string{"CNY"}, "refund_minor_by_order", 0},
		{"room_measures", "1m", 0, none, "orders_cancelled", 1},
	})
}

func TestOrderWithoutRoomFollowsItsClick(t *testing.T) {
	const day = 86_400_000
	for _, c := range []struct {
		name    string
		touchAt int64 // order at 40 days
		user    string
		want    Place
	}{
		{"30 days before", 10 * day, "u1", theRoom},
		{"a ms more", 10*day - 1, "u1", Place{"douyin", "", "s9"}},
		{"1 day after", 41 * day, "u1", theRoom},
		{"a ms more after", 41*day + 1, "u1", Place{"douyin", "", "s9"}},
		{"somebody else's", 40 * day, "u2", Place{"douyin", "", "s9"}},
	} {
		s := newScript(t)
		s.order(40*day, "o", 1, "paid", 900, `"click_id":"ck","live_session_id":"s9"`)
		s.add("viewer", c.touchAt, room+`,"user_id":"`+c.user+`","view_id":"v","action":"enter","touch":{"click_id":"ck","kind":"click"}`)
		truth := s.finish()
		if n, _ := truth.value("room_measures", "1m", t0+40*day, c.want, none, "orders_paid"); n != 1 {
			t.Errorf("%s: no order in %v", c.name, c.want)
		}
	}
}

// By order date a refund takes the SKU that its line had in the paid, by refund date the one that it has itself.
func TestRefundOfALineWithAnotherSKU(t *testing.T) {
	s := newScript(t)
	s.order(0, "o", 1, "paid", 900, room)
	s.order(60_000, "o", 2, "refunded", 900, room+`,"items":[{"line_id":"1","sku_id":"c","qty":2,"paid_minor":600}],"refund":{"refund_id":"f","line_id":"1","minor":100}`)
	s.expect(s.finish(), theRoom, []expect{
		{"sku_money", "1m", 60_000, [2]string{"c", "CNY"}, "refund_minor", 100},
		{"sku_money", "1m", 60_000, [2]string{"a", "CNY"}, "refund_minor", 0},
		{"sku_money", "1m", 0, [2]string{"a", "CNY"}, "refund_minor_by_order", 100},
		{"sku_money", "1m", 0, [2]string{"c", "CNY"}, "refund_minor_by_order", 0},
		{"sku_measures", "1m", 0, [2]string{"a"}, "orders_refunded_by_order", 1},
	})
}

// outcomesOf is the number of records with each outcome.
func outcomesOf(truth *Truth) map[string]int64 {
	out := map[string]int64{}
	for k, n := range truth.Outcomes {
		out[k.Outcome] += n
	}
	return out
}
