package event

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// fast is the path of almost all records. It accepts or defers: whatever it is not sure of (an escape, a name given twice, a value out
// of range, a field of another type) it leaves to strict, which alone rejects; a fuzz test holds that what fast accepts, strict accepts
// with an equal Event. It is fast because producers write their names in one order: the name behind each name is guessed to be the one
// that stood there last, and compared eight bytes at a time.
type fast struct {
	raw  []byte
	next [int(numFields) + int(numScopes)]fieldID // by the field before, or numFields+scope at an object's begin; 0 is a guess too

	at   [numFields]span  // of strings, without the quotes
	num  [numFields]int64 // of integers; of booleans 0 and 1
	has  [numScopes]uint64
	seen [numScopes]uint64 // names met, those with null too

	ev *Event // lists are appended as they are read
}

type span struct{ start, end uint32 }

const (
	lows   = 0x0101010101010101
	highs  = 0x8080808080808080
	quotes = '"' * lows
	slash  = '\\' * lows
	blanks = ' ' * lows
	zeros  = '0' * lows
)

// object reads from the brace at pos to behind the closing one; -1 defers. The caller has made sure that the record's last byte is its
// closing brace: every loop over spaces, digits or names ends there at the latest.
func (f *fast) object(s scope, pos int) int {
	raw := f.raw
	var has, seen uint64
	prev := int(numFields) + int(s)
	first := scopeStart[s]
	if pos++; raw[pos] <= ' ' {
		pos = skipSpace(raw, pos)
	}
	if raw[pos] == '}' {
		f.has[s], f.seen[s] = 0, 0
		return pos + 1
	}
	for {
		id := f.next[prev]
		if n := matchName(raw[pos:], id); n > 0 {
			pos += n
		} else if id, pos = f.name(s, pos); pos < 0 {
			return -1
		} else if id != noField {
			f.next[prev] = id
		}
		if raw[pos] <= ' ' {
			pos = skipSpace(raw, pos)
		}
		if id == noField {
			g := grammar{raw: raw}
			depth := 1
			if s != inRecord {
				depth = 3 // at most: the record, a list, its element
			}
			pos = g.value(pos, depth)
		} else {
			prev = int(id)
			bit := uint64(1) << ((id - first) & 63)
			if seen&bit != 0 {
				return -1
			}
			seen |= bit
			if raw[pos] == 'n' {
				pos = f.null(pos)
			} else {
				pos = f.value(id, pos)
				has |= bit
			}
		}
		if uint(pos) >= uint(len(raw)) { // deferred, or an inner object took the record's last brace
			return -1
		}
		c := raw[pos]
		if c <= ' ' {
			pos = skipSpace(raw, pos)
			c = raw[pos]
		}
		if c == '}' {
			f.has[s], f.seen[s] = has, seen
			return pos + 1
		}
		if c != ',' {
			return -1
		}
		if pos++; raw[pos] <= ' ' {
			pos = skipSpace(raw, pos)
		}
	}
}

func skipSpace(raw []byte, pos int) int {
	for isSpace(raw[pos]) {
		pos++
	}
	return pos
}

// nameKey is a field's name as it stands in a record, "name": in little-endian words, the last one masked.
type nameKey struct {
	word [4]uint64
	mask uint64 // of the last word
	text string
}

var nameKeys = func() (keys [numFields]nameKey) {
	for f := range numFields {
		text := `"` + fieldName(f) + `":`
		var padded [32]byte
		copy(padded[:], text)
		k := nameKey{text: text, mask: ^uint64(0)}
		for i := range k.word {
			k.word[i] = binary.LittleEndian.Uint64(padded[8*i:])
		}
		if rest := len(text) % 8; rest != 0 {
			k.mask = 1<<(8*rest) - 1
		}
		keys[f] = k
	}
	return keys
}()

