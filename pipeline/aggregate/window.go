package aggregate

import (
	"time"

	"github.com/livemeter/livemeter/pipeline/measure"
)

// dayCache keeps the bounds of the day that was asked for last: offsets are whole hours, so neighbours in time share it.
type dayCache struct{ start, end int64 }

// window is the start of the window of grain g that contains ts, ms; 0 for the session.
func (a *Aggregator) window(g measure.Grain, ts int64) int64 {
	switch g {
	case measure.Grain10s:
		return ts - ts%paneMS
	case measure.Grain1m:
		return ts - ts%60_000
	case measure.Grain1h:
		return ts - ts%hourMS
	case measure.Grain1d:
		a.day(ts)
		return a.dayStart.start
	}
	return 0
}

func (a *Aggregator) day(ts int64) {
	if ts >= a.dayStart.start && ts < a.dayStart.end {
		return
	}
	t := time.UnixMilli(ts).In(a.zone)
	a.dayStart.start = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, a.zone).UnixMilli()
	a.dayStart.end = time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, a.zone).UnixMilli()
}

// end is the end of a window, ms; 0 for the session, which has none.
func (a *Aggregator) end(id cellID) int64 {
	switch id.grain {
	case measure.Grain10s:
		return id.window + paneMS
	case measure.Grain1m:
		return id.window + 60_000
	case measure.Grain1h:
		return id.window + hourMS
	case measure.Grain1d:
		a.day(id.window)
		return a.dayStart.end
	}
	return 0
}

// expired says that the store would drop the row at once: no row is made for a window past its grain's TTL.
func (a *Aggregator) expired(g measure.Grain, end int64) bool {
	return end != 0 && a.ttl[g] != 0 && a.wm != 0 && end+a.ttl[g] < a.wm
}
