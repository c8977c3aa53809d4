package event

import "encoding/binary"

// fieldKey is what the loop over a record's names needs of a field: its name as it stands there, "name": in little-endian words, the
// last one masked.
type fieldKey struct {
	word  [4]uint64
	mask  uint64 // of the last word
	bit   uint64 // in the masks of its scope
	n     uint8  // bytes of the name with its quotes and colon
	last  uint8  // index of the last word
	shape shape
}

// fieldTable has an entry for every fieldID, so that no index needs a check; those without a field match nothing.
var fieldTable = func() (table [256]fieldKey) {
	for i := range table {
		table[i] = fieldKey{word: [4]uint64{1}, mask: 0, n: 1, shape: shapeText}
	}
	for f := range numFields {
		text := `"` + fieldName(f) + `":`
		var padded [32]byte
		copy(padded[:], text)
		k := fieldKey{mask: ^uint64(0), n: uint8(len(text)), last: uint8(len(text)-1) / 8, shape: fieldShapes[f]}
		for i := range k.word {
			k.word[i] = binary.LittleEndian.Uint64(padded[8*i:])
		}
		if rest := len(text) % 8; rest != 0 {
			k.mask = 1<<(8*rest) - 1
		}
		k.bit = 1 << (f - scopeStart[fieldScope(f)])
		table[f] = k
	}
	return table
}()

// match gives the length of the field's name with its quotes and colon if it stands at pos, else 0. Near the record's end, where words
// do not fit, it gives 0 too, and the name is looked up.
func (k *fieldKey) match(raw []byte, pos int) int {
	last := int(k.last & 3)
	end := pos + 8*last + 8
	if end > len(raw) || binary.LittleEndian.Uint64(raw[end-8:end])&k.mask != k.word[last] {
		return 0
	}
	for i := range last {
		if binary.LittleEndian.Uint64(raw[pos:]) != k.word[i&3] {
			return 0
		}
		pos += 8
	}
	return int(k.n)
}
