package exact

import (
	"encoding/json"
	"fmt"
	"maps"

	"pgregory.net/rapid"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// base is 30 s before midnight in Shanghai: windows of all grains end soon.
const base = int64(1795535970000) // 2026-11-24T15:59:30Z

// mostLag is how long a stream lasts at most, and so how far the slowest source may be behind the fastest.
const mostLag = 60 * day

const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// record is one raw record as it was produced.
type record struct {
	topic     string
	partition int32
	offset    int64
	key       string
	recv      int64
	value     []byte
	refused   bool                    // by an earlier version of the collector, wrongly; it comes again by way of raw.replay
	replays   *eventlog.OriginalInput // of a record of raw.replay
	kind      event.Topic             // of what it replays
}

// poisonWatch is a watch time that no sum of others can be: see the simulation.
const poisonWatch = 66_666

// The raw topics and how many partitions they have.
var topics = []struct {
	name       string
	partitions int32
}{{"raw.viewer", 2}, {"raw.interaction", 2}, {"raw.order", 1}, {"raw.cost", 1}, {"raw.stock", 1}}

// stream draws a stream of records: few of everything, so that all of it meets, and times around the borders.
type stream struct {
	t       *rapid.T
	now     int64
	began   int64 // of the era
	era     int   // rises when more than the horizon passes: views are not continued beyond it
	records []record
	offsets map[string]int64
	copies  []original
	n       int
	numbers map[string]*numbers // by SDK instance
}

// numbers are how far an instance has counted, and which it has left out so far.
type numbers struct {
	last int
	left []int
}

// original is an accepted event that an SDK may send again.
type original struct {
	topic, key string
	recv       int64
	fields     map[string]any
}

func drawStream(t *rapid.T, most int) []record {
	s := &stream{t: t, now: base, began: base, offsets: map[string]int64{}, numbers: map[string]*numbers{}}
	for range rapid.IntRange(1, most).Draw(t, "events") {
		s.event()
	}
	return s.records
}

func pick[T any](t *rapid.T, label string, of ...T) T { return rapid.SampledFrom(of).Draw(t, label) }

func (s *stream) event() {
	s.now += pick(s.t, "wait", 0, 0, 1, second, 5*second, 9999, 10*second, 10001, 29999, 30*second, minute, 10*minute)
	if s.now-s.began > 3*hour { // with two hours of lag a view's events stay within the horizon of its last one
		s.era, s.began = s.era+1, s.now
	}
	switch rapid.IntRange(0, 39).Draw(s.t, "event") {
	case 0:
		jump := pick(s.t, "jump", 61*minute, 7*hour, day, 3*day, 8*day, 25*day)
		if s.now+jump-base > mostLag {
			return
		}
		s.now += jump
		s.era, s.began = s.era+1, s.now
	case 1:
		if rapid.Bool().Draw(s.t, "readable") {
			s.rejected()
			return
		}
		s.add(pick(s.t, "topic", "raw.viewer", "raw.order"), "garbage", []byte(pick(s.t, "garbage", "", "{", `{"type":"viewer"}`, "[]")))
	case 2, 3, 4, 5:
		s.again()
	case 6:
		s.cost()
	case 7:
		s.stock()
	case 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19:
		s.order()
	case 20, 21, 22, 23, 24, 25, 26:
		s.interaction()
	default:
		s.viewer()
	}
}

func (s *stream) add(topic, key string, value []byte) {
	parts := int32(1)
	for _, t := range topics {
		if t.name == topic {
			parts = t.partitions
		}
	}
	h := int32(0)
	for _, c := range key {
		h = (h*31 + c) & 0xffff
	}
	at := fmt.Sprint(topic, h%parts)
	s.records = append(s.records, record{topic: topic, partition: h % parts, offset: s.offsets[at], key: key, recv: s.now, value: value})
	s.offsets[at]++
}

// send completes the envelope. The client's time lies a drawn lag before the receive time.
func (s *stream) send(topic, key string, f map[string]any) {
	lag := pick(s.t, "lag", 0, 0, 0, 1, second, 9999, 10*second, 29999, 30*second, 61*second, 10*minute, 2*hour, -second)
	if _, order := f["order_id"]; order && lag == 2*hour {
		lag = 8 * day // servers are bounded by 7 days, too
	}
	f["sent_ts"], f["client_ts"] = s.now-3, s.now-3-lag
	f["schema_version"] = "1-0-0"
	s.number(key, f)
	if _, ok := f["event_id"]; !ok {
		s.n++
		f["event_id"] = fmt.Sprint("e", s.n)
	}
	s.copies = append(s.copies, original{topic, key, s.now, f})
	s.encode(topic, key, f)
}

// number gives the event its number: mostly the next one of its instance, or one that was left out.
func (s *stream) number(key string, f map[string]any) {
	instance := fmt.Sprint("i", s.era, key, pick(s.t, "instance", "", "", "", "b", "late"))
	n := s.numbers[instance]
	if n == nil {
		n = &numbers{}
		if instance[len(instance)-1] == 'e' {
			n.last = 99 // it began before what is known of it
		}
		s.numbers[instance] = n
	}
	f["sdk_instance_id"] = instance
	if v := pick(s.t, "sdk", "web 1", "web 1", "app 2", "", "-"); v == "-" {
		f["sdk"] = map[string]any{"name": "", "version": "3"}
	} else if v != "" {
		f["sdk"] = map[string]any{"name": v[:3], "version": v[4:]}
	}
	if len(n.left) > 0 && rapid.IntRange(0, 2).Draw(s.t, "fill") == 0 {
		i := rapid.IntRange(0, len(n.left)-1).Draw(s.t, "left out")
		f["seq"] = n.left[i]
		n.left = append(n.left[:i], n.left[i+1:]...)
		return
	}
	for skip := pick(s.t, "skip", 0, 0, 0, 0, 1, 2, 3); skip > 0; skip-- {
		n.last++
		n.left = append(n.left, n.last)
	}
	n.last++
	if rapid.IntRange(0, 29).Draw(s.t, "jump of numbers") == 0 {
		n.left = append(n.left, n.last+4_000)
		n.last += 12_000
	}
	f["seq"] = n.last
}

// rejected is an event that is invalid and whose number can be read.
func (s *stream) rejected() {
	f := map[string]any{"type": "viewer", "action": "jump", "schema_version": pick(s.t, "schema", "1-0-0", "9")}
	key := s.identity(f)
	s.number(key, f)
	s.encode(pick(s.t, "topic", "raw.viewer", "raw.viewer", "raw.interaction"), key, f)
}

func (s *stream) encode(topic, key string, f map[string]any) {
	v, err := json.Marshal(f)
	if err != nil {
		s.t.Fatal(err)
	}
	s.add(topic, key, v)
}

// again is an SDK's retry: it keeps client_ts and renews sent_ts. Viewer events are repeated within ten minutes of the first copy only:
// beyond it an implementation is free to remember.
func (s *stream) again() {
	if len(s.copies) == 0 {
		return
	}
	o := s.copies[len(s.copies)-1-rapid.IntRange(0, min(9, len(s.copies)-1)).Draw(s.t, "copy of")]
	if o.fields["order_id"] == nil && o.fields["cost_id"] == nil && o.fields["available"] == nil && s.now-o.recv > 10*minute {
		return
	}
	f := maps.Clone(o.fields)
	f["sent_ts"] = s.now
	s.encode(o.topic, o.key, f)
}

func (s *stream) identity(f map[string]any) string {
	f["platform"] = pick(s.t, "platform", "douyin", "douyin", "douyin", "kuaishou")
	field, id := "user_id", pick(s.t, "viewer", "u1", "u2", "x", "u3")
	if rapid.IntRange(0, 3).Draw(s.t, "anon") == 0 {
		field, id = "anon_id", pick(s.t, "anon id", "a1", "x")
	}
	f[field] = id
	return fmt.Sprint(f["platform"], field, id)
}

func (s *stream) place(f map[string]any) {
	f["room_id"], f["live_session_id"] = "r1", pick(s.t, "session", "s1", "s1", "s1", "s2")
	if rapid.IntRange(0, 3).Draw(s.t, "other room") == 0 {
		f["room_id"] = "r2"
	}
	f["live_session_id"] = fmt.Sprintf("%s_%d", f["live_session_id"], s.era)
	if x := pick(s.t, "experiments", "", "", "", "x:A", "x:B", "x:A y:B", "x:A x:A", "x:A x:B", "x:- -:B", "-:-"); x != "" {
		var list []map[string]string
		for i := 0; i+2 < len(x)+0; i += 4 {
			entry := map[string]string{}
			for name, value := range map[string]string{"id": x[i : i+1], "variant": x[i+2 : i+3]} {
				if value != "-" { // neither is required
					entry[name] = value
				}
			}
			list = append(list, entry)
		}
		f["experiment"] = list
	}
}

func (s *stream) view() string {
	return fmt.Sprintf("v%d_%d", rapid.IntRange(1, 2).Draw(s.t, "view"), s.era)
}

func (s *stream) viewer() {
	f := map[string]any{"type": "viewer", "view_id": s.view(), "action": pick(s.t, "action", "enter", "enter", "heartbeat", "heartbeat", "heartbeat", "leave", "play_error", "quality")}
	key := s.identity(f)
	s.place(f)
	switch f["action"] {
	case "enter":
		if x := pick(s.t, "entry source", "", "feed", "paid"); x != "" {
			f["entry_source"] = x
		}
		if rapid.Bool().Draw(s.t, "touch") {
			f["touch"] = map[string]any{"campaign_id": pick(s.t, "campaign", "c1", "c2"), "click_id": pick(s.t, "click", "k1", "k2"), "kind": "click"}
		}
	case "heartbeat", "leave":
		f["watch_ms_delta"] = pick(s.t, "watch", 0, 1, 4999, 5000, 9999, 10_000, 50_000, 60_000, poisonWatch, 120_000)
		f["foreground"] = rapid.IntRange(0, 4).Draw(s.t, "background") != 0
	}
	s.send("raw.viewer", key, f)
}

var kinds = []string{"like", "comment", "share", "follow", "gift", "fan_club_join", "cart_view", "product_click", "favorite", "coupon_claim",
	"poll_or_lottery", "dislike_or_report", "product_exposure", "rating"}

func (s *stream) interaction() {
	f := map[string]any{"type": "interaction", "view_id": s.view(), "kind": rapid.SampledFrom(kinds).Draw(s.t, "kind")}
	key := s.identity(f)
	s.place(f)
	if n := rapid.IntRange(0, 3).Draw(s.t, "count"); n > 0 {
		f["count"] = n
	}
	if rapid.Bool().Draw(s.t, "names a sku") || f["kind"] == "product_click" || f["kind"] == "product_exposure" || f["kind"] == "favorite" {
		f["sku_id"] = pick(s.t, "sku", "p", "q")
	}
	switch f["kind"] {
	case "gift":
		f["gift_value_minor"], f["currency"] = rapid.IntRange(0, 9).Draw(s.t, "gift"), pick(s.t, "currency", "CNY", "USD")
	case "rating":
		f["rating"] = rapid.IntRange(1, 5).Draw(s.t, "rating")
	case "share":
		f["share_id"] = "sh"
	}
	s.send("raw.interaction", key, f)
}

func (s *stream) order() {
	f := map[string]any{"type": "order", "platform": "douyin", "buyer_id": pick(s.t, "buyer", "u1", "u1", "u2"), "order_id": pick(s.t, "order", "o1", "o2", "o10", "o3"),
		"order_version": rapid.IntRange(1, 9).Draw(s.t, "version"), "currency": pick(s.t, "currency", "CNY", "CNY", "CNY", "USD"),
		"state": pick(s.t, "state", "created", "deposit_paid", "paid", "paid", "paid", "cancelled", "shipped", "refunded", "refunded", "refunded", "settled")}
	key := fmt.Sprint(f["platform"], "user_id", f["buyer_id"])
	switch rapid.IntRange(0, 3).Draw(s.t, "where") {
	case 0:
		f["click_id"] = pick(s.t, "click", "k1", "k2")
	case 1:
		f["click_id"], f["live_session_id"] = pick(s.t, "click", "k1", "k2"), "s1"
	case 2:
	default:
		s.place(f)
	}
	total := 0
	var items []map[string]any
	for i := range rapid.IntRange(1, 3).Draw(s.t, "items") {
		paid := rapid.IntRange(0, 50).Draw(s.t, "paid")
		total += paid
		items = append(items, map[string]any{"line_id": fmt.Sprint(i + 1), "sku_id": pick(s.t, "sku", "p", "q"), "qty": rapid.IntRange(1, 3).Draw(s.t, "qty"), "paid_minor": paid})
	}
	f["items"], f["paid_minor"], f["goods_minor"], f["discount_minor"] = items, total, 100, rapid.IntRange(0, 20).Draw(s.t, "discount")
	if f["state"] == "refunded" {
		r := map[string]any{"refund_id": pick(s.t, "refund", "f1", "f2"), "minor": rapid.IntRange(0, 30).Draw(s.t, "refund")}
		if l := pick(s.t, "line", "", "1", "2", "9"); l != "" {
			r["line_id"] = l
		}
		f["refund"] = r
	}
	s.send("raw.order", key, f)
}

func (s *stream) cost() {
	id := pick(s.t, "cost", "c1", "c2")
	f := map[string]any{"type": "cost", "platform": "douyin", "cost_id": id, "cost_version": rapid.IntRange(-1, 1).Draw(s.t, "version"), "channel": "ads", "kind": "ads",
		"spend_minor": 5, "currency": "CNY", "period_start": base, "period_end": base}
	if rapid.Bool().Draw(s.t, "in a room") {
		s.place(f)
	}
	s.send("raw.cost", "cost"+id, f)
}

func (s *stream) stock() {
	f := map[string]any{"type": "stock", "platform": "douyin", "sku_id": "p", "available": 3, "stock_version": rapid.IntRange(-1, 1).Draw(s.t, "version"), "ts": base}
	s.place(f)
	s.send("raw.stock", "stock", f)
}
