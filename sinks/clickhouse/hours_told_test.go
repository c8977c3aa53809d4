package clickhouse_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// Hours that begin before what all partitions have told are read from their own rows, later ones from those of their minutes, and days and sessions
// from both. Each kind of row has numbers of its own here, so that a window shows what it was read from.
func TestHoursAreReadFromMinutesUntilTheyAreTold(t *testing.T) {
	e := open(t)
	more := func(own, inHour, inDay, inSession int64) map[string]int64 {
		return map[string]int64{"viewers": own, "viewers_in_hour": inHour, "viewers_in_day": inDay, "viewers_in_session": inSession}
	}
	e.write(
		row{Room: "a", Window: start, Value: 1, More: more(1, 2, 3, 4)},
		row{Room: "a", Window: start + 59*minute, Part: 1, Value: 10, More: more(10, 20, 30, 40)},
		row{Room: "a", Window: start + hour, Value: 100, More: more(100, 200, 300, 400)},
		row{Room: "a", Grain: measure.Grain1h, Window: start, Value: 5000, State: closed, More: more(7000, 0, 8000, 9000)},
		row{Room: "a", Grain: measure.Grain1h, Window: start + hour, Value: 50000, State: closed, More: more(70000, 0, 80000, 90000)})
	for _, c := range []struct {
		told int64
		want string // events and viewers of hours, of the day, of the session
	}{
		{0, "11 22, 100 200, 111 333, 111 444"},
		{start, "11 22, 100 200, 111 333, 111 444"},
		{start + hour, "5000 7000, 100 200, 5100 8300, 5100 9400"},
		{start + 2*hour, "5000 7000, 50000 70000, 55000 88000, 55000 99000"},
	} {
		e.hours = c.told
		e.watermark(start)
		got := e.query("SELECT events, viewers FROM $db.room_measures WHERE grain IN ('1h', '1d', 'session') ORDER BY grain, window_start")
		if got = strings.NewReplacer("\t", " ", "\n", ", ").Replace(got); got != c.want {
			t.Errorf("told %d s after the start: %s, want %s", (c.told-start)/1000, got, c.want)
		}
	}
}

