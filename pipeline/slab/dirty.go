package slab

import "math/bits"

// BucketSlots is how many neighbouring slots make a checkpoint bucket.
const BucketSlots = 64

// SlotOf is the slot that a bucket's record calls n, from 1: false where there can be none. Slot 0 stands for none.
func SlotOf(bucket uint32, n byte) (uint32, bool) {
	slot := uint64(bucket)*BucketSlots + uint64(n) - 1
	return uint32(slot), n >= 1 && n <= BucketSlots && slot > 0 && slot < 1<<32
}

// Dirty is a set of buckets. The zero Dirty is empty.
type Dirty struct{ words []uint64 }

// Mark adds the bucket of a slot.
func (d *Dirty) Mark(slot uint32) {
	b := slot / BucketSlots
	for int(b/64) >= len(d.words) {
		d.words = append(d.words, make([]uint64, len(d.words)+16)...)
	}
	d.words[b/64] |= 1 << (b % 64)
}

// Drain visits the buckets in order and empties the set.
func (d *Dirty) Drain(visit func(bucket uint32)) {
	for i, w := range d.words {
		for ; w != 0; w &= w - 1 {
			visit(uint32(i*64 + bits.TrailingZeros64(w)))
		}
		d.words[i] = 0
	}
}
