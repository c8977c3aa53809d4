package measure

import "time"

// Days are the calendar days of the shop's zone: a day is the instants that have its date. Where clocks are put forward at midnight it begins at 1:00, so no
// arithmetic with dates finds its bounds (time.Date answers an instant of the day before). Offsets are whole hours: each hour lies in one day. The day
// that was asked for last is kept: neighbours in time share it.
type Days struct {
	zone       *time.Location
	start, end int64 // ms
	number     int32
}

// DaysOf are those of a zone.
func DaysOf(zone *time.Location) Days { return Days{zone: zone} }

// Number is that of the day that contains ts, from 1970-01-01 on.
func (d *Days) Number(ts int64) int32 {
	d.find(ts)
	return d.number
}

// Start is the first instant of the day that contains ts, ms.
func (d *Days) Start(ts int64) int64 {
	d.find(ts)
	return d.start
}

// End is the first instant after it.
func (d *Days) End(ts int64) int64 {
	d.find(ts)
	return d.end
}

func (d *Days) find(ts int64) {
	if ts < d.start || ts >= d.end {
		d.look(ts)
	}
}

// look finds the day's bounds hour by hour, from where they are if clocks stand still.
func (d *Days) look(ts int64) {
	local := d.local(ts)
	d.number = dayOf(local)
	d.start = ts - (local - int64(d.number)*DayMS)
	for dayOf(d.local(d.start-HourMS)) >= d.number {
		d.start -= HourMS
	}
	for dayOf(d.local(d.start)) < d.number {
		d.start += HourMS
	}
	d.end = d.start + DayMS - 4*HourMS
	for dayOf(d.local(d.end)) <= d.number {
		d.end += HourMS
	}
}

// local is what the zone's clocks show, as ms since they showed 1970.
func (d *Days) local(ts int64) int64 {
	_, offset := time.UnixMilli(ts).In(d.zone).Zone()
	return ts + int64(offset)*1000
}

// dayOf also counts the last days before 1970, where it is still that year west of Greenwich.
func dayOf(local int64) int32 { return int32((local+2*DayMS)/DayMS) - 2 }
