package ledger

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	envelope  = `"event_id":"e","schema_version":"1-0-0","platform":"p","client_ts":1,"sent_ts":1,"sdk_instance_id":"i","seq":1`
	heartbeat = `{` + envelope + `,"type":"viewer","room_id":"r","live_session_id":"s","view_id":"v","user_id":"u","action":"heartbeat"}`
	gift      = `{` + envelope + `,"type":"interaction","room_id":"r","live_session_id":"s","view_id":"v","anon_id":"u","kind":"gift","gift_value_minor":1,"currency":"CNY"}`
	paidOrder = `{` + envelope + `,"type":"order","order_id":"o","order_version":1,"state":"paid","buyer_id":"b","currency":"CNY","goods_minor":5,"paid_minor":5,"items":[{"line_id":"1","sku_id":"s","qty":1,"paid_minor":5}]}`
	someCost  = `{` + envelope + `,"type":"cost","cost_id":"c","cost_version":1,"channel":"x","kind":"ads","spend_minor":1,"currency":"CNY","period_start":5,"period_end":5}`
)

func TestReasons(t *testing.T) {
	for _, c := range []struct{ name, topic, record, want string }{
		{"heartbeat", "raw.viewer", heartbeat, ""},
		{"gift", "raw.interaction", gift, ""},
		{"order", "raw.order", paidOrder, ""},
		{"cost", "raw.cost", someCost, ""},
		{"white space around", "raw.viewer", " \n" + heartbeat + "\t\r\n", ""},
		{"the last name counts", "raw.viewer", edit(heartbeat, `"seq":1`, `"seq":0,"seq":2`), ""},
		{"lone surrogate", "raw.viewer", edit(heartbeat, `"u"`, `"\ud800"`), ""},
		{"unknown field", "raw.viewer", edit(heartbeat, `{`, `{"x":[1e400,-0,null],`), ""},
		{"sixteen deep", "raw.viewer", edit(heartbeat, `{`, `{"x":`+strings.Repeat("[", 15)+strings.Repeat("]", 15)+`,`), ""},
		{"seventeen deep", "raw.viewer", edit(heartbeat, `{`, `{"x":`+strings.Repeat("[", 16)+strings.Repeat("]", 16)+`,`), "too_deep"},
		{"bad UTF-8 before depth", "raw.viewer", `{"\xff":` + "\"\xff\"" + strings.Repeat("[", 16), "not_json"},
		{"32 KiB", "raw.viewer", heartbeat + strings.Repeat(" ", 32<<10-len(heartbeat)), ""},
		{"32 KiB and one", "raw.viewer", heartbeat + strings.Repeat(" ", 32<<10-len(heartbeat)+1), "too_large"},
		{"empty", "raw.viewer", "", "not_json"},
		{"array", "raw.viewer", "[]", "not_json"},
		{"mark", "raw.viewer", "\xEF\xBB\xBF" + heartbeat, "not_json"},
		{"leading zero", "raw.viewer", edit(heartbeat, `"seq":1`, `"seq":01`), "not_json"},
		{"bytes after", "raw.viewer", heartbeat + "\x00", "trailing_bytes"},
		{"bad UTF-8 after", "raw.viewer", heartbeat + "\xff", "trailing_bytes"},
		{"no type", "raw.viewer", edit(heartbeat, `"type"`, `"typo"`), "missing_field"},
		{"type 5", "raw.viewer", edit(heartbeat, `"viewer"`, `5`), "bad_type"},
		{"other type", "raw.viewer", edit(heartbeat, `"viewer"`, `"watcher"`), "unknown_type"},
		{"other topic, other version", "raw.order", edit(heartbeat, `1-0-0`, `2-0-0`), "wrong_topic"},
		{"version 2", "raw.viewer", edit(heartbeat, `1-0-0`, `2-0-0`), "unsupported_version"},
		{"version 1", "raw.viewer", edit(heartbeat, `1-0-0`, `1-0`), "unsupported_version"},
		{"null is absent", "raw.viewer", edit(heartbeat, `"r"`, `null`), "missing_field"},
		{"nobody", "raw.viewer", edit(heartbeat, `"user_id"`, `"user"`), "missing_field"},
		{"missing before type", "raw.viewer", edit(edit(heartbeat, `"seq":1`, `"seq":"1"`), `"view_id"`, `"view"`), "missing_field"},
		{"type before enum", "raw.viewer", edit(edit(heartbeat, `"seq":1`, `"seq":1.0`), `heartbeat`, `nap`), "bad_type"},
		{"enum before value", "raw.viewer", edit(edit(heartbeat, `"seq":1`, `"seq":0`), `heartbeat`, `nap`), "bad_enum"},
		{"10^40", "raw.viewer", edit(heartbeat, `"seq":1`, `"seq":1`+strings.Repeat("0", 40)), "bad_type"},
		{"5e3", "raw.viewer", edit(heartbeat, `"seq":1`, `"seq":5e3`), "bad_type"},
		{"control character", "raw.viewer", edit(heartbeat, `"u"`, `"\u007f"`), "bad_value"},
		{"128 bytes", "raw.viewer", edit(heartbeat, `"u"`, `"`+strings.Repeat("u", 128)+`"`), ""},
		{"129 bytes", "raw.viewer", edit(heartbeat, `"u"`, `"`+strings.Repeat("u", 129)+`"`), "bad_value"},
		{"120 001 ms", "raw.viewer", edit(heartbeat, `"seq"`, `"watch_ms_delta":120001,"seq"`), "bad_value"},
		{"watch time of a quality event is not looked at", "raw.viewer", edit(edit(heartbeat, `heartbeat`, `quality`), `"seq"`, `"watch_ms_delta":120001,"seq"`), ""},
		{"gift without value", "raw.interaction", edit(gift, `"gift_value_minor"`, `"gift"`), "missing_field"},
		{"small currency", "raw.interaction", edit(gift, `CNY`, `cny`), "bad_value"},
		{"no items", "raw.order", edit(paidOrder, `[{"line_id":"1","sku_id":"s","qty":1,"paid_minor":5}]`, `[]`), "bad_value"},
		{"discount above goods", "raw.order", edit(paidOrder, `"goods_minor":5`, `"goods_minor":5,"discount_minor":6`), "bad_value"},
		{"lines do not add up", "raw.order", edit(paidOrder, `"goods_minor":5,"paid_minor":5`, `"goods_minor":5,"paid_minor":6`), "money_mismatch"},
		{"only paid must add up", "raw.order", edit(edit(paidOrder, `"goods_minor":5,"paid_minor":5`, `"goods_minor":5,"paid_minor":6`), `"paid"`, `"shipped"`), ""},
		{"refunded without refund", "raw.order", edit(paidOrder, `"paid"`, `"refunded"`), "missing_field"},
		{"period ends before it starts", "raw.cost", edit(someCost, `"period_end":5`, `"period_end":4`), "bad_value"},
	} {
		var p parser
		if _, _, got := p.decode(c.topic, c.record, 1_000); got.reason != c.want {
			t.Errorf("%s: %v, want %q\n%.300s", c.name, got, c.want, c.record)
		}
	}
}

