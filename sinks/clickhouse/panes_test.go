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

// A fold changes nothing that an analyst sees of an hour, its day and session, or of its minutes and their panes: not once, not when corrections are
// folded into it, not after a replay.
func TestFoldChangesNoView(t *testing.T) {
	e := open(t)
	minuteOf := func(part uint16, gen, version uint64, panes ...pane) row {
		return row{Room: "a", Window: start, Part: part, Gen: gen, Version: version, State: closed, Value: int64(version), Panes: panes}
	}
	hourOf := func(part uint16, gen, version uint64, state uint8) row {
		return row{Grain: measure.Grain1h, Room: "a", Window: start, Part: part, Gen: gen, Version: version, State: state | closed, Value: int64(version),
			Foreign: part == 1, Run: rollup.Run{int64(gen), start + hour, 0}, More: map[string]int64{"viewers": 3, "viewers_in_day": 2, "viewers_in_session": 1}}
	}
	e.write(
		minuteOf(0, 1, 5, pane{Pane: 0, Value: 3, Online: 7, Updated: start + 900}, pane{Pane: 1, Value: -4, Online: 4, Updated: start + 11_000}),
		minuteOf(0, 6, 9, pane{Pane: 1, Value: 4, Late: true, Updated: start + 90_000}), // the pane's sum is 0, and it is there all the same
		minuteOf(1, 1, 5, pane{Pane: 0, Value: 10, Online: 1, Updated: start + 800}, pane{Pane: 5, Value: 8, Online: 9}),
		minuteOf(2, 1, 5),
		row{Room: "a", Window: start, Part: 3, Gen: 1, Version: 4, Value: 1, Panes: []pane{{Pane: 0, Value: 100}, {Pane: 4, Value: 1, Late: true}}}, // open
		hourOf(0, 1, 5, 0), hourOf(0, 6, 9, rollup.LateDay), hourOf(1, 1, 5, rollup.Late))
	e.roll(e.roller(peaksOnly))
	watermarks := []int64{start + 75_000, start + 3*hour, start + 1000*hour} // panes differ in status, minute and hour, the day too
	views := func() string {
		var all []string
		for _, wm := range watermarks {
			e.watermark(wm)
			all = append(all, e.shown())
		}
		return strings.Join(all, "\n\n")
	}
	r := e.roller()
	unchanged := func(when string, minutes, hours int64, rows ...row) {
		t.Helper()
		if len(rows) > 0 {
			e.write(rows...)
		}
		before := views()
		e.roll(r)
		if got := views(); got != before {
			t.Errorf("%s, folded:\n%s\nbefore:\n%s", when, got, before)
		}
		got := e.query("SELECT countIf(grain = '1m'), countIf(grain = '1h') FROM $db.room_rows FINAL WHERE part != 65534")
		if want := fmt.Sprintf("%d\t%d", minutes, hours); got != want {
			t.Errorf("%s: rows of minute and hour: %s, want %s", when, got, want)
		}
	}
	unchanged("as they came", 5, 1)
	if got, want := e.query("SELECT toSecond(window_start), events, online, status FROM $db.room_measures WHERE grain = '10s' ORDER BY window_start"),
		"0\t113\t8\tfinal\n10\t0\t4\tcorrected\n40\t1\t0\tcorrected\n50\t8\t9\tfinal"; got != want {
		t.Errorf("panes are\n%s\nwant\n%s", got, want)
	}
	// Online stays as it is: a correction that moved it would move the peaks, in the same cycle.
	unchanged("a correction", 6, 1, minuteOf(1, 20, 30, pane{Pane: 0, Value: 1, Late: true, Updated: start + 99_000}, pane{Pane: 3, Value: 2}), hourOf(1, 20, 30, 0))
	// What part 1 brings is none of the hour's own: folded with what is, it does not become its newest.
	if got := e.number("SELECT toUnixTimestamp64Milli(updated_at) FROM $db.room_measures WHERE grain = '1h'"); got != start+9 {
		t.Errorf("the hour was updated %d ms after its start, want 9: by the newest event of its own", got-start)
	}
	unchanged("a replay", 6, 1, minuteOf(0, 1, 5, pane{Pane: 0, Value: 3, Online: 7}), hourOf(0, 6, 9, 0))
	if got := e.query("SELECT count() FROM $db.room_rows WHERE deleted = 1 AND notEmpty(runs)"); got != "0" {
		t.Errorf("%s tombstones carry arrays", got)
	}
}

// Where minutes outlive panes, the panes go alone.
func TestPanesExpireAlone(t *testing.T) {
	for name, c := range map[string]struct {
		days []int
		want string
	}{
		"panes before minutes": {[]int{14, 0, 0, 0, 0}, "1m\t4"},
		"with their minutes":   {[]int{14, 14, 0, 0, 0}, ""},
		"for ever":             {[]int{0, 0, 0, 0, 0}, "10s\t1\n1m\t4"},
	} {
		t.Run(name, func(t *testing.T) {
			e := openWith(t, func(cfg *clickhouse.Config) { cfg.TTLDays = c.days })
			e.write(row{Room: "a", Window: start - 365*24*hour, Version: 1, Value: 4, Panes: []pane{{Pane: 2, Value: 1}}})
			e.query("OPTIMIZE TABLE $db.room_rows FINAL")
			if got := e.query("SELECT grain, events FROM $db.room_measures ORDER BY ALL"); got != c.want {
				t.Errorf("after a year %q, want %q", got, c.want)
			}
		})
	}
}

