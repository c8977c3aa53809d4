package slab

import "testing"

// What was placed stays where it was; the rest is free, lowest first.
func TestRebuild(t *testing.T) {
	var s Slab[int]
	s.Init()
	*s.Place(5) = 50
	*s.Place(2) = 20
	s.Rebuild(func(i uint32) bool { return *s.At(i) != 0 })
	for _, want := range []uint32{1, 3, 4, 6} {
		if got := s.Alloc(); got != want {
			t.Errorf("allocated %d, want %d", got, want)
		}
	}
	if *s.At(5) != 50 || *s.At(2) != 20 || s.Len() != 6 || s.Cap() != 7 {
		t.Errorf("5 is %d, 2 is %d, length %d, cap %d", *s.At(5), *s.At(2), s.Len(), s.Cap())
	}
	s.Free(5)
	if i := s.Alloc(); i != 5 || *s.At(i) != 0 {
		t.Errorf("allocated %d with %d, want 5, cleared", i, *s.At(i))
	}
}
