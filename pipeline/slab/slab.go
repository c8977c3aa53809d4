// Package slab keeps many small structs in chunks addressed by 32-bit index: no pointers for the garbage collector to follow, and
// neighbours stay neighbours, so that a run of slots is a checkpoint bucket.
package slab

const (
	chunkBits = 12 // the table of chunks stays in the first-level cache
	chunkSize = 1 << chunkBits
	chunkMask = chunkSize - 1
)

// Slab holds values of T. Index 0 is never handed out, so 0 can mean none. The zero Slab is ready.
type Slab[T any] struct {
	chunks []*[chunkSize]T
	mem    *memory
	free   []uint32
	next   uint32
	live   int
}

// At returns the value at index i, which must be live. The pointer stays valid until the value is freed, as long as the slab is reachable.
func (s *Slab[T]) At(i uint32) *T { return &s.chunks[i>>chunkBits][i&chunkMask] }

// Init makes index 0 readable: a zero value, for loops that would rather load it than ask.
func (s *Slab[T]) Init() {
	if len(s.chunks) == 0 {
		s.grow()
	}
}

// Alloc returns the index of a zero value.
func (s *Slab[T]) Alloc() uint32 {
	s.live++
	if n := len(s.free); n > 0 {
		i := s.free[n-1]
		s.free = s.free[:n-1]
		return i
	}
	if s.next == 0 {
		s.next = 1
	}
	i := s.next
	s.next++
	if int(i>>chunkBits) == len(s.chunks) {
		s.grow()
	}
	return i
}

// grow adds a chunk. After the first one a slab is taken to go on growing: many never do.
func (s *Slab[T]) grow() {
	s.chunks = append(s.chunks, newChunk[T](&s.mem, len(s.chunks) > 0))
}

// Free gives index i back and clears its value.
func (s *Slab[T]) Free(i uint32) {
	var zero T
	*s.At(i) = zero
	s.free = append(s.free, i)
	s.live--
}

// Len is the number of live values.
func (s *Slab[T]) Len() int { return s.live }

// Cap is one above the highest index ever handed out.
func (s *Slab[T]) Cap() uint32 { return max(s.next, 1) }

// Place makes index i live, for restoring a slab in its former order. After the last Place call Rebuild.
func (s *Slab[T]) Place(i uint32) *T {
	for int(i>>chunkBits) >= len(s.chunks) {
		s.grow()
	}
	s.next = max(s.next, i+1)
	s.live++
	return s.At(i)
}

// Rebuild makes the free list from what is not live.
func (s *Slab[T]) Rebuild(live func(i uint32) bool) {
	s.free = s.free[:0]
	for i := s.next; i > 1; i-- {
		if !live(i - 1) {
			s.free = append(s.free, i-1)
		}
	}
}