// matchName gives the length of f's name with its quotes and colon if b begins with it, else 0.
func matchName(b []byte, f fieldID) int {
	k := &nameKeys[f]
	n := len(k.text)
	if len(b) < 32 {
		if len(b) >= n && string(b[:n]) == k.text {
			return n
		}
		return 0
	}
	i := 0
	for ; n-8*i > 8; i++ {
		if binary.LittleEndian.Uint64(b[8*i:]) != k.word[i&3] {
			return 0
		}
	}
	if binary.LittleEndian.Uint64(b[8*i:])&k.mask != k.word[i&3] {
		return 0
	}
	return n
}

// name looks a name up that was not guessed; noField if it is not known there.
func (f *fast) name(s scope, pos int) (fieldID, int) {
	if f.raw[pos] != '"' {
		return 0, -1
	}
	start := pos + 1
	end := f.stringEnd(start)
	if end < 0 {
		return 0, -1
	}
	id, known := scopeNames[s][string(f.raw[start:end])]
	if !known {
		id = noField
	}
	if pos = end + 1; f.raw[pos] <= ' ' {
		pos = skipSpace(f.raw, pos)
	}
	if f.raw[pos] != ':' {
		return 0, -1
	}
	return id, pos + 1
}

func (f *fast) null(pos int) int {
	if len(f.raw)-pos > 4 && string(f.raw[pos:pos+4]) == "null" {
		return pos + 4
	}
	return -1
}

// value reads a known field's value into at or num.
func (f *fast) value(id fieldID, pos int) int {
	switch sh := fieldShapes[id]; sh {
	case shapeID, shapeText:
		if f.raw[pos] != '"' {
			return -1
		}
		start := pos + 1
		end := f.stringEnd(start)
		if end < 0 || sh == shapeID && uint(end-start-1) >= MaxIDBytes {
			return -1
		}
		f.at[id] = span{uint32(start), uint32(end)}
		return end + 1
	case shapeInt:
		return f.integer(id, pos)
	case shapeBool:
		return f.boolean(id, pos)
	case shapeObject:
		if f.raw[pos] != '{' {
			return -1
		}
		return f.object(fieldScopes[id], pos)
	default:
		return f.array(id, pos)
	}
}

// stringEnd gives the index of the quote that ends a string; -1 for one with an escape, a control character or U+007F, or bytes that
// are not UTF-8.
func (f *fast) stringEnd(i int) int {
	raw := f.raw
	for ; i+8 <= len(raw); i += 8 {
		w := binary.LittleEndian.Uint64(raw[i:])
		// Each term has the high bit of a byte set where it is a quote, a backslash, below a blank, or above ~. Borrows and carries
		// can set bits above a true one only, so the lowest is exact.
		q, b := w^quotes, w^slash
		m := ((q-lows)&^q | (b-lows)&^b | (w-blanks)&^w | (w + lows) | w) & highs
		if m != 0 {
			i += bits.TrailingZeros64(m) >> 3
			if raw[i] == '"' {
				return i
			}
			return f.stringEndSlow(i)
		}
	}
	return f.stringEndSlow(i)
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

func (f *fast) boolean(id fieldID, pos int) int {
	raw := f.raw
	if len(raw)-pos < 6 { // false}
		if len(raw)-pos == 5 && string(raw[pos:pos+4]) == "true" {
			f.num[id] = 1
			return pos + 4
		}
		return -1
	}
	switch {
	case string(raw[pos:pos+4]) == "true":
		f.num[id] = 1
		return pos + 4
	case string(raw[pos:pos+5]) == "false":
		f.num[id] = 0
		return pos + 5
	}
	return -1
}

// array reads a list of objects of the field's scope.
func (f *fast) array(id fieldID, pos int) int {
	raw := f.raw
	if raw[pos] != '[' {
		return -1
	}
	if pos++; raw[pos] <= ' ' {
		pos = skipSpace(raw, pos)
	}
	if raw[pos] == ']' {
		return pos + 1
	}
	for {
		if raw[pos] != '{' {
			return -1
		}
		pos = f.object(fieldScopes[id], pos)
		if uint(pos) >= uint(len(raw)) || !f.element(id) {
			return -1
		}
		if pos = skipSpace(raw, pos); raw[pos] == ']' {
			return pos + 1
		}
		if raw[pos] != ',' {
			return -1
		}
		pos = skipSpace(raw, pos+1)
	}
}
