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

// pieces cuts large values of the changelog. It knows how many pieces of each there are, so that none is left behind when a value gets smaller.
type pieces map[string]int

// cut returns an emit that hands values to emit whole or in pieces. All of them are committed in one transaction.
func (p pieces) cut(emit func(key, value []byte)) func(key, value []byte) {
	return func(key, value []byte) {
		before, n := p[string(key)], 0
		if len(value) <= maxPiece {
			emit(key, value)
			delete(p, string(key))
		} else {
			emit(key, nil)
			for piece := range slices.Chunk(value, maxPiece) {
				emit(pieceKey(key, n), piece)
				n++
			}
			p[string(key)] = n
		}
		for ; n < before; n++ {
			emit(pieceKey(key, n), nil)
		}
	}
}

// join puts the pieces among the records of a changelog together, in place.
func (p pieces) join(records map[string][]byte) error {
	for _, k := range slices.Sorted(maps.Keys(records)) { // by number
		if k[0] != keyPiece {
			continue
		}
		if len(k) < 6 {
			return fmt.Errorf("record %q: a piece without the key of the whole", k)
		}
		whole, n := k[5:], int(binary.BigEndian.Uint32([]byte(k[1:5])))
		if n != p[whole] {
			return fmt.Errorf("record %q: piece %d of the value is missing", whole, p[whole])
		}
		records[whole] = append(records[whole], records[k]...)
		p[whole]++
		delete(records, k)
	}
	return nil
}
