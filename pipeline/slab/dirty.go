package slab

import "math/bits"

// BucketSlots is how many neighbouring slots make a checkpoint bucket.
const BucketSlots = 64

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
