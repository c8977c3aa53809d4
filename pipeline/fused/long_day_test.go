package fused

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// A day in which clocks are set back has 25 hours: what was in its first one is known while the horizon is in its last.
func TestDayOf25Hours(t *testing.T) {
	at := func(s string) float64 {
		x, err := time.Parse("2006-01-02T15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return float64(x.UnixMilli()-golden0) / 1000
	}
	p := newPlayer(t, NewRun(0, nil))
	p.settings.Zone, p.settings.HorizonMS = "America/New_York", 720*3600_000
	p.task = NewRun(0, nil)
	p.apply(eventlog.AppendSettings(nil, &p.settings))
	p.sources("1")
	// In New York 2026-11-01 is from 04:00 to 05:00 the next day, UTC.
	p.line(fmt.Sprintf("heartbeat at=%f u=u1 view=a watch=1", at("2026-11-01T04:10")))
	p.line(fmt.Sprintf("wm %f", at("2026-12-02T04:40"))) // the horizon is at 2026-11-02T04:40
	p.line(fmt.Sprintf("heartbeat at=%f u=u1 view=a watch=1", at("2026-11-02T04:50")))
	got := p.shown("room_measures 1d")
	if n := strings.Count(got, "viewers=1"); n != 1 || strings.Contains(got, "beyond") { // the test's store shows days of Shanghai, of which the two events are in two
		t.Errorf("the viewer is counted %d times in one day of New York:\n%s", n, got)
	}
}
