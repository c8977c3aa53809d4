package aggregate

import "github.com/livemeter/livemeter/pipeline/slab"

// cellIndex finds the newest generation of a window by its id: open addressing with linear probing, at most 3/4 full. A slot holds 32 bits of
// the hash beside the cell's number, so that a probe reads the cell only where they agree, and nothing else while slots move.
type cellIndex struct {
	cells *slab.Slab[cell]
	slots []indexSlot
	used  int
}

type indexSlot struct {
	hash uint32
	cell uint32 // 0 is free
}

const minIndex = 1024

func (id cellID) hash() uint32 {
	h := (uint64(id.key)<<3 | uint64(id.grain)) * 0x9e3779b97f4a7c15
	h ^= uint64(id.window) * 0xd6e8feb86659fd93
	h ^= h >> 32
	return uint32(h * 0x9e3779b97f4a7c15 >> 32)
}

// find returns the slot of id, or the free one where it belongs.
func (x *cellIndex) find(id cellID, hash uint32) *indexSlot {
	mask := uint32(len(x.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		s := &x.slots[at]
		if s.cell == 0 || s.hash == hash && x.cells.At(s.cell).id() == id {
			return s
		}
	}
}

// get returns the cell of id, 0 without one.
func (x *cellIndex) get(id cellID) uint32 {
	if len(x.slots) == 0 {
		return 0
	}
	return x.find(id, id.hash()).cell
}

// put makes i the cell of its id and returns the one before it, 0 without one.
func (x *cellIndex) put(id cellID, i uint32) (before uint32) {
	if x.used*4 >= len(x.slots)*3 {
		x.grow()
	}
	hash := id.hash()
	s := x.find(id, hash)
	if before = s.cell; before == 0 {
		x.used++
	}
	*s = indexSlot{hash, i}
	return before
}

// remove forgets id if i is its cell. The probe chain behind it is closed by moving slots back.
func (x *cellIndex) remove(id cellID, i uint32) {
	mask := uint32(len(x.slots) - 1)
	at := id.hash() & mask
	for x.slots[at].cell != i {
		if x.slots[at].cell == 0 {
			return // a newer generation has taken its place
		}
		at = (at + 1) & mask
	}
	for j := at; ; {
		j = (j + 1) & mask
		s := x.slots[j]
		if s.cell == 0 {
			break
		}
		if (j-s.hash)&mask >= (j-at)&mask { // its home lies at or before the gap
			x.slots[at], at = s, j
		}
	}
	x.slots[at] = indexSlot{}
	x.used--
}

func (x *cellIndex) grow() {
	old := x.slots
	x.slots = make([]indexSlot, max(minIndex, 2*len(old)))
	mask := uint32(len(x.slots) - 1)
	for _, s := range old {
		if s.cell == 0 {
			continue
		}
		at := s.hash & mask
		for x.slots[at].cell != 0 {
			at = (at + 1) & mask
		}
		x.slots[at] = s
	}
}
