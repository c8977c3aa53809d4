package enrich

import (
	"fmt"
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
)

// counted adds up what an enricher has emitted of one key: expected, received, late by minute.
func counted(e *Enricher, sum map[uint32][3]int64) {
	e.out.Changes = e.out.Changes[:0]
	e.emitCompleteness()
	for _, c := range e.out.Changes {
		m := sum[uint32(c.TS/minuteMS)]
		m[c.Slot] += c.Delta
		if sum[uint32(c.TS/minuteMS)] = m; m == [3]int64{} {
			delete(sum, uint32(c.TS/minuteMS))
		}
	}
}

func TestCompleteness(t *testing.T) {
	const instance, order, cost = 8 + seqOfInstance, 8 + seqOfOrder, 8 + seqOfCost
	type in struct{ x, minute uint32 }
	for _, c := range []struct {
		what string
		id   uint32
		in   []in
		want map[uint32][3]int64 // expected, received, late
	}{
		{"in order", instance, []in{{1, 1}, {2, 1}, {3, 2}}, map[uint32][3]int64{1: {2, 2, 0}, 2: {1, 1, 0}}},
		{"a gap", instance, []in{{1, 1}, {5, 2}}, map[uint32][3]int64{1: {1, 1, 0}, 2: {4, 1, 0}}},
		{"filled later", instance, []in{{1, 1}, {5, 2}, {3, 7}, {4, 8}}, map[uint32][3]int64{1: {1, 1, 0}, 2: {1, 1, 0}, 7: {2, 1, 1}, 8: {1, 1, 1}}},
		{"the same again", instance, []in{{1, 1}, {3, 1}, {3, 2}, {2, 2}, {2, 3}, {1, 3}}, map[uint32][3]int64{1: {2, 2, 0}, 2: {1, 1, 1}}},
		{"the beginning is lost", instance, []in{{4, 1}}, map[uint32][3]int64{1: {4, 1, 0}}},
		{"it began before", instance, []in{{900, 1}, {902, 2}}, map[uint32][3]int64{1: {1, 1, 0}, 2: {2, 1, 0}}},
		{"it began before, and comes late", instance, []in{{900, 1}, {890, 2}, {3, 3}}, map[uint32][3]int64{1: {10, 1, 0}, 2: {887, 1, 1}, 3: {3, 1, 1}}},
		{"a jump is no loss", instance, []in{{1, 1}, {20_001, 2}}, map[uint32][3]int64{1: {1, 1, 0}, 2: {1, 1, 0}}},
		{"but what is in between shows one", instance, []in{{1, 1}, {20_001, 2}, {10_001, 3}}, map[uint32][3]int64{1: {1, 1, 0}, 2: {10_000, 1, 0}, 3: {10_000, 1, 1}}},
		{"versions of an order", order, []in{{2, 1}, {1, 1}, {4, 1}}, map[uint32][3]int64{1: {4, 3, 1}}},
		{"costs are numbered from anywhere", cost, []in{{7, 1}, {9, 2}, {5, 3}}, map[uint32][3]int64{1: {2, 1, 0}, 2: {2, 1, 0}, 3: {1, 1, 1}}},
	} {
		e := New(0, cellkey.NewTable())
		v := e.viewers.At(e.find(1, 2))
		sum := map[uint32][3]int64{}
		for _, in := range c.in {
			e.received(v, c.id, in.x, in.minute, in.minute, 1, int64(in.minute)*minuteMS, false)
			counted(e, sum)
		}
		if fmt.Sprint(sum) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", c.what, sum, c.want)
		}
	}
}

// TestCompletenessIsBounded: of an instance with very many gaps the lowest are forgotten, and one that is silent for the horizon begins anew. What
// was forgotten leaves nothing behind.
func TestCompletenessIsBounded(t *testing.T) {
	e := New(0, cellkey.NewTable())
	slot := e.find(1, 2)
	v := e.viewers.At(slot)
	sum := map[uint32][3]int64{}
	take := func(x, minute uint32) {
		e.received(v, 8, x, minute, minute, 1, int64(minute)*minuteMS, false)
		counted(e, sum)
	}
	for x := uint32(2); x <= 2*maxGaps+20; x += 2 {
		take(x, 100)
	}
	if got := e.gaps.Len(); got != maxGaps {
		t.Errorf("%d gaps are remembered, want %d", got, maxGaps)
	}
	take(1, 101) // forgotten
	take(2*maxGaps+19, 102)
	if want := (map[uint32][3]int64{100: {2*maxGaps + 19, maxGaps + 10, 0}, 102: {1, 1, 1}}); fmt.Sprint(sum) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", sum, want)
	}
	e.exactFrom = 103 * minuteMS
	clear(sum)
	take(3, 500)
	if want := (map[uint32][3]int64{500: {3, 1, 0}}); fmt.Sprint(sum) != fmt.Sprint(want) {
		t.Errorf("after the horizon %v, want %v", sum, want)
	}
	e.exactFrom = 501 * minuteMS
	e.sweepViewer(slot, v)
	if e.viewers.Len()+e.sequences.Len()+e.gaps.Len()+len(e.gapsOf) != 0 {
		t.Errorf("%d viewers, %d sequences, %d gaps, %d lists are left", e.viewers.Len(), e.sequences.Len(), e.gaps.Len(), len(e.gapsOf))
	}
}

// TestSequencesOfAViewerAreBounded: of very many instances the one that was silent for longest is forgotten.
func TestSequencesOfAViewerAreBounded(t *testing.T) {
	e := New(0, cellkey.NewTable())
	v := e.viewers.At(e.find(1, 2))
	sum := map[uint32][3]int64{}
	take := func(instance, x, minute uint32) {
		e.received(v, instance<<2, x, minute, minute, 1, 0, false)
		counted(e, sum)
	}
	for i := range uint32(maxSequences) {
		take(i+1, 1, 1)
	}
	take(1, 2, 2)   // the first is the newest again
	take(100, 1, 3) // makes the second go
	take(1, 3, 4)
	take(2, 3, 5) // begins anew
	if want := (map[uint32][3]int64{1: {maxSequences, maxSequences, 0}, 2: {1, 1, 0}, 3: {1, 1, 0}, 4: {1, 1, 0}, 5: {3, 1, 0}}); fmt.Sprint(sum) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", sum, want)
	}
	if got := e.sequences.Len(); got != maxSequences {
		t.Errorf("%d are remembered, want %d", got, maxSequences)
	}
}
