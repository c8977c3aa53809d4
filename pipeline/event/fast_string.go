package event

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Bytes repeated over a word, to look at eight at a time.
const (
	lows   = 0x0101010101010101
	highs  = 0x8080808080808080
	quotes = '"' * lows
	slash  = '\\' * lows
	blanks = ' ' * lows
	zeros  = '0' * lows
)

// stringEnd gives the index of the quote that ends a string; -1 for one with an escape, a control character or U+007F, or bytes that
// are not UTF-8.
func (f *fast) stringEnd(i int) int {
	raw := f.raw
	for ; i+8 <= len(raw); i += 8 {
		if m := specials(binary.LittleEndian.Uint64(raw[i:])); m != 0 {
			i += bits.TrailingZeros64(m) >> 3
			if raw[i] == '"' {
				return i
			}
			return f.stringEndSlow(i)
		}
	}
	return f.stringEndSlow(i)
}

// specials has the high bit of a byte set where it is a quote, a backslash, below a blank, or above ~. Borrows and carries can set bits
// above a true one only, so the lowest is exact.
func specials(w uint64) uint64 {
	q, b := w^quotes, w^slash
	return ((q-lows)&^q | (b-lows)&^b | (w-blanks)&^w | (w + lows) | w) & highs
}

// stringEndSlow goes byte by byte: the record's last seven bytes, and all that is not ASCII.
func (f *fast) stringEndSlow(start int) int {
	for i := start; i < len(f.raw); i++ {
		switch c := f.raw[i]; {
		case c == '"':
			if !utf8.Valid(f.raw[start:i]) {
				return -1
			}
			return i
		case c == '\\' || c < ' ' || c == 0x7f:
			return -1
		}
	}
	return -1
}
