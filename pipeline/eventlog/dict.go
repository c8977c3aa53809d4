package eventlog

import (
	"hash/maphash"
	"math/bits"
)

// Dict numbers the strings and sources that a collector's writers refer to, so that a writer finds out with one array access whether
// its open block has defined one already. It is shared by all writers of one goroutine and is not safe for concurrent use.
//
// Its memory is bounded: when the strings exceed maxBytes it forgets all of them and the writers define anew, which costs bytes in the
// log and nothing else.
type Dict struct {
	seed     maphash.Seed
	slots    []slot // open addressing, at most half full
	strings  []string
	bytes    int
	maxBytes int
	forgot   uint32 // how often the strings were forgotten
	sources  []SourceID
	numbers  map[SourceID]int
}

// slot is free where id is 0; else it holds string number id-1.
type slot struct {
	hash uint64
	id   uint32
}

// defaultDictBytes holds some 500k room keys.
const defaultDictBytes = 64 << 20

const (
	dictEntryOverhead = 64 // slots, string header and the writers' stamps
	firstSlots        = 1 << 10
)

// NewDict returns an empty dictionary of at most maxBytes; 0 is defaultDictBytes.
func NewDict(maxBytes int) *Dict {
	if maxBytes <= 0 {
		maxBytes = defaultDictBytes
	}
	return &Dict{seed: maphash.MakeSeed(), slots: make([]slot, firstSlots), maxBytes: maxBytes, numbers: make(map[SourceID]int)}
}

// Source numbers a source partition; the same source always gets the same number.
func (d *Dict) Source(id SourceID) int {
	n, ok := d.numbers[id]
	if !ok {
		n = len(d.sources)
		d.sources = append(d.sources, id)
		d.numbers[id] = n
	}
	return n
}

// intern numbers the string in key, which the caller keeps.
func (d *Dict) intern(key []byte) uint32 {
	h := maphash.Bytes(d.seed, key)
	m := uint64(len(d.slots) - 1)
	i := h & m
	for ; d.slots[i].id != 0; i = (i + 1) & m {
		if s := &d.slots[i]; s.hash == h && d.strings[s.id-1] == string(key) {
			return s.id - 1
		}
	}
	return d.insert(key, h, i)
}

// internRoom numbers platform, room and session. It joins them only when they are new: hashing bytes that were written a moment
// ago costs more than all the rest.
func (d *Dict) internRoom(platform, room, session string, scratch *[]byte) uint32 {
	h := maphash.String(d.seed, room) + bits.RotateLeft64(maphash.String(d.seed, session), 17) + uint64(len(platform))
	m := uint64(len(d.slots) - 1)
	i := h & m
	for ; d.slots[i].id != 0; i = (i + 1) & m {
		if s := &d.slots[i]; s.hash == h && isRoom(d.strings[s.id-1], platform, room, session) {
			return s.id - 1
		}
	}
	k := append((*scratch)[:0], platform...)
	k = append(k, Sep[0])
	k = append(k, room...)
	k = append(k, Sep[0])
	*scratch = append(k, session...)
	return d.insert(*scratch, h, i)
}

func isRoom(key, platform, room, session string) bool {
	p, r := len(platform), len(platform)+1+len(room)
	return len(key) == r+1+len(session) && key[p] == Sep[0] && key[r] == Sep[0] && key[:p] == platform && key[p+1:r] == room && key[r+1:] == session
}

func (d *Dict) insert(key []byte, h, i uint64) uint32 {
	switch {
	case d.bytes >= d.maxBytes:
		d.forget()
		i = h & uint64(len(d.slots)-1)
	case 2*len(d.strings) >= len(d.slots):
		d.grow()
		i = d.free(h)
	}
	d.strings = append(d.strings, string(key))
	d.bytes += len(key) + dictEntryOverhead
	n := uint32(len(d.strings))
	d.slots[i] = slot{h, n}
	return n - 1
}

func (d *Dict) grow() {
	old := d.slots
	d.slots = make([]slot, 2*len(old))
	for _, s := range old {
		if s.id != 0 {
			d.slots[d.free(s.hash)] = s
		}
	}
}

func (d *Dict) free(h uint64) uint64 {
	m := uint64(len(d.slots) - 1)
	i := h & m
	for d.slots[i].id != 0 {
		i = (i + 1) & m
	}
	return i
}

func (d *Dict) forget() {
	clear(d.slots)
	clear(d.strings)
	d.strings, d.bytes = d.strings[:0], 0
	d.forgot++
}
