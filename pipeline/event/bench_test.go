package event

import (
	"strings"
	"testing"
)

// viewer350 is a heartbeat of 350 bytes as the web SDK writes it; order725 an order of two items.
const (
	viewer350 = `{"event_id":"019b7a52-6a3e-7c11-9f0e-2f6d1c3b5a01","schema_version":"1-0-0","type":"viewer","platform":"douyin",` +
		`"room_id":"r_42","live_session_id":"ls_42_20261122","user_id":"u_881","view_id":"v_77ab01","sdk_instance_id":"i_3c9d",` +
		`"seq":17,"client_ts":1795312800123,"sent_ts":1795312800450,"action":"heartbeat","watch_ms_delta":5000,` +
		`"foreground":true}`
	order725 = `{"event_id":"019b7a52-6a3e-7c11-9f0e-2f6d1c3b5a02","schema_version":"1-0-0","type":"order","platform":"douyin",` +
		`"room_id":"r_00042","live_session_id":"ls_00042_20261122","user_id":"u_881","view_id":"v_77ab01","sdk_instance_id":"srv_orders_3",` +
		`"seq":90121,"client_ts":1795312800123,"sent_ts":1795312800450,"order_id":"o_5501","order_version":2,"state":"paid",` +
		`"buyer_id":"u_881","currency":"CNY","goods_minor":25800,"discount_minor":2000,"platform_subsidy_minor":500,"shipping_minor":0,` +
		`"tax_minor":0,"paid_minor":23800,"items":[{"line_id":"1","sku_id":"sku_310","qty":1,"unit_minor":12900,"paid_minor":11900},` +
		`{"line_id":"2","sku_id":"sku_311","qty":1,"unit_minor":12900,"paid_minor":11900}],"click_id":"ck_91","is_presale":false}`
)

func benchmarkDecode(b *testing.B, topic Topic, record string, decode func(*Decoder, Topic, []byte, *Event) bool) {
	d, raw := NewDecoder(), []byte(record)
	var ev Event
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if !decode(d, topic, raw, &ev) {
			b.Fatal("not accepted")
		}
	}
}

func onFast(d *Decoder, t Topic, raw []byte, ev *Event) bool { return d.fast.decode(t, raw, ev) }

func onStrict(d *Decoder, t Topic, raw []byte, ev *Event) bool {
	return d.strict.decode(t, raw, ev) == Verdict{}
}

func BenchmarkFastViewer(b *testing.B)   { benchmarkDecode(b, TopicViewer, viewer350, onFast) }
func BenchmarkFastOrder(b *testing.B)    { benchmarkDecode(b, TopicOrder, order725, onFast) }
func BenchmarkStrictViewer(b *testing.B) { benchmarkDecode(b, TopicViewer, viewer350, onStrict) }
func BenchmarkStrictOrder(b *testing.B)  { benchmarkDecode(b, TopicOrder, order725, onStrict) }

// The speed rests on plain records taking the fast path, and the heap staying out of it.
func TestPlainRecordsTakeTheFastPath(t *testing.T) {
	for _, c := range []struct {
		name   string
		topic  Topic
		record string
	}{
		{"viewer", TopicViewer, viewer350},
		{"order", TopicOrder, order725},
		{"spaces as Python writes them", TopicViewer, strings.NewReplacer(`,"`, `, "`, `:`, `: `).Replace(viewer350)},
		{"indented", TopicOrder, strings.NewReplacer(`,"`, ",\n  \"", `:`, `: `, `{`, "{\r\n\t", `}`, "\n}", `[`, "[ ", `]`, " ]\n").Replace(order725) + "\n"},
		{"an unknown field", TopicViewer, viewer350[:len(viewer350)-1] + `,"extra":{"a":[1.5e3,"\\u0000"]}}`},
		{"not ASCII", TopicViewer, strings.Replace(viewer350, "r_42", "直播间", 1)},
		{"null", TopicViewer, strings.Replace(viewer350, `"seq"`, `"anon_id":null,"seq"`, 1)},
	} {
		d, raw := NewDecoder(), []byte(c.record)
		var ev Event
		if !d.fast.decode(c.topic, raw, &ev) {
			t.Errorf("%s: deferred: %s", c.name, raw)
			continue
		}
		if !d.fast.decode(anyTopic, raw, &ev) {
			t.Errorf("%s: deferred without a topic: %s", c.name, raw)
		}
		if n := testing.AllocsPerRun(100, func() { d.Decode(c.topic, raw, &ev) }); n != 0 {
			t.Errorf("%s: %v allocations a record", c.name, n)
		}
	}
}