// The highest watermark of a partition tells for it, and the lowest of the partitions for all.
func TestHoursAreToldByAllPartitions(t *testing.T) {
	e := open(t)
	e.query("TRUNCATE TABLE $db.watermarks_rows")
	e.write(row{Room: "a", Window: start, Value: 1}, row{Room: "a", Grain: measure.Grain1h, Window: start, Value: 2, State: closed})
	shows := func(when, want string) {
		t.Helper()
		if got := e.query("SELECT events FROM $db.room_measures WHERE grain = '1h'"); got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	shows("no partition is known", "1")
	e.watermarks(rollup.Watermark{Part: 0, WM: start + 2*hour, HoursTold: start + hour}, rollup.Watermark{Part: 1})
	shows("one has told nothing", "1")
	e.watermarks(rollup.Watermark{Part: 1, WM: start + 2*hour, HoursTold: start + hour})
	shows("both have told", "2")
	e.watermarks(rollup.Watermark{Part: 1, WM: start, HoursTold: start})
	shows("an older one comes again", "2")
}

// A window that is not told yet takes its late bits from no row, and a session its runs from minutes: those of an hour and a partition make one.
func TestStatusOfUntoldHours(t *testing.T) {
	e := open(t)
	e.hours = start
	e.watermark(start + 3*hour)
	e.write(
		row{Room: "late minute", Window: start, Value: 1, State: rollup.Late, Run: rollup.Run{start, start + 2*hour, 0}},
		row{Room: "live", Window: start, Value: 1, Run: rollup.Run{start, start + hour, 0}},
		row{Room: "live", Window: start + minute, Value: 1, Run: rollup.Run{start + hour + 1, start + 4*hour, 0}},
		row{Room: "late", Window: start, Value: 1, Run: rollup.Run{start, start + hour, 0}},
		row{Room: "late", Window: start + minute, Value: 1, Run: rollup.Run{start, start + 2*hour, start + 2*hour + 5}},
		row{Room: "next hour", Window: start + 59*minute, Value: 1, Run: rollup.Run{start, start + 2*hour, 0}},
		row{Room: "next hour", Window: start + hour, Value: 1, Run: rollup.Run{start + 2*hour, start + 4*hour, 0}},
		row{Room: "elsewhere", Window: start, Value: 1, Run: rollup.Run{start, start + hour, 0}},
		row{Room: "elsewhere", Window: start, Part: 1, Value: 1, Run: rollup.Run{start + hour, start + 4*hour, 0}},
		row{Room: "again", Window: start - hour, Grain: measure.Grain1h, Value: 1, State: closed, Run: rollup.Run{start - hour, start, 0}},
		row{Room: "again", Window: start + minute, Value: 1, Run: rollup.Run{start + 1, start + hour, 0}},
		row{Room: "on", Window: start - hour, Grain: measure.Grain1h, Value: 1, State: closed, Run: rollup.Run{start - hour, start, 0}},
		row{Room: "on", Window: start, Value: 1, Run: rollup.Run{start - 1, start + hour, 0}})
	for room, want := range map[string]string{"late minute": "final final", "live": "final provisional", "late": "final corrected", "next hour": "final final corrected", "elsewhere": "final corrected", "again": "final final corrected", "on": "final final final"} {
		got := e.query("SELECT status FROM $db.room_measures WHERE room_id = '%s' AND grain IN ('1h', 'session') ORDER BY grain, window_start", room)
		if got = strings.ReplaceAll(got, "\n", " "); got != want {
			t.Errorf("%s: %s, want %s", room, got, want)
		}
	}
}

// Who asks for a day reads the minutes of the hours that are not told, and none of the days before them.
func TestDaysReadFewMinutes(t *testing.T) {
	e := open(t)
	var rows []row
	for i := range 30_000 {
		rows = append(rows, row{Room: fmt.Sprintf("r%04d", i%3000), Window: start + int64(i/3000)*24*hour, Version: 1, Value: 1})
	}
	e.hours = start + 9*24*hour
	e.watermark(start + 9*24*hour)
	e.write(rows...)
	e.query("OPTIMIZE TABLE $db.room_rows FINAL")
	for _, grain := range []string{"1h", "1d", "session"} {
		plan := e.query("EXPLAIN indexes = 1 SELECT room_id, events FROM $db.room_measures WHERE grain = '%s' AND platform = 'douyin' AND room_id = 'r0042'", grain)
		if read := granulesRead(t, plan); read > 1 {
			t.Errorf("%s reads %d granules, not 1:\n%s", grain, read, plan)
		}
	}
}

// A minute that has nothing but who is online belongs to no hour (aggregate, attach): the hour must not have a row because of it, which would go when the hour is told.
func TestOnlineAloneMakesNoHour(t *testing.T) {
	e := open(t)
	e.hours = start
	e.watermark(start)
	e.write(row{Room: "a", Window: start, Foreign: true, Online: true, Panes: []pane{{Pane: 0, Online: 1}}})
	count := func() string {
		return e.query("SELECT grain, events, updated_at FROM $db.room_measures WHERE grain IN ('1h', '1d', 'session') ORDER BY grain")
	}
	before := count()
	e.hours = start + hour
	e.watermark(start + 2*hour)
	if after := count(); after != before {
		t.Errorf("%q before the hour is told, %q after", before, after)
	}
}

// A live session that was final goes on before the hour of its last event is told (lateness later than the hour's end): an event came to it, so it is
// corrected, not provisional again.
func TestSessionGoesOnBeforeItsHourIsTold(t *testing.T) {
	e := open(t)
	e.hours = start
	e.watermark(start + hour + 5000)
	e.write(row{Room: "a", Window: start, Value: 1, Run: rollup.Run{start, start + hour + 5000, 0}})
	status := func(want string) {
		t.Helper()
		if got := e.query("SELECT status, events FROM $db.room_measures WHERE grain = 'session'"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	status("final\t1")
	e.write(row{Room: "a", Window: start + hour, Value: 1, Run: rollup.Run{start + hour + 10_000, start + 2*hour + 10_000, 0}})
	status("corrected\t2")
}

// Hours older than minutes are kept are read from rows of their own, whatever the partitions have told.
func TestHoursOlderThanMinutesAreTold(t *testing.T) {
	e := openWith(t, func(c *clickhouse.Config) { c.TTLDays = []int{14, 90, 0, 0, 0} })
	e.hours = 0
	e.watermark(1)
	old := time.Now().Add(-91*24*time.Hour).UnixMilli() / hour * hour
	e.write(row{Room: "a", Grain: measure.Grain1h, Window: old, Value: 7}, row{Room: "a", Grain: measure.Grain1h, Window: old + 3*24*hour, Value: 5})
	if got := e.query("SELECT events FROM $db.room_measures WHERE grain = '1h'"); got != "7" {
		t.Errorf("events %q, want 7 of the hour that has no minutes any more, and none of the one that is not told", got)
	}
}
