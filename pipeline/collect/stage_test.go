package collect

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

const testNow = int64(1795312900000)

func testStage(t testing.TB) *Stage {
	s, err := NewStage(Config{Key: unhex("000102030405060708090a0b0c0d0e0f"), Partitions: 4, Now: func() int64 { return testNow }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func record(typ, rest string) string {
	return `{"event_id":"e1","schema_version":"1-0-0","type":"` + typ + `","platform":"douyin","client_ts":1795312800123,"sent_ts":1795312800450,"sdk_instance_id":"i_3c9d","seq":17,` + rest + `}`
}

const where = `"room_id":"r_42","live_session_id":"ls_42",`

// out is the one entry of the block that the record ended up in.
type out struct {
	eventlog.Entry
	partition int
	block     eventlog.Block
	raw       string
}

func (o out) str(i uint32) string { return o.block.Strings[i] }

func add(t *testing.T, s *Stage, topic event.Topic, ts int64, value string) (out, Result) {
	t.Helper()
	src := s.Source(eventlog.SourceID{TopicID: [16]byte{byte(topic)}, Partition: 6})
	res := s.Add(&Record{Topic: topic, Source: src, Partition: 6, Offset: 99, Timestamp: ts, Value: []byte(value)})
	w := s.Writer(res.Partition)
	if w.Len() != 1 {
		t.Fatalf("%s: partition %d has %d entries", value, res.Partition, w.Len())
	}
	o := out{partition: res.Partition}
	raw := w.Seal(nil)
	o.raw = string(raw)
	if err := eventlog.Decode(raw, &o.block); err != nil {
		t.Fatal(err)
	}
	o.Entry = o.block.Entries[0]
	if o.Offset != 99 || o.block.Sources[o.Source].Partition != 6 {
		t.Errorf("provenance %d, %v", o.Offset, o.block.Sources)
	}
	return o, res
}

func TestViewerEvents(t *testing.T) {
	s := testStage(t)
	who := `"user_id":"u_881","anon_id":"a_5f1c","view_id":"v_77",`
	e, _ := add(t, s, event.TopicViewer, testNow-1000, record("viewer", where+who+`"action":"enter","entry_source":"paid","touch":{"channel":"ads","campaign_id":"c_12","click_id":"ck_91","kind":"click"},"experiment":[{"id":"x","variant":"A"},{"id":"x","variant":"A"},{"id":"y","variant":"B"}]`))
	hi, lo := s.names.User("douyin", "u_881")
	if e.Kind != eventlog.Viewer || e.Sub != uint8(event.Enter) || e.ViewerHi != hi || e.ViewerLo != lo || e.partition != int(hi%4) {
		t.Errorf("enter: %+v in partition %d", e.Entry, e.partition)
	}
	if e.str(e.Room) != "douyin\x00r_42\x00ls_42" || e.str(e.Origin) != "paid\x00c_12" || e.str(e.Exps) != "x\x00A\x01y\x00B" {
		t.Errorf("enter: strings %q", e.block.Strings)
	}
	if e.Click != xxhash.Sum64String("ck_91") || e.View != xxhash.Sum64String("v_77") || e.EventFP != xxhash.Sum64String("e1") || e.Instance != xxhash.Sum64String("i_3c9d") || e.Seq != 17 {
		t.Errorf("enter: hashes %+v", e.Entry)
	}
	if e.Recv != testNow-1000 || e.TS != testNow-1000-327 || e.Flags != 0 {
		t.Errorf("enter: recv %d, ts %d, flags %d", e.Recv, e.TS, e.Flags)
	}
	h, _ := add(t, s, event.TopicViewer, testNow, record("viewer", where+`"anon_id":"u_881","view_id":"v_77","action":"heartbeat","watch_ms_delta":5000,"foreground":false`))
	ahi, _ := s.names.Anon("douyin", "u_881")
	if h.Value != 5000 || h.Flags != eventlog.Background || h.ViewerHi != ahi || h.Origin != 0 {
		t.Errorf("heartbeat: %+v", h.Entry)
	}
}

func TestInteractions(t *testing.T) {
	s := testStage(t)
	who := where + `"user_id":"u_881","view_id":"v_77",`
	c, _ := add(t, s, event.TopicInteraction, testNow, record("interaction", who+`"kind":"comment","comment_text":"the planted text","comment_len":16`))
	if c.Kind != eventlog.Interaction || c.Sub != uint8(event.Comment) || c.Value != 1 || strings.Contains(c.raw, "planted") || strings.Contains(c.raw, "u_881") {
		t.Errorf("comment: %+v in %q", c.Entry, c.raw)
	}
	g, _ := add(t, s, event.TopicInteraction, testNow, record("interaction", who+`"kind":"gift","gift_value_minor":520,"currency":"CNY","count":3`))
	if g.Gift != 520 || g.str(g.Currency) != "CNY" || g.Value != 3 {
		t.Errorf("gift: %+v", g.Entry)
	}
	r, _ := add(t, s, event.TopicInteraction, testNow, record("interaction", who+`"kind":"rating","rating":4`))
	if r.Rating != 4 {
		t.Errorf("rating: %+v", r.Entry)
	}
	p, _ := add(t, s, event.TopicInteraction, testNow, record("interaction", who+`"kind":"product_click","sku_id":"sku_310"`))
	if p.str(p.SKU) != "sku_310" {
		t.Errorf("product click: %+v", p.Entry)
	}
}

const order = `"order_id":"o_5501","order_version":2,"state":"paid","buyer_id":"u_881","currency":"CNY","goods_minor":25800,"discount_minor":2000,"paid_minor":23800,` +
	`"items":[{"line_id":"1","sku_id":"sku_310","qty":2,"unit_minor":12900,"paid_minor":23800}],"click_id":"ck_91","is_presale":true`

func TestOrderGoesToItsBuyer(t *testing.T) {
	s := testStage(t)
	e, _ := add(t, s, event.TopicOrder, testNow, record("order", order+`,"user_id":"somebody else"`))
	hi, lo := s.names.User("douyin", "u_881")
	if e.ViewerHi != hi || e.ViewerLo != lo || e.Sub != uint8(event.Paid) || e.Flags != eventlog.Presale || e.Click != xxhash.Sum64String("ck_91") || e.View != 0 {
		t.Errorf("order: %+v", e.Entry)
	}
	if got, want := fmt.Sprintf("%+v", e.block.Orders), fmt.Sprintf("[{OrderID:o_5501 Version:2 Goods:25800 Discount:2000 Paid:23800 Items:[{LineID:1 SKU:%d Qty:2 Paid:23800}] RefundID: RefundLine: Refund:0}]", e.block.Orders[0].Items[0].SKU); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if e.str(e.block.Orders[0].Items[0].SKU) != "sku_310" || e.str(e.Currency) != "CNY" || e.str(e.Room) != "douyin\x00\x00" {
		t.Errorf("order: strings %q", e.block.Strings)
	}
}

func TestCostAndStockAreKeyedByWhatTheyAreAbout(t *testing.T) {
	s := testStage(t)
	cost := func(version int) out {
		e, _ := add(t, s, event.TopicCost, testNow, record("cost", fmt.Sprintf(`"cost_id":"c1","cost_version":%d,"channel":"ads","kind":"ads","spend_minor":5,"currency":"CNY","period_start":1,"period_end":2`, version)))
		return e
	}
	a, b := cost(1), cost(2)
	if a.Kind != eventlog.Cost || a.ViewerHi != b.ViewerHi || a.ViewerLo != b.ViewerLo || a.EventFP == b.EventFP || a.EventFP != cost(1).EventFP {
		t.Errorf("cost: %+v and %+v", a.Entry, b.Entry)
	}
	stock := func(room string) out {
		e, _ := add(t, s, event.TopicStock, testNow, record("stock", `"room_id":"`+room+`","live_session_id":"l","sku_id":"s","available":-5,"stock_version":1,"ts":1`))
		return e
	}
	if x, y := stock("r1"), stock("r2"); x.Kind != eventlog.Stock || x.ViewerHi == y.ViewerHi || x.EventFP == y.EventFP {
		t.Errorf("stock: %+v and %+v", x.Entry, y.Entry)
	}
}

// TestRejectsOfAnInstance go to its viewer, whose number they used; what names none stays with its source.
func TestRejectsOfAnInstance(t *testing.T) {
	s := testStage(t)
	good, _ := add(t, s, event.TopicViewer, testNow-5, record("viewer", where+`"user_id":"u","view_id":"v","action":"leave"`))
	bad, res := add(t, s, event.TopicViewer, testNow-5, record("viewer", where+`"user_id":"u","view_id":"v","action":"jump"`))
	if bad.Kind != eventlog.Reject || res.Verdict.Reason != event.BadEnum || bad.partition != good.partition || bad.ViewerHi != good.ViewerHi || bad.ViewerLo != good.ViewerLo ||
		bad.Instance != good.Instance || bad.Seq != good.Seq || bad.Instance == 0 {
		t.Errorf("%+v in partition %d, %+v in %d", bad.Entry, bad.partition, good.Entry, good.partition)
	}
}

func TestRejectsStayWithTheirSource(t *testing.T) {
	s := testStage(t)
	e, res := add(t, s, event.TopicOrder, testNow-5, record("viewer", where+`"view_id":"v","action":"leave"`))
	if e.Kind != eventlog.Reject || e.Sub != uint8(event.WrongTopic) || e.partition != 6%4 || e.Recv != testNow-5 || e.TS != testNow-5 || res.Verdict.Reason != event.WrongTopic {
		t.Errorf("%+v in partition %d, %+v", e.Entry, e.partition, res)
	}
}

func TestReceiveTimeIsNeverLaterThanNow(t *testing.T) {
	s := testStage(t)
	for ts, want := range map[int64]int64{testNow + 5000: testNow, testNow: testNow, testNow - 1: testNow - 1, -1: 0} {
		e, res := add(t, s, event.TopicOrder, ts, record("order", order))
		if e.Recv != want || res.Recv != want {
			t.Errorf("timestamp %d: receive time %d, want %d", ts, e.Recv, want)
		}
	}
}

func TestClockFlags(t *testing.T) {
	s := testStage(t)
	at := func(client, sent int64) out {
		v := strings.Replace(record("order", order), `"client_ts":1795312800123,"sent_ts":1795312800450`, fmt.Sprintf(`"client_ts":%d,"sent_ts":%d`, client, sent), 1)
		e, _ := add(t, s, event.TopicOrder, testNow, v)
		return e
	}
	if e := at(0, testNow); e.Flags&^eventlog.Presale != eventlog.ClockClamped || e.TS != testNow-7*24*3600*1000 {
		t.Errorf("a wait of years: %+v", e.Entry)
	}
	v := strings.Replace(record("order", order), `"client_ts":1795312800123,"sent_ts":1795312800450`, `"client_ts":0,"sent_ts":15000`, 1)
	if e, _ := add(t, s, event.TopicOrder, -1, v); e.Flags&^eventlog.Presale != eventlog.ClockClamped || e.TS != 0 || e.Recv != 0 {
		t.Errorf("a record without a timestamp: %+v, want the time 0", e.Entry)
	}
	if e := at(2, 1); e.Flags&^eventlog.Presale != eventlog.ClockNegative || e.TS != testNow {
		t.Errorf("sent before it was made: %+v", e.Entry)
	}
}

func BenchmarkStage(b *testing.B) {
	s := testStage(b)
	var recs []Record
	for i := range 1024 {
		v := record("viewer", fmt.Sprintf(`"room_id":"r_%05d","live_session_id":"ls_%05d_20261122","user_id":"u_%07d","view_id":"v_%d","action":"heartbeat","watch_ms_delta":5000,"foreground":true,"device":{"os":"ios","model":"iPhone17,1","app_version":"33.1","network":"5g"},"geo":{"country":"CN","province":"Zhejiang"},"consent":true`, i%700, i%700, i, i))
		recs = append(recs, Record{Topic: event.TopicViewer, Source: s.Source(eventlog.SourceID{Partition: int32(i % 4)}), Offset: int64(i), Timestamp: testNow - 5, Value: []byte(v)})
	}
	var spare []byte
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		res := s.Add(&recs[i&1023])
		if w := s.Writer(res.Partition); w.Size() > 16<<10 {
			spare = w.Seal(spare)
		}
		i++
	}
}
