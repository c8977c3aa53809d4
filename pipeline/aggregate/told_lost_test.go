package aggregate

import (
	"fmt"
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

func (r *rig) sale(room string, ts int64) change.Change {
	key := r.a.keys.Of(cellkey.Key{Cube: measure.SKU, Platform: "p", Room: room, Session: "s", Sub: [2]string{"1"}})
	return change.Change{TS: ts, Recv: ts, Delta: 1, Key: key, Mask: change.AllGrains, Flags: change.Own}
}

// The flush that tells an hour does not arrive, and its rows neither: whether it is refused or the process ends behind a checkpoint, the hour is told
// again when they have left, and not before.
func TestToldWithWhatDidNotArrive(t *testing.T) {
	for name, lose := range map[string]func(r *rig, token uint64){
		"refused": func(r *rig, token uint64) { r.a.Nack(token) },
		"restarted": func(r *rig, _ uint64) {
			log := changelog{}
			log.save(r.a)
			r.a = log.mustRestore(r.t)
		},
	} {
		for lag := 0; lag < 30; lag += lagStep() { // of the turns of slow rows
			t.Run(fmt.Sprint(name, lag), func(t *testing.T) { loseWhatTells(t, lag, lose) })
		}
	}
}

// lagStep leaves most turns out where the race detector looks, which has nothing to find between them.
func lagStep() int {
	if testing.Short() {
		return 7
	}
	return 1
}

func loseWhatTells(t *testing.T, lag int, lose func(r *rig, token uint64)) {
	r, lost := newRig(t), false
	flush := func() {
		var b rollup.Batch
		token, _ := r.a.Flush(&b, false)
		for _, w := range b.Watermarks {
			if w.HoursTold >= hourMS && !lost {
				lost = true
				lose(r, token)
				return
			}
		}
		r.s.write(&b)
		r.a.Ack(token)
	}
	for range 50 + lag {
		flush()
	}
	wm, late := int64(hourMS+60_000), int64(0)
	r.apply(wm, 60_000)
	for n := range int64(80) {
		var sales []change.Change
		if !lost {
			sales = append(sales, r.sale("r", 2000))
			late++
		}
		for i := range 2500 { // where much is going on, rows of SKUs leave in turns
			sales = append(sales, r.sale(fmt.Sprint("x", i), wm))
		}
		r.apply(wm+n*200, 60_000, sales...)
		flush()
		if r.s.told >= hourMS && r.s.sum() != late {
			t.Fatalf("flush %d: the hour is told with %d events of %d", n, r.s.sum(), late)
		}
	}
	if !lost || r.s.told < hourMS {
		t.Fatal("never told")
	}
}
