package aggregate

import (
	"fmt"
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// A store that takes over gets a window that is still held with all its tables, whichever of them changes after that, and before it is told a watermark.
func TestAnewSendsWholeWindows(t *testing.T) {
	r, log, n := newRig(t), changelog{}, newest{t: t}
	sku := r.event("r", 100_000)
	sku.Key = r.a.keys.Of(cellkey.Key{Cube: measure.SKU, Platform: "p", Room: "r", Session: "s", Sub: [2]string{"1"}})
	r.apply(100_000, 60_000, r.event("r", 100_000), sku)
	r.flushTo(&n, 60)
	log.save(r.a)
	for _, lost := range []bool{false, true} { // the first answer
		t.Run(fmt.Sprint(lost), func(t *testing.T) {
			a := log.mustRestore(t)
			a.Anew()
			tables, told := map[measure.Cube]int{}, false
			for flush := range 60 {
				var b rollup.Batch
				token, _ := a.Flush(&b, false)
				if lost && flush == 0 {
					a.Nack(token)
					continue
				}
				for _, c := range b.Cells {
					for _, g := range c.Grain {
						if measure.Grain(g) == measure.Grain1m {
							tables[c.Cube]++
						}
					}
				}
				if len(b.Watermarks) > 0 && !told {
					told = true
					if tables[measure.Room] == 0 || tables[measure.SKU] == 0 {
						t.Errorf("a watermark is told when there are %v", tables)
					}
				}
				a.Ack(token)
			}
			if !told || tables[measure.Room] != 1 || tables[measure.SKU] != 1 {
				t.Errorf("told %v, rows of minutes %v, want one each", told, tables)
			}
		})
	}
}

// What a failed write told is not acknowledged, nor what is under way when a checkpoint is made.
func TestAcknowledgedIsWhatTheStoreHasSaid(t *testing.T) {
	r, log := newRig(t), changelog{}
	flush := func() (token uint64) {
		r.apply(100_000, 60_000, r.event("r", 100_000))
		r.a.untold = true
		token, _ = r.a.Flush(&rollup.Batch{}, false)
		return token
	}
	want := func(when string, a *Aggregator, offset int64) {
		t.Helper()
		if got := a.Acknowledged(); got != offset {
			t.Errorf("%s: acknowledged up to %d, want %d", when, got, offset)
		}
	}
	r.a.Ack(flush())
	want("after an answer", r.a, 1)
	token := flush()
	want("under way", r.a, 1)
	log.save(r.a)
	want("saved meanwhile", log.mustRestore(t), 1)
	r.a.Nack(token)
	want("lost", r.a, 1)
	r.a.Ack(flush())
	want("after the next answer", r.a, 3)
}
