package aggregate

import "time"

// dayCache keeps the bounds of the day that was asked for last: offsets are whole hours, so neighbours in time share it.
type dayCache struct{ start, end int64 }

// dayEnd is the end of the day of the shop's zone that contains ts, ms.
func (a *Aggregator) dayEnd(ts int64) int64 {
	if d := &a.day; ts < d.start || ts >= d.end {
		t := time.UnixMilli(ts).In(a.zone)
		d.start = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, a.zone).UnixMilli()
		d.end = time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, a.zone).UnixMilli()
	}
	return a.day.end
}
