package aggregate

import "github.com/livemeter/livemeter/pipeline/measure"

// finality says which windows are final: those whose end the watermark has passed by the log's lateness. That gets longer in the middle of a log and never
// shorter, and what was final stays so. So the end up to which windows are final is a function of the watermark, and follows from the log: whatever was lost,
// whoever says a watermark again says the same with it.
type finality struct {
	lateness int64    // of now
	former   []former // the shortest and oldest first, from the first on that still decides
}

// former is a lateness that was in force up to a watermark.
type former struct{ until, lateness int64 }

// last is the end up to which windows were final when it was over.
func (l former) last() int64 { return l.until - l.lateness }

// end is up to which end windows are final at a watermark. Before its time a former lateness says less than those that were shorter.
func (f *finality) end(wm int64) int64 {
	end := max(0, wm-f.lateness)
	for _, l := range f.former {
		end = max(end, min(wm, l.until)-l.lateness)
	}
	return end
}

// from is the watermark at which windows with an end become final.
func (f *finality) from(end int64) int64 {
	for _, l := range f.former {
		if end <= l.last() {
			return end + l.lateness
		}
	}
	return end + f.lateness
}

// raise makes a longer lateness that of now, from the watermark wm on. The first ones are dropped that decide at no watermark from low on.
func (f *finality) raise(wm, lateness, low int64) {
	f.former = append(f.former, former{wm, f.lateness})
	f.lateness = lateness
	for len(f.former) > 0 {
		rest := finality{f.lateness, f.former[1:]}
		if f.former[0].last() > rest.end(low) {
			return
		}
		*f = rest
	}
}

// raise takes a longer lateness. An hour that is not final yet is looked at when it is, since its row must have what came until then: see hoursTold. A minute
// closes as it was opened, before it is final.
func (a *Aggregator) raise(lateness int64) {
	a.final.raise(a.wm, lateness, a.durable().wm)
	for i := uint32(1); i < a.cells.Cap(); i++ {
		if c := a.cells.At(i); c.key != 0 && c.grain == measure.Grain1h && c.state&closedBit == 0 && !a.past(c.end()) {
			a.unsaved.Mark(i)
			c.due = dueAt(c.end() + lateness)
			a.due.add(c.due, i)
		}
	}
}

// past says whether a window was final before the record that is being applied.
func (a *Aggregator) past(end int64) bool { return end <= a.finalEnd }

// hoursTold is the start of the first hour that is not final at a watermark: those before it have closed, or wait for stragglers, and their rows
// have left with it.
func (a *Aggregator) hoursTold(wm int64) int64 {
	end := a.final.end(wm)
	return end - end%hourMS
}
