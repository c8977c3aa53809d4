package fused

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// maxChunk bounds a changelog record, far below the brokers' default limit of a megabyte. A bucket of viewers holds what its viewers did: one bot with
// 100,000 event ids in ten minutes makes it larger than any broker takes, and a store that is away makes the list of pending orders so.
const maxChunk = 512 << 10

// keyChunk begins the key of a chunk; the chunk's number, 4 bytes big endian, and the key of the whole follow. No stage's keys begin so.
const keyChunk = 'p'

func chunkKey(key []byte, n int) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{keyChunk}, uint32(n)), key...)
}

// chunks cuts large values of the changelog and puts them together again.
type chunks struct {
	counts map[string]int    // by key, of those in chunks: none must be left behind when a value gets smaller
	found  map[string][]byte // while restoring, by the chunk's key
}

func newChunks() chunks {
	return chunks{counts: map[string]int{}, found: map[string][]byte{}}
}

// cut returns an emit that hands values to emit whole or in chunks. All of them are committed in one transaction.
func (p *chunks) cut(emit func(key, value []byte)) func(key, value []byte) {
	return func(key, value []byte) {
		before, n := p.counts[string(key)], 0
		if len(value) <= maxChunk {
			emit(key, value)
			delete(p.counts, string(key))
		} else {
			emit(key, nil)
			for chunk := range slices.Chunk(value, maxChunk) {
				emit(chunkKey(key, n), chunk)
				n++
			}
			p.counts[string(key)] = n
		}
		for ; n < before; n++ {
			emit(chunkKey(key, n), nil)
		}
	}
}

func (p *chunks) keep(key, value []byte) { p.found[string(key)] = slices.Clone(value) }

// join returns the values that were kept in chunks, by their keys.
func (p *chunks) join() (map[string][]byte, error) {
	whole := map[string][]byte{}
	for _, k := range slices.Sorted(maps.Keys(p.found)) { // by number
		if len(k) < 6 {
			return nil, fmt.Errorf("record %q: a chunk without the key of the whole", k)
		}
		key, n := k[5:], int(binary.BigEndian.Uint32([]byte(k[1:5])))
		if n != p.counts[key] {
			return nil, fmt.Errorf("record %q: chunk %d of the value is missing", key, p.counts[key])
		}
		whole[key] = append(whole[key], p.found[k]...)
		p.counts[key]++
	}
	p.found = nil
	return whole, nil
}
