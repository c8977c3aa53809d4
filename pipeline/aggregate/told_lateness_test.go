package aggregate

import (
	"fmt"
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// A straggler opens an hour anew after it is final and before that is told, where much changes: its minute's row leaves before the hour's, and between them
// the hour is told. What the hour shows must not go down.
func TestReopenedBeforeTold(t *testing.T) {
	for lag := range 30 {
		r := newRig(t)
		sku := func(room string, ts int64) change.Change {
			return change.Change{TS: ts, Recv: ts, Delta: 1, Key: r.a.keys.Of(cellkey.Key{Cube: measure.SKU, Platform: "p", Room: room, Session: "s", Sub: [2]string{"1"}}), Mask: change.AllGrains, Flags: change.Own}
		}
		minutes := map[string]int64{}
		flush := func() {
			var b rollup.Batch
			token, _ := r.a.Flush(&b, false)
			r.s.write(&b)
			for _, c := range b.Cells {
				for i, g := range c.Grain {
					if measure.Grain(g) == measure.Grain1m && c.Room[i] == "r" && c.Window[i] < hourMS {
						minutes[fmt.Sprint(c.Window[i], c.Gen[i])] = c.Value(0, i)
					}
				}
			}
			r.a.Ack(token)
		}
		shown := func() (n int64) {
			if r.s.told >= hourMS {
				return r.s.sum()
			}
			for _, v := range minutes {
				n += v
			}
			return n
		}
		r.apply(1000, 60_000, sku("r", 1000))
		for range 50 + lag {
			flush()
		}
		wm := int64(hourMS + 60_000)
		r.apply(wm, 60_000)
		late := []change.Change{sku("r", 2000)}
		most := int64(0)
		for n := range 60 {
			for i := range 2500 {
				late = append(late, sku(fmt.Sprint("x", i), wm))
			}
			r.apply(wm+int64(n)*200, 60_000, late...)
			late = nil
			flush()
			if got := shown(); got < most {
				t.Errorf("lag %d, flush %d: the hour shows %d after %d (told %v)", lag, n, got, most, r.s.told >= hourMS)
				return
			} else {
				most = got
			}
		}
	}
}
