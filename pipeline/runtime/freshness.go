package runtime

import "time"

// freshness follows the log records of one partition from their receive time to the acknowledgement of their rows, a sample for each: the
// newest of a flush alone would say how long a write takes, not how long an event waits. It belongs to the partition's goroutine.
//
// A record whose receive time is not above all before it (progress, a repetition, a source that lags behind the others) is no sample.
type freshness struct {
	waiting []arrival // applied, in no flush yet
	flying  []arrival // in the flush on its way
	newest  int64
}

// arrival stands for records received at recv or later.
type arrival struct {
	recv    int64 // ms
	records int
}

// maxArrivals bounds the memory while the sink is away: above it neighbours share a sample, at the age of the older.
const maxArrivals = 512

// applied notes a record after which the highest receive time is maxRecv. It says whether the record brought a new one.
func (f *freshness) applied(maxRecv int64, behind bool) bool {
	if maxRecv <= f.newest {
		return false
	}
	f.newest = maxRecv
	if !behind {
		f.waiting = append(thin(f.waiting), arrival{maxRecv, 1})
	}
	return true
}

func thin(as []arrival) []arrival {
	if len(as) < maxArrivals {
		return as
	}
	half := as[:0]
	for i := 0; i+1 < len(as); i += 2 {
		half = append(half, arrival{as[i].recv, as[i].records + as[i+1].records})
	}
	if len(as)%2 != 0 {
		half = append(half, as[len(as)-1])
	}
	return half
}

// flushed: the rows of all that waits have left. While behind, only closed windows leave, and what waits goes on waiting.
func (f *freshness) flushed(behind bool) {
	if !behind {
		f.flying, f.waiting = f.waiting, f.flying[:0]
	}
}

// acked shows what is in flight, or returns it to what waits.
func (f *freshness) acked(ok bool, at time.Time, m *readerMetrics) {
	if !ok {
		f.waiting = append(f.flying, f.waiting...)
		for len(f.waiting) >= maxArrivals {
			f.waiting = thin(f.waiting)
		}
		f.flying = nil
		return
	}
	for _, a := range f.flying {
		for range a.records {
			m.fresh.Observe(seconds(at.UnixMilli() - a.recv))
		}
	}
	f.flying = f.flying[:0]
}
