package clickhouse_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// What an older version of a row has is in no answer, whatever is asked for: its panes, its state and its numbers are not asked before FINAL has hidden it.
func TestOlderVersionsAreHidden(t *testing.T) {
	e := open(t)
	e.query("SYSTEM STOP MERGES $db.room_rows")
	e.write(row{Room: "a", Window: start, Version: 1, Value: 7, Panes: []pane{{Pane: 0, Value: 7}, {Pane: 3, Value: 7}}},
		row{Room: "a", Grain: measure.Grain1h, Window: start, Version: 1, Value: 7, State: rollup.Late})
	e.write(row{Room: "a", Window: start, Version: 2, Value: 5, Panes: []pane{{Pane: 0, Value: 5}}, Online: true},
		row{Room: "a", Grain: measure.Grain1h, Window: start, Version: 2, Value: 5})
	e.watermark(start + 1000*hour)
	if parts := e.number("SELECT count() FROM $db.room_rows"); parts != 4 {
		t.Fatalf("%d rows of two versions, want 4: nothing to hide", parts)
	}
	for where, want := range map[string]string{
		"events = 7": "", "status = 'corrected'": "",
		"grain = '10s'": "10s\t5", "grain = '10s' AND toSecond(window_start) = 30": "",
		"room_id = 'a' AND platform = 'douyin'":                                  "10s\t5\n1m\t5\n1h\t5\n1d\t5\nsession\t5",
		"room_id IN ('a', 'b') AND window_start >= '2020-01-01' AND events != 0": "10s\t5\n1m\t5\n1h\t5\n1d\t5\nsession\t5",
	} {
		if got := e.query("SELECT grain, events FROM $db.room_measures WHERE %s ORDER BY grain", where); got != want {
			t.Errorf("WHERE %s:\n%s\nwant\n%s", where, got, want)
		}
	}
}

// With hours that are not told, minutes stand for them: one that holds nothing but who is online now counts for none, though its older version did.
func TestOlderStatesAreHidden(t *testing.T) {
	e := open(t)
	e.hours = 0
	e.query("SYSTEM STOP MERGES $db.room_rows")
	e.write(row{Room: "a", Window: start, Version: 1, Value: 7, Part: 1})
	e.write(row{Room: "a", Window: start, Version: 2, Part: 1, Online: true})
	e.watermark(start)
	if got := e.query("SELECT grain, events FROM $db.room_measures WHERE grain IN ('1h', '1d', 'session')"); got != "" {
		t.Errorf("hours and longer: %s, want none", got)
	}
}

// Only what is asked of the key is asked before FINAL, and what is asked of the key is: else each look at a room compares all rows around it.
func TestBeforeFinalIsTheKey(t *testing.T) {
	e := open(t)
	e.write(row{Room: "a", Window: start, Version: 1, Value: 7, Panes: []pane{{Pane: 0, Value: 7}}})
	plan := e.query("EXPLAIN actions = 1, pretty = 0 SELECT * FROM $db.room_measures WHERE room_id = 'a' AND platform = 'douyin' AND events > 3 AND status = 'final'")
	before := regexp.MustCompile(`(?m)^[^\n]*Prewhere filter column: (.*)$`).FindAllStringSubmatch(plan, -1)
	if reads := strings.Count(plan, "Prewhere filter column"); reads < 11 || len(before) != reads {
		t.Fatalf("%d of 11 reads ask before FINAL:\n%s", reads, plan)
	}
	key := regexp.MustCompile(`\b(epoch|grain|window_start|platform|room_id|live_session_id|part|gen)\b`)
	other := regexp.MustCompile(`\b(version|deleted|state|pane_at|pane_value|runs|updated_at|first_event|events|views)\b`)
	for _, b := range before {
		if !key.MatchString(b[1]) || !strings.Contains(b[1], "room_id") || other.MatchString(b[1]) {
			t.Errorf("asked before FINAL: %s", b[1])
		}
	}
}

