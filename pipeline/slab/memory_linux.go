package slab

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// memory is what a slab has from the system outside the Go heap, where its size would decide how much garbage there may be. It goes back when
// the slab is garbage. So whoever uses a pointer into a slab keeps the slab reachable meanwhile (runtime.KeepAlive): the pointer itself does not.
type memory struct{ maps *maps }

type maps struct{ chunks [][]byte }

func (m *maps) unmap() {
	for _, b := range m.chunks {
		mapped.Add(-int64(len(b)))
		if err := unix.Munmap(b); err != nil {
			panic(fmt.Sprintf("munmap of a slab's chunk: %v", err)) // it was mapped below, by this size
		}
	}
}

// newChunk returns zeroed memory; present says that the system shall give all of it now: a page that is read before it is written costs two faults and
// a call to the other cores, and warming up reads first. Values with pointers need the garbage collector.
func newChunk[T any](m **memory, present bool) *[chunkSize]T {
	var chunk *[chunkSize]T
	if hasPointers[T]() {
		return new([chunkSize]T)
	}
	if *m == nil {
		*m = &memory{&maps{}}
		runtime.AddCleanup(*m, (*maps).unmap, (*m).maps)
	}
	flags := unix.MAP_ANON | unix.MAP_PRIVATE
	if present {
		flags |= unix.MAP_POPULATE
	}
	b, err := unix.Mmap(-1, 0, int(unsafe.Sizeof(*chunk)), unix.PROT_READ|unix.PROT_WRITE, flags)
	if err != nil {
		panic(fmt.Sprintf("out of memory: the system gives no %d bytes for state: %v", unsafe.Sizeof(*chunk), err))
	}
	mapped.Add(int64(len(b)))
	(*m).maps.chunks = append((*m).maps.chunks, b)
	return (*[chunkSize]T)(unsafe.Pointer(unsafe.SliceData(b)))
}
