package enrich

import "time"

// zone maps instants to days of the shop's zone. Offsets are whole hours, so a day is constant within an hour: the last hour is kept.
type zone struct {
	loc  *time.Location
	hour int64
	num  int32
}

// day is the number of the calendar day since 1970-01-01 in the zone.
func (z *zone) day(ts int64) int32 {
	h := ts / hourMS
	if h == z.hour && z.num != 0 {
		return z.num
	}
	_, off := time.UnixMilli(ts).In(z.loc).Zone()
	z.hour, z.num = h, int32((ts+int64(off)*1000)/(24*hourMS))
	return z.num
}

// start is the first instant of the day that contains ts, ms.
func (z *zone) start(ts int64) int64 {
	t := time.UnixMilli(ts).In(z.loc)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, z.loc).UnixMilli()
}
