package aggregate

import (
	"testing"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// A partition that no record comes to tells its watermark with the first flush after a restore, and when that is lost with the next: a store that has taken over has heard of none.
func TestIdlePartitionTellsItsWatermark(t *testing.T) {
	r, log, n := newRig(t), changelog{}, newest{t: t}
	r.apply(1000, 10_000, r.event("r", 1000))
	r.apply(2*hourMS, 10_000)
	r.flushTo(&n, 60)
	log.save(r.a)
	a := log.mustRestore(t)
	var lost rollup.Batch
	token, _ := a.Flush(&lost, false)
	a.Nack(token)
	var b rollup.Batch
	a.Flush(&b, false)
	if len(lost.Watermarks) != 1 || len(b.Watermarks) != 1 || b.Watermarks[0].Version != uint64(a.Acknowledged()) || n.WM != b.Watermarks[0].WM {
		t.Errorf("%v are told, acknowledged was %d", b.Watermarks, a.Acknowledged())
	}
}

// A raised lateness moves when an hour is looked at: the checkpoint after it has that.
func TestRaisedLatenessIsSavedWithTheHours(t *testing.T) {
	r, log, n := newRig(t), changelog{}, newest{t: t}
	r.apply(hourMS-1000, 10_000, r.event("r", hourMS-2000))
	r.flushTo(&n, 60)
	log.save(r.a)
	r.apply(hourMS, 600_000)
	log.save(r.a)
	due := func(a *Aggregator) (at []uint32) {
		for i := uint32(1); i < a.cells.Cap(); i++ {
			if c := a.cells.At(i); c.key != 0 && c.end()%hourMS == 0 {
				at = append(at, c.due)
			}
		}
		return at
	}
	if was, is := due(r.a), due(log.mustRestore(t)); len(was) == 0 || len(is) != len(was) || is[0] != was[0] {
		t.Errorf("due at %d, after a restore at %d", was, is)
	}
}
