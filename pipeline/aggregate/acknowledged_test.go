package aggregate

import (
	"fmt"
	"testing"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// One source stands still, and the watermark with it; the others go on. What the store has acknowledged moves on all the same: a copy of it from before has
// told less.
func TestAcknowledgedWhileTheWatermarkStands(t *testing.T) {
	r, log := newRig(t), changelog{}
	flush := func(a *Aggregator) (rows int, told uint64) {
		for range 30 {
			var b rollup.Batch
			token, _ := a.Flush(&b, false)
			for _, w := range b.Watermarks {
				told = max(told, w.Version)
			}
			rows += b.Rows() - len(b.Watermarks)
			a.Ack(token)
		}
		return rows, told
	}
	r.apply(100_000, 60_000, r.event("r", 100_000))
	_, copied := flush(r.a)
	for i := range 50 {
		r.apply(100_000, 60_000, r.event(fmt.Sprint("room", i), 101_000))
	}
	rows, told := flush(r.a)
	if rows == 0 || told <= copied {
		t.Fatalf("%d rows left, told %d after %d", rows, told, copied)
	}
	log.save(r.a)
	a := log.mustRestore(t)
	if acked := a.Acknowledged(); acked != int64(told) {
		t.Errorf("acknowledged up to %d, want %d", acked, told)
	}
	var b rollup.Batch
	a.Flush(&b, false)
	if acked := a.Acknowledged(); acked != int64(told) {
		t.Errorf("acknowledged up to %d, want %d: what is on its way is not", acked, told)
	}
}
