package clickhouse_test

import (
	"fmt"
	"testing"

	"github.com/livemeter/livemeter/pipeline/measure"
)

// updated_at is of the last event in the window, whatever changed it later from outside (a view's threshold, who is online): of several partials, of an
// hour's minutes, and when partials are folded. A window that has no event of its own shows what changed it.
func TestUpdatedIsOfOwnEvents(t *testing.T) {
	e := open(t)
	e.hours = start
	e.watermark(start)
	show := func(grain string, want string) {
		t.Helper()
		got := e.query("SELECT groupArray((room_id, toUnixTimestamp64Milli(updated_at) - %d)) FROM (SELECT room_id, window_start, updated_at FROM $db.room_measures WHERE grain = '%s' ORDER BY room_id, window_start)", start, grain)
		if got != want {
			t.Errorf("%s: %s, want %s", grain, got, want)
		}
	}
	e.write(
		row{Room: "a", Window: start, Part: 0, Version: 5, Value: 1, Panes: []pane{{Pane: 0, Value: 1, Updated: start + 3}, {Pane: 1, Online: 1, Updated: -start - 4}}},
		row{Room: "a", Window: start, Part: 1, Version: 90, Foreign: true, Panes: []pane{{Pane: 0, Online: 1, Updated: -start - 80}, {Pane: 1, Online: 1, Updated: -start - 70}}},
		row{Room: "b", Window: start, Part: 0, Version: 7, Foreign: true},
		row{Room: "b", Window: start, Part: 1, Version: 8, Foreign: true})
	show("10s", "[('a',3),('a',70)]")
	for _, grain := range []string{"1m", "1h", "1d", "session"} {
		show(grain, "[('a',5),('b',8)]")
	}
	e.hours = start + hour
	e.watermark(start + 2*hour)
	var rows []row
	for gen := range uint64(2) { // the second one is Foreign and later
		for _, room := range []string{"a", "b"} {
			rows = append(rows, row{Room: room, Grain: measure.Grain1h, Window: start, Gen: gen + 1, Version: 5 + 4*gen, Value: 1, State: closed, Foreign: gen == 1 || room == "b"})
		}
	}
	e.write(rows...)
	for _, when := range []string{"before", "after"} {
		for _, grain := range []string{"1h", "1d", "session"} {
			t.Run(fmt.Sprint(grain, " ", when, " the fold"), func(t *testing.T) { show(grain, "[('a',5),('b',9)]") })
		}
		e.roll(e.roller())
	}
	if n := e.live("a"); n > 4 {
		t.Errorf("%d rows of room a: nothing was folded", n)
	}
}