// The day is that of the configured zone.
func TestDayOfAnotherZone(t *testing.T) {
	e := openWith(t, func(cfg *clickhouse.Config) { cfg.Zone = "America/New_York" })
	for i := range int64(24) {
		e.write(row{Grain: measure.Grain1h, Room: "a", Window: allDay + i*hour, Version: 1, Value: 1})
	}
	got := e.query("SELECT window_start, events FROM $db.room_measures WHERE grain = '1d' ORDER BY ALL")
	if want := "2026-11-21 05:00:00.000\t13\n2026-11-22 05:00:00.000\t11"; got != want {
		t.Errorf("days are\n%s\nwant\n%s", got, want)
	}
}

// A day is final with its last hour, also where clocks leave out the midnight at its end or at its start, or where it has 25.
func TestDayEndsWithItsLastHour(t *testing.T) {
	for zone, midnight := range map[string]string{"America/Santiago": "2026-09-06 04:00", "America/Havana": "2026-03-08 05:00", "Africa/Cairo": "2026-04-23 22:00", "Asia/Shanghai": "2026-04-23 16:00", "America/New_York": "2026-11-02 05:00"} {
		t.Run(zone, func(t *testing.T) {
			e := openWith(t, func(cfg *clickhouse.Config) { cfg.Zone = zone })
			loc, err := time.LoadLocation(zone)
			if err != nil {
				t.Fatal(err)
			}
			at, _ := time.Parse("2006-01-02 15:04", midnight)
			first := at.UnixMilli()
			days := measure.DaysOf(loc)
			e.write(row{Grain: measure.Grain1h, Room: "a", Window: first - hour, Version: 1, Value: 1}, row{Grain: measure.Grain1h, Room: "a", Window: first, Version: 1, Value: 2})
			for wm, want := range map[int64]string{first - 1: "1 provisional, 2 provisional", first: "1 final, 2 provisional", days.End(first) - 1: "1 final, 2 provisional", days.End(first): "1 final, 2 final"} {
				e.watermark(wm + minute)
				got := e.query("SELECT events, status FROM $db.room_measures WHERE grain = '1d' ORDER BY window_start")
				if got = strings.NewReplacer("\t", " ", "\n", ", ").Replace(got); got != want {
					t.Errorf("watermark %+d h after the first day: %s, want %s", (wm-first)/hour, got, want)
				}
			}
			starts := fmt.Sprintf("%d\n%d", days.Start(first-1), first)
			if got := e.query("SELECT toUnixTimestamp64Milli(window_start) FROM $db.room_measures WHERE grain = '1d' ORDER BY ALL"); got != starts {
				t.Errorf("days start at\n%s\nwant\n%s", got, starts)
			}
		})
	}
}

// Whatever asks for a day finds it, also once its hours stand in one part with the peaks of sessions, which have no day.
func TestDaysBesidePeaks(t *testing.T) {
	e := open(t)
	e.write(
		row{Room: "a", Window: start, Version: 1, Value: 1, Panes: []pane{{Pane: 0, Value: 1, Online: 2}}},
		row{Room: "a", Grain: measure.Grain1h, Window: start, Version: 1, Value: 1})
	e.roll(e.roller())
	e.query("OPTIMIZE TABLE $db.room_rows FINAL")
	if got := e.query("SELECT grain, online FROM $db.room_measures WHERE grain IN ('1d', 'session') ORDER BY grain"); got != "1d\t2\nsession\t2" {
		t.Fatalf("the peaks are not there: %s", got)
	}
	day := time.UnixMilli(allDay).UTC()
	at, date, local := day.Format(time.DateTime), day.Format(time.DateOnly), day.Add(8*time.Hour).Format(time.DateOnly)
	for _, where := range []string{
		"window_start = '" + at + "'", "window_start <= '" + at + "'", "window_start >= '" + at + "'", "window_start BETWEEN '" + at + "' AND '" + at + "'",
		"toDate(window_start) = '" + date + "'", "toDate(window_start) IN ('" + date + "')", "toDate(window_start, 'Asia/Shanghai') = '" + local + "'",
		"toYYYYMM(window_start) = " + day.Format("200601"), "toYear(window_start) = " + day.Format("2006"), "toStartOfMonth(window_start) <= '" + date + "'",
	} {
		if got := e.number("SELECT count() FROM $db.room_measures WHERE grain = '1d' AND %s", where); got != 1 {
			t.Errorf("WHERE %s: %d days, want 1", where, got)
		}
	}
}
