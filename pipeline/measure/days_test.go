package measure

import (
	"testing"
	"time"
	_ "time/tzdata"
)

// A day is the hours that have its date, also where clocks are put forward at midnight (Santiago, Havana, Cairo) or back at it, and where a date was left out (Samoa).
func TestDaysAreTheHoursOfADate(t *testing.T) {
	for zone, from := range map[string]string{"America/Santiago": "2026-01-01", "America/Havana": "2026-01-01", "Africa/Cairo": "2026-01-01", "America/New_York": "2026-01-01",
		"Asia/Shanghai": "2026-01-01", "Antarctica/Troll": "2026-01-01", "America/Nuuk": "2026-01-01", "Pacific/Apia": "2011-06-01", "Etc/GMT+12": "1970-01-01"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		first, _ := time.Parse(time.DateOnly, from)
		date := func(ms int64) string { return time.UnixMilli(ms).In(loc).Format(time.DateOnly) }
		days := DaysOf(loc)
		for ts := first.UnixMilli(); ts < first.UnixMilli()+400*DayMS; ts += HourMS {
			start, end, fresh := days.Start(ts), days.End(ts), DaysOf(loc)
			if start > ts || ts >= end || date(start) != date(ts) || date(end-1) != date(ts) || date(start-1) == date(ts) || date(end) == date(ts) {
				t.Fatalf("%s, %s: the day is from %s to %s", zone, date(ts), time.UnixMilli(start).In(loc), time.UnixMilli(end).In(loc))
			}
			y, m, d := time.UnixMilli(ts).In(loc).Date()
			if want := int32(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86_400); days.Number(ts) != want && ts >= 12*HourMS {
				t.Fatalf("%s, %s: number %d, want %d", zone, date(ts), days.Number(ts), want)
			}
			if fresh.Start(ts+HourMS-1) != start || fresh.End(ts) != end {
				t.Fatalf("%s, %s: another day to who asks first", zone, date(ts))
			}
		}
	}
}
