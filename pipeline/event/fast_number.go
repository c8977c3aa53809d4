package event

import (
	"encoding/binary"
	"math/bits"
)

// integer reads a number without sign, fraction, exponent or leading zero, of at most 16 digits, within the field's range.
func (f *fast) integer(id fieldID, pos int) int {
	raw := f.raw
	start := pos
	var v uint64
	if pos+16 <= len(raw) {
		v, pos = swarDigits(raw, pos)
	}
	for pos-start < 17 && isDigit(raw[pos]) {
		v = v*10 + uint64(raw[pos]-'0')
		pos++
	}
	n := pos - start
	if n == 0 || n > 16 || n > 1 && raw[start] == '0' {
		return -1
	}
	r := &fieldRanges[id]
	if v-r.lowest > r.span {
		return -1
	}
	f.num[id] = int64(v)
	return pos
}

// swarDigits reads up to 16 digits, eight at a time; it needs 16 bytes.
func swarDigits(raw []byte, pos int) (uint64, int) {
	w := binary.LittleEndian.Uint64(raw[pos:])
	n := digitCount(w)
	if n == 0 {
		return 0, pos
	}
	v := eightDigits(w << ((8 - n) * 8 & 63))
	if n < 8 {
		return v, pos + n
	}
	w = binary.LittleEndian.Uint64(raw[pos+8:])
	if n = digitCount(w); n == 0 {
		return v, pos + 8
	}
	return v*powers[n] + eightDigits(w<<((8-n)*8&63)), pos + 8 + n
}

var powers = [9]uint64{1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000}

// digitCount is how many of the low bytes of w are digits before the first that is none.
func digitCount(w uint64) int {
	x := w ^ zeros // digits become 0–9
	other := (x | (x&^highs + 0x76*lows)) & highs
	return bits.TrailingZeros64(other) >> 3
}

// eightDigits is the value of eight bytes, the first digit lowest; bytes of 0 count as the digit 0.
func eightDigits(w uint64) uint64 {
	w &= 0x0f0f0f0f0f0f0f0f
	w = w*10 + w>>8
	const mask = 0x000000ff000000ff
	return ((w&mask)*(100+1_000_000<<32) + (w>>16&mask)*(1+10_000<<32)) >> 32
}
