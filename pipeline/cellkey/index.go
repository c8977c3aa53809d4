package cellkey

import (
	"hash/maphash"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/slab"
)

// The indexes find numbers by open addressing with linear probing, at most 3/4 full, where Go's map costs two dependent cache misses. Look-ups of
// which the answer is needed a little later can be begun for many at a time, so that their misses overlap. Nothing is taken out: a sweep makes
// them anew.

const minIndex = 64

// full says whether one more needs a larger index.
func full(used, size int) bool { return used*4 >= size*3 }

// strIndex finds strings. A slot with the number 0 is free: "" is no business of the index.
type strIndex struct {
	seed  maphash.Seed
	slots []strSlot
	used  int
}

type strSlot struct{ hash, n uint32 }

func (x *strIndex) hash(s string) uint32 { return uint32(maphash.String(x.seed, s) >> 32) }

// find returns the slot where s stands, or the free one where it would.
func (x *strIndex) find(texts []string, s string, hash uint32) *strSlot {
	mask := uint32(len(x.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		if l := &x.slots[i]; l.n == 0 || l.hash == hash && texts[l.n] == s {
			return l
		}
	}
}

// reset makes room for as many strings as there are texts, and enters them.
func (x *strIndex) reset(texts []string) {
	size := max(minIndex, len(x.slots))
	for full(len(texts), size) {
		size *= 2
	}
	x.slots, x.used = make([]strSlot, size), 0
	for n, s := range texts {
		if s != "" {
			h := x.hash(s)
			*x.find(texts, s, h) = strSlot{h, uint32(n)}
			x.used++
		}
	}
}

// refIndex finds keys by what they are made of, which stands in the slot: one miss a look-up.
type refIndex struct {
	slots []refSlot
	used  int
}

type refSlot struct {
	ref ref
	id  ID // 0: free
}

// home is the slot where the search for r begins.
func (x *refIndex) home(r ref) uint32 {
	h := (uint64(r.room)<<32 | uint64(r.a)) * 0x9e3779b97f4a7c15
	h = (h ^ h>>32 ^ uint64(r.b)<<8 ^ uint64(r.cube)) * 0x9e3779b97f4a7c15
	return uint32(h>>32) & uint32(len(x.slots)-1)
}

func (x *refIndex) find(r ref) *refSlot {
	mask := uint32(len(x.slots) - 1)
	for i := x.home(r); ; i = (i + 1) & mask {
		if l := &x.slots[i]; l.id == 0 || l.ref == r {
			return l
		}
	}
}

// reset makes room for as many keys as there have been, and enters them.
func (x *refIndex) reset(keys *slab.Slab[ref]) {
	size := max(minIndex, len(x.slots))
	for full(int(keys.Cap()), size) {
		size *= 2
	}
	x.slots, x.used = make([]refSlot, size), 0
	for id := uint32(1); id < keys.Cap(); id++ {
		if r := *keys.At(id); r.cube != noCube {
			*x.find(r) = refSlot{r, ID(id)}
			x.used++
		}
	}
}

// Warm loads what Cell is going to look at: a hint, for callers that do so for many keys before they ask for the first.
func (t *Table) Warm(cube measure.Cube, room, a, b uint32) uint32 {
	return uint32(t.refs.slots[t.refs.home(ref{cube, room, a, b})].id)
}

// WarmKey loads what Key is going to look at.
func (t *Table) WarmKey(id ID) uint32 {
	r := t.keys.At(uint32(id))
	return uint32(len(t.str[r.room]) + len(t.str[r.a]))
}

// Strings appends the numbers of strs, which may alias a buffer. It goes step by step for all of them: each step of a look-up waits for memory.
func (t *Table) Strings(ids []uint32, strs []string) []uint32 {
	from, mask, warm := len(ids), uint32(len(t.strs.slots)-1), uint32(0)
	for _, s := range strs {
		h := t.strs.hash(s)
		ids = append(ids, h)
		warm += t.strs.slots[h&mask].n
	}
	for _, h := range ids[from:] {
		if s := t.str[t.strs.slots[h&mask].n]; s != "" {
			warm += uint32(s[0])
		}
	}
	t.warm = warm
	for i, s := range strs {
		ids[from+i] = t.intern(s, ids[from+i])
	}
	return ids
}