func edit(record, old, with string) string {
	if !strings.Contains(record, old) {
		panic("no " + old + " in " + record)
	}
	return strings.Replace(record, old, with, 1)
}

// The parser accepts what encoding/json accepts, given UTF-8, an object, and no more than sixteen levels.
func FuzzParser(f *testing.F) {
	for _, s := range []string{heartbeat, gift, paidOrder, `{"a":[1,-0,1e9,1.5E-3,true,false,null,"\u00e9\n\ud83d\ude00"]}`, `{"a":01}`, `{"a":}`, `{,}`, `{"a" 1}`, `{"a":"` + "\x01" + `"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var p parser
		_, reason := p.record(s)
		if reason == "too_deep" {
			return
		}
		trimmed := strings.Trim(s, " \t\r\n")
		want := json.Valid([]byte(s)) && utf8.ValidString(s) && strings.HasPrefix(trimmed, "{")
		if (reason == "") != want {
			t.Errorf("%q: %q, encoding/json says %v", s, reason, want)
		}
	})
}

func TestJudgeSharesNothingWithThePipeline(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-test", "github.com/livemeter/livemeter/bench/ledger", "github.com/livemeter/livemeter/bench/festival").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(out)) {
		own, ok := strings.CutPrefix(name, "github.com/livemeter/livemeter/")
		isOwn := func(folder string) bool { return strings.HasPrefix(own, folder) }
		// The engines, with which festival's tests run, know nothing of the pipeline.
		if ok && !slices.ContainsFunc([]string{"bench/ledger", "bench/festival", "deploy/embedded"}, isOwn) {
			t.Errorf("the judge imports %s", name)
		}
	}
}
