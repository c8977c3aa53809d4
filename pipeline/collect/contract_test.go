package collect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// rests are the fields of an event of each type, and their topics.
var rests = map[string]struct {
	topic event.Topic
	rest  string
}{
	"viewer":      {event.TopicViewer, where + `"user_id":"u","view_id":"v","action":"leave"`},
	"interaction": {event.TopicInteraction, where + `"user_id":"u","view_id":"v","kind":"like"`},
	"order":       {event.TopicOrder, `"order_id":"o","order_version":1,"state":"created","buyer_id":"b","currency":"CNY","goods_minor":1,"paid_minor":0,"items":[{"line_id":"1","sku_id":"s","qty":1,"paid_minor":0}]`},
	"cost":        {event.TopicCost, `"cost_id":"c","cost_version":1,"channel":"ads","kind":"ads","spend_minor":5,"currency":"CNY","period_start":1,"period_end":2`},
	"stock":       {event.TopicStock, where + `"sku_id":"s","available":5,"stock_version":1,"ts":1`},
}

// contract.md, Time: "event_ts = received_ts − max(0, sent_ts − client_ts), never earlier than received_ts − 7 d (then it is that bound, and
// the event is flagged clock_clamped); sent_ts < client_ts is flagged clock_negative and gives event_ts = received_ts. For orders, cost and
// stock from servers the same rule holds."
func TestClockOfEveryTypeIsRepaired(t *testing.T) {
	const week = 7 * 24 * 3600 * 1000
	s := testStage(t)
	for typ, r := range rests {
		for _, c := range []struct {
			client, sent, before int64
			flags                uint8
		}{
			{500, 500, 0, 0},
			{500, 501, 1, 0},
			{501, 500, 0, eventlog.ClockNegative},
			{5, 5 + week, week, 0},
			{5, 6 + week, week, eventlog.ClockClamped},
		} {
			v := strings.Replace(record(typ, r.rest), `"client_ts":1795312800123,"sent_ts":1795312800450`, fmt.Sprintf(`"client_ts":%d,"sent_ts":%d`, c.client, c.sent), 1)
			e, res := add(t, s, r.topic, testNow-9, v)
			if res.Verdict.Reason != event.ReasonNone || e.Recv != testNow-9 || e.TS != testNow-9-c.before || e.Flags != c.flags {
				t.Errorf("%s made at %d, sent at %d: %v, %d before it was received, flags %d, want %d and %d", typ, c.client, c.sent, res.Verdict, e.Recv-e.TS, e.Flags, c.before, c.flags)
			}
		}
	}
}

// contract.md, Outcomes: "cost: (platform, cost_id, cost_version); stock: (platform, sku_id, room_id, live_session_id, stock_version)", and
// nothing else: what differs in a part of the key is another event, what differs elsewhere is a copy.
func TestNaturalKeys(t *testing.T) {
	s := testStage(t)
	key := func(typ string, change ...string) [3]uint64 {
		v := record(typ, rests[typ].rest)
		for i := 0; i < len(change); i += 2 {
			if v = strings.Replace(v, change[i], change[i+1], 1); !strings.Contains(v, change[i+1]) {
				t.Fatalf("%s has no %s", typ, change[i])
			}
		}
		e, res := add(t, s, rests[typ].topic, testNow, v)
		if res.Verdict.Reason != event.ReasonNone {
			t.Fatalf("%s: %v", v, res.Verdict)
		}
		return [3]uint64{e.ViewerHi, e.ViewerLo, e.EventFP}
	}
	for _, c := range []struct {
		typ, from, to string
		same          bool
	}{
		{"cost", `"douyin"`, `"taobao"`, false}, {"cost", `"cost_id":"c"`, `"cost_id":"d"`, false}, {"cost", `"cost_version":1`, `"cost_version":2`, false},
		{"cost", `"cost_version":1`, `"cost_version":257`, false}, {"cost", `"event_id":"e1"`, `"event_id":"e2"`, true}, {"cost", `"spend_minor":5`, `"spend_minor":6`, true},
		{"stock", `"douyin"`, `"taobao"`, false}, {"stock", `"sku_id":"s"`, `"sku_id":"t"`, false}, {"stock", `"r_42"`, `"r_43"`, false},
		{"stock", `"ls_42"`, `"ls_43"`, false}, {"stock", `"stock_version":1`, `"stock_version":257`, false}, {"stock", `"available":5`, `"available":6`, true},
		{"stock", `"event_id":"e1"`, `"event_id":"e2"`, true},
	} {
		if same := key(c.typ) == key(c.typ, c.from, c.to); same != c.same {
			t.Errorf("%s with %s instead of %s: the same is %v, want %v", c.typ, c.to, c.from, same, c.same)
		}
	}
	if a, b := key("stock", `"r_42"`, `"r_4"`, `"ls_42"`, `"2ls_42"`), key("stock", `"ls_42"`, `"ls_42"`); a == b {
		t.Error("parts of a natural key run into each other")
	}
}

// contract.md: a viewer is user_id if present, else anon_id; an order's is buyer_id; watch_ms_delta and foreground belong to heartbeat and
// leave; an enter's touch and an order carry the click_id.
func TestWhatALeaveAndAnOrderCarry(t *testing.T) {
	s := testStage(t)
	l, _ := add(t, s, event.TopicViewer, testNow, record("viewer", where+`"user_id":"u","anon_id":"a","view_id":"v","action":"leave","watch_ms_delta":7,"foreground":false`))
	hi, lo := s.names.User("douyin", "u")
	if l.Value != 7 || l.Flags != eventlog.Background || l.ViewerHi != hi || l.ViewerLo != lo {
		t.Errorf("leave: %+v", l.Entry)
	}
	q, _ := add(t, s, event.TopicViewer, testNow, record("viewer", where+`"anon_id":"a","view_id":"v","action":"quality","watch_ms_delta":7`))
	hi, lo = s.names.Anon("douyin", "a")
	if q.Value != 0 || q.ViewerHi != hi || q.ViewerLo != lo {
		t.Errorf("quality: %+v", q.Entry)
	}
	o, _ := add(t, s, event.TopicOrder, testNow, record("order", `"order_id":"o","order_version":3,"state":"refunded","buyer_id":"b","currency":"CNY","goods_minor":9,"discount_minor":2,"paid_minor":7,`+
		`"items":[{"line_id":"1","sku_id":"s","qty":1,"paid_minor":7}],"click_id":"k","refund":{"refund_id":"rf","line_id":"1","minor":4}`))
	hi, lo = s.names.User("douyin", "b")
	b := o.block.Orders[0]
	if o.Click != hash("k") || o.ViewerHi != hi || o.ViewerLo != lo || b.Goods != 9 || b.Discount != 2 || b.Paid != 7 || b.RefundID != "rf" || b.RefundLine != "1" || b.Refund != 4 {
		t.Errorf("refund: %+v, %+v", o.Entry, b)
	}
}
