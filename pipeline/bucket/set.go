// Package bucket saves the slots of a slab in buckets of neighbours: which have changed, and, piece by piece, what they were when a snapshot began.
package bucket

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/livemeter/livemeter/pipeline/wire"
)

// Slots is how many neighbouring slots make a bucket.
const Slots = 64

// SlotOf is the slot that a bucket's record calls n, from 1: false where there can be none. Slot 0 stands for none.
func SlotOf(bucket uint32, n byte) (uint32, bool) {
	slot := uint64(bucket)*Slots + uint64(n) - 1
	return uint32(slot), n >= 1 && n <= Slots && slot > 0 && slot < 1<<32
}

// Store is the slab whose slots are saved.
type Store interface {
	// Cap is one above the highest slot.
	Cap() uint32
	// Pack writes what the slot holds, nothing where it is free. It writes no String: whether one is defined or referred to depends on what the record has
	// before it, and that is not known of what is packed apart.
	Pack(w *wire.Writer, slot uint32)
	// Warm loads what Pack is going to read of some slots.
	Warm(from, to uint32)
}

// Set is the buckets that have changed since the last snapshot began, and those that it has yet to save. Those are saved as they were when it began: a
// slot of theirs that is marked before that is packed first. So the state goes on while it is saved, and no pause is longer than the packing of a bucket.
// The zero Set is empty.
type Set struct {
	store   Store
	changed []uint64
	pending []uint64 // empty but for a snapshot on its way
	at      int      // where in pending it goes on
	held    wire.Writer
	kept    map[uint32]piece // slots of pending buckets as they were
}

// piece is where in held a slot stands.
type piece struct{ from, to int }

// Mark adds the bucket of a slot. It comes before the slot changes, or anything that is packed with it.
func (s *Set) Mark(slot uint32) {
	b := slot / Slots
	i, bit := int(b/64), uint64(1)<<(b%64)
	if i < len(s.pending) && s.pending[i]&bit != 0 {
		s.keep(slot)
	}
	for i >= len(s.changed) {
		s.changed = append(s.changed, make([]uint64, len(s.changed)+16)...)
	}
	s.changed[i] |= bit
}

func (s *Set) keep(slot uint32) {
	if _, ok := s.kept[slot]; !ok {
		from := len(s.held.Buf)
		s.store.Pack(&s.held, slot)
		s.kept[slot] = piece{from, len(s.held.Buf)}
	}
}

// Begin begins a snapshot of the buckets that have changed: of now, whatever is marked until Save has emitted them all. The one before must be over.
func (s *Set) Begin(store Store) {
	if len(s.pending) > 0 {
		panic("bucket: a snapshot begins before the one before it is saved")
	}
	s.store = store
	s.pending, s.changed = s.changed, s.pending[:0]
	s.at, s.kept, s.held = 0, map[uint32]piece{}, wire.Writer{}
}

// Save emits the changelog record of the next bucket, its key as Key and its value beginning with a version; nil where all its slots are free. False
// when all are saved. w is scratch.
func (s *Set) Save(w *wire.Writer, prefix, version byte, emit func(key, value []byte)) bool {
	w.Reset()
	w.Byte(version)
	n, ok := s.next(w)
	switch {
	case !ok:
		return false
	case len(w.Buf) == 1:
		emit(Key(prefix, n), nil)
	default:
		emit(Key(prefix, n), bytes.Clone(w.Buf))
	}
	return true
}

// CheckVersion reads the version that a record of saved state begins with, and says what to do where it is not the one that is written.
func CheckVersion(r *wire.Reader, version byte) error {
	v := r.Byte()
	switch {
	case r.Err() != nil || v == version:
		return nil
	case v < version:
		return fmt.Errorf("the saved state is of an older livemeter (format %d, this one has %d): run the version that wrote it, or count again what the log still holds "+
			"(docs/operations.md says how; of up and demo another --dir does)", v, version)
	}
	return fmt.Errorf("the saved state is of a newer livemeter (format %d, this one has %d): run that, or a later one", v, version)
}

// Key is that of a bucket's record: the prefix, 'b' and the bucket's number, big endian.
func Key(prefix byte, n uint32) []byte { return binary.BigEndian.AppendUint32([]byte{prefix, 'b'}, n) }

// Number is the bucket of a key, false where it is none of a bucket with this prefix.
func Number(key []byte, prefix byte) (n uint32, ok bool) {
	if len(key) != 6 || key[0] != prefix || key[1] != 'b' {
		return 0, false
	}
	return binary.BigEndian.Uint32(key[2:]), true
}

// next writes the next bucket's slots to w; false when all are saved.
func (s *Set) next(w *wire.Writer) (bucket uint32, ok bool) {
	for ; s.at < len(s.pending); s.at++ {
		word := s.pending[s.at]
		if word == 0 {
			continue
		}
		bucket := uint32(s.at*64 + bits.TrailingZeros64(word))
		from, to := max(1, bucket*Slots), min((bucket+1)*Slots, s.store.Cap())
		s.store.Warm(from, to)
		for slot := from; slot < to; slot++ {
			if p, ok := s.kept[slot]; ok {
				w.Buf = append(w.Buf, s.held.Buf[p.from:p.to]...)
				delete(s.kept, slot)
			} else {
				s.store.Pack(w, slot)
			}
		}
		s.pending[s.at] &= word - 1
		return bucket, true
	}
	s.pending, s.kept, s.held = s.pending[:0], nil, wire.Writer{}
	return 0, false
}
