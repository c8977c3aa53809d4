package clickhouse_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/pipeline/measure"
)

// online is a minute whose panes have so many views online, from its first on.
func online(at int64, part uint16, version uint64, panes ...int64) row {
	r := row{Room: "a", Window: at, Part: part, Version: version}
	for i, n := range panes {
		r.Panes = append(r.Panes, pane{Pane: i, Online: n})
	}
	return r
}

// peaks are those of room a, with the names of the places in time.
func (e *engine) peaks() string {
	got := e.query("SELECT grain, toUnixTimestamp64Milli(window_start), online FROM $db.room_measures WHERE grain > '10s' ORDER BY ALL")
	return strings.NewReplacer(fmt.Sprint(start+2*hour), "start+2h", fmt.Sprint(start+10*minute), "start+10m", fmt.Sprint(start), "start",
		fmt.Sprint(allDay-minute), "day-1m", fmt.Sprint(allDay-hour), "day-1h", fmt.Sprint(allDay-24*hour), "day-24h", fmt.Sprint(allDay), "day",
		"\t", " ", "\n", ", ").Replace(got)
}

func (e *engine) peakRows() int64 {
	return e.number("SELECT count() FROM $db.room_rows WHERE part = 65534")
}

func TestPeaks(t *testing.T) {
	e := open(t)
	e.watermark(start + 1000*hour)
	r := e.roller()
	// The peak of the sums is 9 at :10; the sum of the partials' own peaks would be 12.
	e.write(online(start, 0, 5, 7, 4), online(start, 1, 5, 1, 5), online(start+10*minute, 0, 5, 3), online(start+2*hour, 0, 5, 0, 6),
		online(allDay-minute, 0, 5, 0, 0, 0, 0, 0, 20), row{Grain: measure.Grain1h, Room: "a", Window: start, Version: 5, Value: 1})
	want := func(want string) {
		t.Helper()
		if got := e.peaks(); got != want {
			t.Errorf("peaks are\n%s, want\n%s", got, want)
		}
	}
	e.roll(r)
	want("1m day-1m 20, 1m start 9, 1m start+10m 3, 1m start+2h 6, 1h day-1h 20, 1h start 9, 1h start+2h 6, 1d day-24h 20, 1d day 9, session start 20")
	if got := e.query("SELECT DISTINCT status FROM $db.room_measures WHERE grain = 'session'"); got != "final" {
		t.Errorf("a peak row made the session %s", got)
	}
	writes := e.peakRows()
	e.roll(r)
	if got := e.peakRows(); got > writes {
		t.Errorf("%d peak rows were written again without a change", got-writes)
	}
	// A correction lowers panes: the highest of the day before, and the one at :10.
	lower := "1m day-1m 2, 1m start 8, 1m start+10m 3, 1m start+2h 6, 1h day-1h 2, 1h start 8, 1h start+2h 6, 1d day-24h 2, 1d day 8, session start 8"
	e.write(online(allDay-minute, 0, 9, 0, 0, 0, 0, 0, 2), online(start, 1, 9, 1, 0))
	e.roll(r)
	want(lower)
	// A stale roller writes what it saw before: it loses.
	e.query("INSERT INTO $db.room_rows (epoch, grain, platform, room_id, live_session_id, window_start, part, version, state, first_event, online) SELECT epoch, grain, platform, room_id, live_session_id, window_start, part, version - 1, state, first_event, 99 FROM $db.room_rows FINAL WHERE part = 65534")
	want(lower)
	e.query("ALTER TABLE $db.room_rows DELETE WHERE part = 65534 SETTINGS mutations_sync = 2")
	if err := r.RollAll(context.Background()); err != nil {
		t.Fatal(err)
	}
	want(lower)
}
