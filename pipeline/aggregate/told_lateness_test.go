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
	for lag := 0; lag < 30; lag += lagStep() {
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

// The lateness is raised before an hour's end; the hour then comes due by the former one, waits for a straggler's minute, and its row leaves. What comes
// between that and the raised lateness must leave with its row, too, and not with the minute's alone.
func TestRaisedLatenessBeforeAnHourIsDue(t *testing.T) {
	r := newRig(t)
	r.apply(1000, 60_000, r.event("r", 1000))
	r.flush(10)
	r.apply(hourMS-10_000, 60_000)
	r.apply(hourMS-10_000, 60_000, r.event("r", 61_000)) // a straggler's minute: open until +350 s
	r.flush(10)
	r.apply(hourMS, 180_000)        // raised
	r.apply(hourMS+61_000, 180_000) // due by the former lateness
	r.flush(10)
	r.apply(hourMS+120_000, 180_000, r.event("r", 62_000))
	r.flush(10)
	r.apply(hourMS+181_000, 180_000)
	for range 60 {
		r.flush(1)
		if r.s.told >= hourMS && r.s.sum() != 3 {
			t.Fatalf("the hour is told with %d events of 3", r.s.sum())
		}
	}
	if r.s.told < hourMS {
		t.Fatal("not told")
	}
}

// The lateness is raised after an hour was told: what comes then leaves with the hour, too.
func TestRaisedLatenessAfterAnHourIsTold(t *testing.T) {
	r := newRig(t)
	r.apply(1000, 60_000, r.event("r", 1000))
	r.flush(10)
	r.apply(hourMS+70_000, 60_000)
	r.flush(60)
	if r.s.told != hourMS {
		t.Fatal(r.s.told)
	}
	r.apply(hourMS+71_000, 600_000)
	r.apply(hourMS+72_000, 600_000, r.event("r", 2000))
	r.apply(hourMS+73_000, 600_000)
	r.flush(60)
	if r.s.sum() != 2 {
		t.Errorf("the hour is told with %d events of 2", r.s.sum())
	}
}

// An hour whose end a raised lateness puts off is put off in the checkpoint, too.
func TestHourIsSavedWithItsRaisedLateness(t *testing.T) {
	r, log := newRig(t), changelog{}
	r.apply(1000, 60_000, r.event("r", 1000))
	log.save(r.a)
	r.apply(2000, 600_000)
	log.save(r.a)
	a, hours := log.mustRestore(t), 0
	for i := uint32(1); i < a.cells.Cap(); i++ {
		if c := a.cells.At(i); c.key != 0 && c.grain == measure.Grain1h {
			if hours++; c.due != dueAt(hourMS+600_000) {
				t.Errorf("the hour is due at %d s, want %d", c.due, dueAt(hourMS+600_000))
			}
		}
	}
	if hours != 1 {
		t.Errorf("%d hours are restored, want 1", hours)
	}
}
