package enrich

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Whatever the steps of the watermark, every timer is due once, at the first step that reaches it.
func TestTimers(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var tm timers
		now, view, waiting := int64(0), uint32(0), map[uint32]int64{}
		for range 100 {
			for range rnd.IntN(20) {
				view++
				waiting[view] = now + rnd.Int64N(1<<rnd.IntN(40)) // perhaps due already, as after a restore
				tm.add(waiting[view], view)
			}
			now += 1 + rnd.Int64N(1<<rnd.IntN(38))
			var got, want []uint32
			for v, at := range waiting {
				if at <= now {
					want = append(want, v)
					delete(waiting, v)
				}
			}
			for _, x := range tm.advance(now) {
				got = append(got, x.view)
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("at %d: fired %v, want %v", now, got, want)
			}
		}
	}
}
