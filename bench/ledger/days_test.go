package ledger

import (
	"testing"
	"time"
)

func TestHoursOfADateThatBeginsAtOne(t *testing.T) {
	zone, err := time.LoadLocation("America/Santiago")
	if err != nil {
		t.Fatal(err)
	}
	first := time.Date(2026, 9, 6, 4, 0, 0, 0, time.UTC).UnixMilli() // midnight there was left out: it is 1:00
	for _, ts := range []int64{first, first + 23*3_600_000 - 1} {
		if from, to := hoursOfDate(ts, zone); from != first || to != first+23*3_600_000 {
			t.Errorf("from %+d to %+d", from-first, to-first)
		}
	}
	if from, to := hoursOfDate(first-1, zone); from != first-24*3_600_000 || to != first {
		t.Errorf("the day before is from %+d to %+d", from-first, to-first)
	}
}
