package enrich

import (
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
)

// Viewers that share slot and tag are told apart, and stay known while others of their chain leave.
func TestViewersThatLookAlike(t *testing.T) {
	e := New(0, cellkey.NewTable())
	const n = 3000 // the table grows twice
	name := func(i uint64) (hi, lo uint64) { return i%3<<32 | i + 1, i % 7 }
	slots := map[uint64]uint32{}
	for i := range uint64(n) {
		slots[i] = e.find(name(i))
	}
	for i := range uint64(n) {
		if i%5 == 0 {
			e.removeViewer(slots[i])
			delete(slots, i)
		}
	}
	for i, want := range slots {
		if got := e.find(name(i)); got != want {
			t.Fatalf("viewer %d is in slot %d, was in %d", i, got, want)
		}
		v := e.viewers.At(e.table.guess(name(i)))
		if hi, lo := name(i); tagOf(v.hi) != tagOf(hi) {
			t.Fatalf("viewer %x %x: the guess is %x %x", hi, lo, v.hi, v.lo)
		}
	}
	if e.viewers.Len() != len(slots) || e.table.used != len(slots) {
		t.Fatalf("%d viewers, %d in the table, want %d", e.viewers.Len(), e.table.used, len(slots))
	}
}
