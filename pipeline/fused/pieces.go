package fused

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// maxPiece bounds a changelog record, far below the brokers' default limit of a megabyte. A bucket of viewers holds what its viewers did: one bot with
// 100,000 event ids in ten minutes makes it larger than any broker takes, and a store that is away makes the list of pending orders so.
const maxPiece = 512 << 10

// keyPiece begins the key of a piece; the piece's number, 4 bytes big endian, and the key of the whole follow. No stage's keys begin so.
const keyPiece = 'p'

func pieceKey(key []byte, n int) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{keyPiece}, uint32(n)), key...)
}

// pieces cuts large values of the changelog and puts them together again.
type pieces struct {
	counts map[string]int    // by key, of those in pieces: none must be left behind when a value gets smaller
	found  map[string][]byte // while restoring, by the piece's key
}

func newPieces() pieces {
	return pieces{counts: map[string]int{}, found: map[string][]byte{}}
}

// cut returns an emit that hands values to emit whole or in pieces. All of them are committed in one transaction.
func (p *pieces) cut(emit func(key, value []byte)) func(key, value []byte) {
	return func(key, value []byte) {
		before, n := p.counts[string(key)], 0
		if len(value) <= maxPiece {
			emit(key, value)
			delete(p.counts, string(key))
		} else {
			emit(key, nil)
			for piece := range slices.Chunk(value, maxPiece) {
				emit(pieceKey(key, n), piece)
				n++
			}
			p.counts[string(key)] = n
		}
		for ; n < before; n++ {
			emit(pieceKey(key, n), nil)
		}
	}
}

func (p *pieces) keep(key, value []byte) { p.found[string(key)] = slices.Clone(value) }

// join returns the values that were kept in pieces, by their keys.
func (p *pieces) join() (map[string][]byte, error) {
	whole := map[string][]byte{}
	for _, k := range slices.Sorted(maps.Keys(p.found)) { // by number
		if len(k) < 6 {
			return nil, fmt.Errorf("record %q: a piece without the key of the whole", k)
		}
		key, n := k[5:], int(binary.BigEndian.Uint32([]byte(k[1:5])))
		if n != p.counts[key] {
			return nil, fmt.Errorf("record %q: piece %d of the value is missing", key, p.counts[key])
		}
		whole[key] = append(whole[key], p.found[k]...)
		p.counts[key]++
	}
	p.found = nil
	return whole, nil
}
