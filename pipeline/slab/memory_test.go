package slab

import (
	"runtime"
	"testing"
	"time"
)

type plain struct {
	a [3]int64
	b struct{ C uint8 }
}

func TestHasPointers(t *testing.T) {
	if hasPointers[plain]() || hasPointers[[2]plain]() {
		t.Error("plain values have pointers")
	}
	if !hasPointers[string]() || !hasPointers[struct{ a []byte }]() || !hasPointers[[1]*int]() || !hasPointers[any]() {
		t.Error("values with pointers have none")
	}
}

// A slab of plain values lives outside the Go heap, and its memory goes back with it.
func TestMemoryGoesBack(t *testing.T) {
	before := Mapped()
	fill := func() {
		var s Slab[plain]
		var heap Slab[string]
		for i := range 3 * chunkSize {
			*s.At(s.Alloc()) = plain{a: [3]int64{int64(i)}, b: struct{ C uint8 }{1}}
			*heap.At(heap.Alloc()) = "x"
		}
		runtime.GC()
		for i := range uint32(3 * chunkSize) {
			if got := s.At(i + 1).a[0]; got != int64(i) || s.At(i+1).b.C != 1 {
				t.Fatalf("value %d is %d", i, got)
			}
		}
		if Mapped() <= before {
			t.Error("nothing is mapped")
		}
		runtime.KeepAlive(&s)
	}
	fill()
	for end := time.Now().Add(10 * time.Second); Mapped() != before; runtime.Gosched() {
		if runtime.GC(); time.Now().After(end) {
			t.Fatalf("%d bytes stay mapped", Mapped()-before)
		}
	}
}