// A server that does not choose among views by their names has one with the same rows; which it is, its version says.
func TestViewsOfOlderServersAreTheSame(t *testing.T) {
	e := open(t)
	at := start + 3*hour
	for i := range int64(40) {
		e.write(row{Room: fmt.Sprint("r", i%5), Window: start + i*7*minute, Part: uint16(i % 2), Version: uint64(i + 1), Value: i,
			Panes: []pane{{Pane: int(i % 6), Value: i, Online: i % 3}}, Run: rollup.Run{start, start + i*minute, 0}},
			row{Room: fmt.Sprint("r", i%5), Grain: measure.Grain1h, Window: start + i%4*hour, Part: uint16(i % 2), Gen: uint64(i), Version: uint64(i + 1), Value: i})
	}
	e.hours = at
	e.watermark(at)
	merged := e.shown()
	if !strings.Contains(e.query("SHOW CREATE VIEW $db.room_measures"), "merge(") {
		t.Fatal("this server has the view for older ones: nothing to compare")
	}
	for _, ddl := range clickhouse.UnionDDL(e.cfg) {
		e.query("%s", ddl)
	}
	if union := e.shown(); union != merged || strings.Count(union, "\n") < 100 {
		t.Errorf("by UNION ALL:\n%s\nby merge():\n%s", union, merged)
	}
	if made, err := e.Apply(t.Context()); err != nil || made != 0 || !strings.Contains(e.query("SHOW CREATE VIEW $db.room_measures"), "merge(") {
		t.Errorf("the view of an older server stays (%d made, %v)", made, err)
	}
	for version, want := range map[string]bool{"26.7.2.1": true, "26.7.1.1 (official build)": true, "27.1": true, "26.6.9.8": false, "25.12.1": false, "": false} {
		if got := clickhouse.MergesAt(version); got != want {
			t.Errorf("version %q: %v", version, got)
		}
	}
}

// A predicate on grain leaves the other grains' views unplanned: else each look costs three times as much.
func TestGrainIsPlannedAlone(t *testing.T) {
	e := open(t)
	e.hours = 0
	e.write(row{Room: "a", Window: start, Version: 1, Value: 7, Panes: []pane{{Pane: 0, Value: 7}}}, row{Room: "a", Grain: measure.Grain1h, Window: start, Version: 1, Value: 7})
	e.watermark(start)
	for where, reads := range map[string]int{"grain = '1m'": 1, "grain IN ('1m', '10s')": 7, "grain = 'session' AND room_id = 'a'": 1, "grain > '1h' AND events > 1": 2, "1": 11} {
		plan := e.query("EXPLAIN SELECT room_id, events FROM $db.room_measures WHERE %s", where)
		if got := strings.Count(plan, "ReadFromMergeTree") + strings.Count(plan, "ReadNothing"); got != reads {
			t.Errorf("WHERE %s plans %d reads of rows, want %d:\n%s", where, got, reads, plan)
		}
	}
}

// A grain whose view is gone is an error, whichever grain is asked for: no answer lacks rows in silence.
func TestMissingGrainIsAnError(t *testing.T) {
	e := open(t)
	e.write(row{Room: "a", Window: start, Version: 1, Value: 7})
	e.query("DROP VIEW $db.room_measures_1m")
	for _, where := range []string{"grain = '1m'", "grain = '1h'", "1"} {
		res, err := http.Post("http://"+e.addr, "", strings.NewReader("SELECT count() FROM "+e.db+".room_measures WHERE "+where))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if body := string(answer); !strings.Contains(body, "room_measures_1m") || !strings.Contains(body, "UNKNOWN_TABLE") {
			t.Errorf("WHERE %s: %s", where, body)
		}
	}
	if made, err := e.Apply(t.Context()); err != nil || made != 1 {
		t.Errorf("%d made, %v; want 1", made, err)
	}
	if got := e.query("SELECT events FROM $db.room_measures WHERE grain = '1m'"); got != "7" {
		t.Errorf("made again it has %q", got)
	}
}

// A table or view of somebody else's that has a view's name is not replaced.
func TestTableWithAViewsNameIsKept(t *testing.T) {
	e := open(t)
	kept := func(drop, create, says string) {
		t.Helper()
		e.query("%s", drop)
		e.query("%s", create)
		if _, err := e.Apply(t.Context()); err == nil || !strings.Contains(err.Error(), e.db+".sku_money_1d is not livemeter's ("+says) {
			t.Errorf("%s: %v", create, err)
		}
		if got := e.query("SELECT a FROM $db.sku_money_1d"); got != "7" {
			t.Errorf("%s: it holds %q", create, got)
		}
	}
	kept("DROP VIEW $db.sku_money_1d", "CREATE TABLE $db.sku_money_1d (a UInt8) ENGINE = MergeTree ORDER BY a AS SELECT 7", "MergeTree")
	kept("DROP TABLE $db.sku_money_1d", "CREATE VIEW $db.sku_money_1d AS SELECT 7 AS a COMMENT 'mine (or (not)'", "View")
	e.query("ALTER TABLE $db.sku_money_1d MODIFY COMMENT 'The grain 1d of sku_money'") // as printed by a version that had no more in it
	if _, err := e.Apply(t.Context()); err != nil || !strings.Contains(e.query("SHOW CREATE VIEW $db.sku_money_1d"), "watermarks_rows") {
		t.Errorf("one made by hand: %v", err)
	}
}
