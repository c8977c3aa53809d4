package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// t0 is a whole minute and hour, in the evening of 22 November in Shanghai.
var t0 = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).UnixMilli()

const (
	room    = `"room_id":"r1","live_session_id":"s1"`
	another = `"room_id":"r2","live_session_id":"s2"`
)

var theRoom = Place{"douyin", "r1", "s1"}

// script is records in log order. Times are ms after t0; the event is received when it happens.
type script struct {
	t  *testing.T
	l  *Ledger
	id int
}

func newScript(t *testing.T) *script {
	t.Helper()
	l, err := New(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return &script{t: t, l: l}
}

// add adds a record received at `at`; fields come last, so they overrule.
func (s *script) add(typ string, at int64, fields string) {
	s.id++
	ts := t0 + at
	s.l.Add("raw."+typ, 0, int64(s.id), nil, fmt.Appendf(nil, `{"event_id":"e%d","schema_version":"1-0-0","type":"%s","platform":"douyin","sdk_instance_id":"i","seq":1,"client_ts":%d,"sent_ts":%d,%s}`,
		s.id, typ, ts, ts, fields), ts)
}

func (s *script) viewer(at int64, view, action, fields string) {
	s.add("viewer", at, strings.Trim(fmt.Sprintf(`%s,"user_id":"u1","view_id":"%s","action":"%s",%s`, room, view, action, fields), ","))
}

func (s *script) interaction(at int64, view, kind, fields string) {
	s.add("interaction", at, strings.Trim(fmt.Sprintf(`%s,"user_id":"u1","view_id":"%s","kind":"%s",%s`, room, view, kind, fields), ","))
}

func (s *script) order(at int64, id string, version int, state string, paid int64, fields string) {
	s.add("order", at, strings.Trim(fmt.Sprintf(`"order_id":"%s","order_version":%d,"state":"%s","buyer_id":"u1","currency":"CNY","goods_minor":1000,"discount_minor":100,"paid_minor":%d,"items":[{"line_id":"1","sku_id":"a","qty":2,"paid_minor":%d},{"line_id":"2","sku_id":"b","qty":1,"paid_minor":%d}],%s`,
		id, version, state, paid, paid-paid/3, paid/3, fields), ","))
}

func (s *script) finish() *Truth {
	s.t.Helper()
	truth, err := s.l.Finish()
	if err != nil {
		s.t.Fatal(err)
	}
	return truth
}

// expect looks up "table grain window sub… measure" → value in the first room; a window is in ms after t0.
type expect struct {
	table, grain string
	window       int64
	sub          [2]string
	measure      string
	want         int64
}

func (s *script) expect(truth *Truth, p Place, list []expect) {
	s.t.Helper()
	for _, x := range list {
		window := t0 + x.window
		if x.grain == "session" {
			window = 0
		}
		if got, _ := truth.value(x.table, x.grain, window, p, x.sub, x.measure); got != x.want {
			s.t.Errorf("%s %s at +%d ms %v %s = %d, want %d", x.table, x.grain, x.window, x.sub, x.measure, got, x.want)
		}
	}
}

var none [2]string

// value finds one measure of one row; ok is false where the truth has no such row.
func (t *Truth) value(table, grain string, window int64, p Place, sub [2]string, m string) (n int64, ok bool) {
	for _, tab := range t.Tables {
		for i, r := range tab.Rows {
			if tab.Name != table || grainNames[r.Grain] != grain || r.Window != window || t.Places[r.Place] != p || t.Subs[r.Sub] != sub {
				continue
			}
			for j, name := range tab.Measures {
				if name == m {
					return tab.Values[i*len(tab.Measures)+j], true
				}
			}
		}
	}
	return 0, false
}

func TestOnlineBorders(t *testing.T) {
	s := newScript(t)
	s.viewer(0, "v", "enter", "")          // enter < t: not online at the end of a pane that ended at +0
	s.viewer(20_000, "v", "heartbeat", "") // counts in [t−30 s, t): for t = 30 s, 40 s and 50 s, not 20 s
	truth := s.finish()
	var list []expect
	for pane := int64(-10_000); pane <= 60_000; pane += 10_000 {
		want := int64(0)
		if pane >= 0 && pane <= 40_000 {
			want = 1
		}
		list = append(list, expect{"room_measures", "10s", pane, none, "online", want})
	}
	s.expect(truth, theRoom, list)
}

func TestOnlineNotBeforeTheEnter(t *testing.T) {
	s := newScript(t)
	s.viewer(20_000, "v", "enter", "")
	s.viewer(-5_000, "v", "heartbeat", "") // in [t − 30 s, t) of t = 0, 10 and 20 s, but the enter is not before them
	s.viewer(41_000, "v", "leave", "")
	s.expect(s.finish(), theRoom, []expect{
		{"room_measures", "10s", -10_000, none, "online", 0},
		{"room_measures", "10s", 10_000, none, "online", 0},
		{"room_measures", "10s", 20_000, none, "online", 1},
		{"room_measures", "10s", 30_000, none, "online", 1},
		{"room_measures", "10s", 40_000, none, "online", 0},
	})
}

// Of two leaves the earlier counts, whichever comes first.
func TestOnlineEndsAtTheEarliestLeave(t *testing.T) {
	for _, order := range [][2]int64{{20_000, 40_000}, {40_000, 20_000}} {
		s := newScript(t)
		s.viewer(1, "v", "enter", "")
		s.viewer(19_000, "v", "heartbeat", "")
		for _, at := range order {
			s.viewer(at, "v", "leave", "")
		}
		s.expect(s.finish(), theRoom, []expect{
			{"room_measures", "10s", 10_000, none, "online", 1},
			{"room_measures", "10s", 20_000, none, "online", 0},
			{"room_measures", "10s", 30_000, none, "online", 0},
		})
	}
}

func TestOnlineEndsAtLeave(t *testing.T) {
	s := newScript(t)
	s.viewer(1, "v", "enter", "")
	s.viewer(20_000, "v", "leave", "")     // no leave < t: still online at t = 20 s exactly
	s.viewer(25_000, "v", "heartbeat", "") // a view once left stays left
	s.interaction(26_000, "v", "like", "")
	s.expect(s.finish(), theRoom, []expect{
		{"room_measures", "10s", 0, none, "online", 1},
		{"room_measures", "10s", 10_000, none, "online", 1},
		{"room_measures", "10s", 20_000, none, "online", 0},
		{"room_measures", "1m", 0, none, "online", 1},
		{"room_measures", "session", 0, none, "online", 1},
	})
}

func TestOnlinePeakIsOverMergedPanes(t *testing.T) {
	s := newScript(t)
	for i, at := range []int64{1_000, 2_000, 31_000} {
		s.add("viewer", at, fmt.Sprintf(`%s,"anon_id":"a%d","view_id":"v","action":"enter"`, room, i))
		s.add("viewer", at+3_000, fmt.Sprintf(`%s,"anon_id":"a%d","view_id":"v","action":"leave"`, room, i))
	}
	s.viewer(3_000, "v", "enter", "")
	truth := s.finish()
	s.expect(truth, theRoom, []expect{
		{"room_measures", "10s", 0, none, "online", 1},
		{"room_measures", "10s", 30_000, none, "online", 0},
		{"room_measures", "1h", 0, none, "online", 1},
		{"room_measures", "1h", 0, none, "viewers", 4},
		{"room_measures", "1h", 0, none, "views", 4},
	})
}

func TestBounceAndEffectiveBorders(t *testing.T) {
	for _, c := range []struct {
		watch                      int64
		kind                       string
		bounce, eff10, eff60, e300 int64
	}{
		{9_999, "", 1, 0, 0, 0},
		{9_999, "product_exposure", 1, 0, 0, 0},
		{9_999, "rating", 0, 0, 0, 0},
		{9_999, "like", 0, 0, 0, 0},
		{10_000, "", 0, 0, 0, 0},
		{10_001, "", 0, 1, 0, 0},
		{60_000, "", 0, 1, 0, 0},
		{60_001, "", 0, 1, 1, 0},
		{299_999, "", 0, 1, 1, 0},
		{300_000, "", 0, 1, 1, 1},
	} {
		s := newScript(t)
		s.viewer(-500, "v", "heartbeat", `"watch_ms_delta":1`) // before its enter: counts for the threshold, in the window before
		s.viewer(0, "v", "enter", `"entry_source":"feed","touch":{"campaign_id":"c"}`)
		for left := c.watch - 1; left > 0; left -= 100_000 {
			s.viewer(90_000, "v", "heartbeat", fmt.Sprintf(`"watch_ms_delta":%d`, min(left, 100_000)))
		}
		s.viewer(91_000, "v", "heartbeat", `"watch_ms_delta":70000,"foreground":false`)
		if c.kind != "" {
			s.interaction(100_000, "v", c.kind, `"sku_id":"a","rating":4`)
		}
		truth := s.finish()
		s.expect(truth, theRoom, []expect{
			{"room_measures", "10s", 0, none, "bounces", c.bounce},
			{"room_measures", "10s", 0, none, "effective_views_10s", c.eff10},
			{"room_measures", "10s", 0, none, "effective_views_60s", c.eff60},
			{"room_measures", "10s", 0, none, "effective_views_300s", c.e300},
			{"room_measures", "1m", -60_000, none, "watch_ms", 1},
			{"room_measures", "1m", 60_000, none, "watch_ms", c.watch - 1},
			{"source_measures", "10s", 0, [2]string{"feed", "c"}, "watch_ms", c.watch},
			{"source_measures", "10s", 0, [2]string{"feed", "c"}, "bounces", c.bounce},
			{"source_measures", "1h", 0, [2]string{"feed", "c"}, "viewers", 1},
		})
	}
}

func TestDayIsInTheShopsZone(t *testing.T) {
	s := newScript(t)
	s.viewer(4*3_600_000-1, "v", "enter", "") // 23:59:59.999 in Shanghai
	s.viewer(4*3_600_000, "w", "enter", "")
	truth := s.finish()
	s.expect(truth, theRoom, []expect{
		{"room_measures", "1d", -20 * 3_600_000, none, "views", 1},
		{"room_measures", "1d", 4 * 3_600_000, none, "views", 1},
		{"room_measures", "1d", 4 * 3_600_000, none, "viewers", 1},
		{"room_measures", "session", 0, none, "viewers", 1},
		{"room_measures", "session", 0, none, "views", 2},
	})
	if got := truth.SessionStarts[0]; got != t0+4*3_600_000-1 {
		t.Errorf("session starts at %d", got-t0)
	}
}

func TestDuplicatesTenMinutesInclusive(t *testing.T) {
	s := newScript(t)
	s.viewer(0, "v", "enter", `"event_id":"x"`)
	s.viewer(600_000, "v", "heartbeat", `"event_id":"x"`)   // the border is in
	s.viewer(600_001, "v", "heartbeat", `"event_id":"x"`)   // a copy does not prolong
	s.viewer(1_200_001, "v", "heartbeat", `"event_id":"x"`) // counted from the one accepted last
	s.add("viewer", 1_200_002, room+`,"anon_id":"u1","view_id":"v","action":"heartbeat","event_id":"x"`)
	outcomes := outcomesOf(s.finish())
	if outcomes["accepted"] != 3 || outcomes["duplicate"] != 2 {
		t.Errorf("%v, want 3 accepted and 2 duplicate", outcomes)
	}
}

func TestInteractionsAndVariants(t *testing.T) {
	s := newScript(t)
	x := `"experiment":[{"id":"e","variant":"A"},{"id":"e","variant":"A"},{"id":"f","variant":"B"}]`
	s.interaction(0, "v", "like", `"count":7,`+x)
	s.interaction(1, "v", "like", `"count":3,"sku_id":"a"`)
	s.interaction(2, "v", "product_click", `"sku_id":"a"`)
	s.interaction(3, "v", "product_exposure", `"sku_id":"a","count":4`)
	s.interaction(4, "v", "rating", `"rating":4,"count":2`)
	s.interaction(5, "v", "gift", `"gift_value_minor":500,"currency":"USD","count":3`)
	s.expect(s.finish(), theRoom, []expect{
		{"room_measures", "10s", 0, none, "events", 6},
		{"room_measures", "10s", 0, none, "viewers", 0},
		{"room_measures", "10s", 0, none, "interactions_like", 10},
		{"room_measures", "10s", 0, none, "interactions_rating", 2},
		{"room_measures", "10s", 0, none, "interaction_events", 4},
		{"room_measures", "10s", 0, none, "interactors", 1},
		{"room_measures", "10s", 0, none, "engagers", 1},
		{"room_measures", "10s", 0, none, "ratings", 1},
		{"room_measures", "10s", 0, none, "rating_sum", 4},
		{"room_measures", "10s", 0, none, "product_exposures", 4},
		{"room_measures", "10s", 0, none, "product_clickers", 1},
		{"room_money", "10s", 0, [2]string{"USD"}, "gift_minor", 500},
		{"sku_measures", "10s", 0, [2]string{"a"}, "events", 3},
		{"sku_measures", "10s", 0, [2]string{"a"}, "interactions_like", 3},
		{"sku_measures", "10s", 0, [2]string{"a"}, "interactors", 1},
		{"variant_measures", "10s", 0, [2]string{"e", "A"}, "interactions_like", 7},
		{"variant_measures", "10s", 0, [2]string{"e", "A"}, "events", 1},
		{"variant_measures", "10s", 0, [2]string{"f", "B"}, "engagers", 1},
	})
}

func TestLoginInsideAViewIsAnotherViewer(t *testing.T) {
	s := newScript(t)
	s.add("viewer", 0, room+`,"anon_id":"a1","view_id":"v","action":"enter"`)
	s.add("viewer", 5_000, room+`,"anon_id":"a1","user_id":"u1","view_id":"v","action":"heartbeat","watch_ms_delta":50000`)
	s.expect(s.finish(), theRoom, []expect{
		{"room_measures", "10s", 0, none, "viewers", 2},
		{"room_measures", "10s", 0, none, "views", 1},
		{"room_measures", "10s", 0, none, "bounces", 1}, // what was watched after the login is the user's
		{"room_measures", "10s", 0, none, "effective_views_10s", 0},
	})
}

func TestCostAndStockAreEventsOfTheRoomTheyName(t *testing.T) {
	s := newScript(t)
	s.add("stock", 0, room+`,"sku_id":"a","available":-1,"stock_version":1,"ts":5`)
	s.add("cost", 0, room+`,"cost_id":"c","cost_version":1,"channel":"x","kind":"ads","spend_minor":1,"currency":"CNY","period_start":5,"period_end":5`)
	s.add("cost", 0, `"cost_id":"c","cost_version":2,"channel":"x","kind":"ads","spend_minor":1,"currency":"CNY","period_start":5,"period_end":5`)
	s.expect(s.finish(), theRoom, []expect{
		{"room_measures", "10s", 0, none, "events", 2},
		{"sku_measures", "10s", 0, [2]string{"a"}, "events", 1},
	})
}

func TestEventTime(t *testing.T) {
	for _, c := range []struct{ recv, sent, client, want int64 }{
		{1_000_000_000, 500, 200, 999_999_700},
		{1_000_000_000, 200, 500, 1_000_000_000},
		{1_000_000_000, 700_000_000, 0, 1_000_000_000 - 604_800_000},
		{1_000_000_000, 604_800_000, 0, 1_000_000_000 - 604_800_000},
	} {
		if got := eventTime(c.recv, c.sent, c.client); got != c.want {
			t.Errorf("received %d, sent %d, client %d: %d, want %d", c.recv, c.sent, c.client, got, c.want)
		}
	}
}
