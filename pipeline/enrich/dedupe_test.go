package enrich

import (
	"math/rand/v2"
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

func dedupeAt(wm int64) *Enricher {
	e := New(0, cellkey.NewTable())
	e.settings = &eventlog.Settings{HorizonMS: 6 * hourMS, DedupeMS: 10 * minuteMS, Zone: "UTC"}
	e.moveTo(wm)
	return e
}

func (e *Enricher) moveTo(wm int64) {
	e.wm = wm
	e.derive()
}

// A source may be ahead of the watermark, which the slowest one holds back, by any time.
func TestDedupeFarAheadOfTheWatermark(t *testing.T) {
	const start = 20_000 * dayMS
	for _, lead := range []int64{0, 22 * dayMS, 23 * dayMS, 46 * dayMS, 400 * dayMS} {
		e := dedupeAt(start)
		slot := e.find(1, 2)
		v := e.viewers.At(slot)
		recv := start + lead
		for _, step := range []struct {
			wm   int64
			want bool
		}{{start, false}, {start, true}, {max(start, recv-dayMS), true}, {recv + 10*minuteMS, true}, {recv + 12*minuteMS, false}} {
			e.moveTo(step.wm)
			if got := e.duplicate(slot, v, 77, recv); got != step.want {
				t.Errorf("%d days ahead, watermark at %+d min: duplicate is %v", lead/dayMS, (step.wm-recv)/minuteMS, got)
			}
		}
	}
}

// The list and the set answer like a map of exact times, for records of sources that are hours apart, and keep no more than they need.
func TestDedupeEqualsMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	e := dedupeAt(20_000 * dayMS)
	slot := e.find(1, 2)
	v := e.viewers.At(slot)
	seen := map[uint64]int64{} // by id: receive time, minutes
	for range 100_000 {
		if rng.IntN(20) == 0 {
			e.moveTo(e.wm + rng.Int64N(5*minuteMS))
		}
		id, recv := uint64(1+rng.IntN(200)), e.wm+rng.Int64N(2)*rng.Int64N(12*60)*minuteMS
		at, known := seen[id]
		want := known && e.wm/minuteMS-at <= 11
		if got := e.duplicate(slot, v, id, recv); got != want {
			t.Fatalf("id %d at %+d min: duplicate is %v, want %v", id, (recv-e.wm)/minuteMS, got, want)
		}
		if !want {
			seen[id] = recv / minuteMS
		}
	}
	live := 0
	e.eachID(slot, v, e.oldestMinute, func(uint64, uint32) { live++ })
	if e.ids < live || e.ids > 200+nodeIDs*bigNodes {
		t.Errorf("%d ids are counted, %d live", e.ids, live)
	}
	if e.dedupes.Len() > bigNodes {
		t.Errorf("%d nodes for at most 200 ids", e.dedupes.Len())
	}
}

// What is counted is what is kept: also of a bot, in a list and then in a set, whose ids are forgotten and come again.
func TestIDsAreCountedAsTheyAreKept(t *testing.T) {
	e := dedupeAt(20_000 * dayMS)
	slot := e.find(1, 2)
	v := e.viewers.At(slot)
	kept := func() int {
		n := len(e.big[slot])
		for i := v.dedupe; i != 0; i = e.dedupes.At(i).next {
			n += e.dedupes.At(i).len()
		}
		return n
	}
	for round, ids := range []uint64{200, 280, 300, 500, 500, 1500, 1500} {
		for id := range ids {
			recv := e.wm
			if round == 1 && id%nodeIDs == 0 { // they keep their nodes from those of the next round, in which the list becomes a set
				recv += 190 * minuteMS
			}
			if e.duplicate(slot, v, id+uint64(round%3)*1000+1, recv) {
				t.Fatal("duplicate")
			}
			if e.ids != kept() {
				t.Fatalf("round %d, id %d: %d ids are counted, %d are kept", round, id, e.ids, kept())
			}
		}
		e.moveTo(e.wm + []int64{20, 198}[round%2]*minuteMS)
	}
	if e.big[slot] == nil {
		t.Error("there is no set")
	}
	if e.sweepIDs(slot, v); e.ids != 0 || kept() != 0 {
		t.Errorf("%d ids are counted, %d are kept after all were forgotten", e.ids, kept())
	}
}

// What was replayed is known until the watermark is eight days past where it stood, or past the receive time where that was ahead: as long as a reject is kept,
// however old the record was. It is saved with the viewer.
func TestReplaysAreRememberedForEightDays(t *testing.T) {
	const start = 20_000 * dayMS
	for _, recv := range []int64{start - 30*dayMS, start, start + dayMS} {
		e := dedupeAt(start)
		slot := e.find(1, 2)
		o := eventlog.Original{Source: eventlog.SourceID{TopicID: [16]byte{9}, Partition: 3}, Offset: 77}
		other := o
		other.Offset++
		for _, step := range []struct {
			wm   int64
			want bool
		}{{start, false}, {start, true}, {max(start, recv) + 8*dayMS, true}, {max(start, recv) + 8*dayMS + 13*minuteMS, false}} {
			e.moveTo(step.wm)
			if step.want {
				e = saved(t, e)
				slot = e.find(1, 2)
			}
			if got := e.replayed(slot, e.viewers.At(slot), &o, recv); got != step.want {
				t.Errorf("received %d days before, watermark at %+d min: replayed is %v", (start-recv)/dayMS, (step.wm-start)/minuteMS, got)
			}
		}
		if e.replayed(slot, e.viewers.At(slot), &other, recv) {
			t.Error("another offset is taken for the same")
		}
	}
}

// saved is the enricher after a checkpoint, a sweep and a restore.
func saved(t *testing.T, e *Enricher) *Enricher {
	t.Helper()
	after := New(0, e.keys)
	e.Snapshot()
	take := func(key, value []byte) {
		if value == nil {
			return
		}
		if err := after.Restore(key, value); err != nil {
			t.Fatal(err)
		}
	}
	for e.Save(take) {
	}
	after.Restored(0)
	return after
}
