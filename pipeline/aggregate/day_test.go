package aggregate

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/livemeter/livemeter/pipeline/measure"
)

// What comes in a day's last hour is late for the day once that hour is final, also where the midnight at its end is left out by the clocks.
func TestLateForTheDay(t *testing.T) {
	for zone, midnight := range map[string]time.Time{
		"America/Santiago": time.Date(2026, 9, 6, 4, 0, 0, 0, time.UTC), "America/Havana": time.Date(2026, 3, 8, 5, 0, 0, 0, time.UTC), "Asia/Shanghai": time.Date(2026, 3, 8, 16, 0, 0, 0, time.UTC),
	} {
		end := midnight.UnixMilli()
		for wm, want := range map[int64]uint8{end + 59_000: 0, end + 60_000: lateDayBit} {
			r := newRig(t)
			r.zone = zone
			r.apply(wm, 60_000)
			r.apply(wm, 60_000, r.event("r", end-hourMS/2))
			for i := uint32(1); i < r.a.cells.Cap(); i++ {
				if c := r.a.cells.At(i); c.key != 0 && c.grain == measure.Grain1h && c.state&lateDayBit != want {
					t.Errorf("%s, watermark %d s after the day: the hour's state is %b", zone, (wm-end)/1000, c.state)
				}
			}
		}
	}
}
