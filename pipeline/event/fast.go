package event

import (
	"encoding/binary"
	"math/bits"
)

// fast is the path of almost all records. It accepts or defers: whatever it is not sure of (an escape in an id, a name given twice, a value out
// of range, a field of another type) it leaves to strict, which alone rejects; a fuzz test holds that what fast accepts, strict accepts
// with an equal Event. It is fast because producers write their names in one order: the name behind each name is guessed to be the one
// that stood there last, and compared eight bytes at a time.
type fast struct {
	raw []byte
	// next is the guess plus 1, by the field before, or by numFields+scope at an object's begin. 0 is no guess: a guess is only ever a
	// field of the same object, for names of other objects (sdk.type) are unknown there.
	next [int(numFields) + int(numScopes)]fieldID

	at   [numFields]span  // of strings, without the quotes
	num  [numFields]int64 // of integers; of booleans 0 and 1
	has  [numScopes]uint64
	seen [numScopes]uint64 // names met, those with null too

	ev *Event // lists are appended as they are read
}

type span struct{ start, end uint32 }

// object reads from the brace at pos to behind the closing one; -1 defers. The caller has made sure that the record's last byte is a
// closing brace: every loop over spaces, digits or names ends there at the latest.
func (f *fast) object(s scope, pos int) int {
	raw := f.raw
	var has, seen uint64
	prev := int(numFields) + int(s)
	if pos++; raw[pos] <= ' ' {
		pos = skipSpace(raw, pos)
	}
	if raw[pos] == '}' {
		f.has[s], f.seen[s] = 0, 0
		return pos + 1
	}
	for {
		id := f.next[prev] - 1 // 0 wraps to noField, which matches nothing
		field := &fieldTable[id]
		if n := field.match(raw, pos); n > 0 {
			pos += n
		} else if id, pos = f.name(s, pos); pos < 0 {
			return -1
		} else if field = &fieldTable[id]; id != noField {
			f.next[prev] = id + 1
		}
		if raw[pos] <= ' ' {
			pos = skipSpace(raw, pos)
		}
		if seen&field.bit != 0 { // given twice
			return -1
		}
		seen |= field.bit
		switch {
		case raw[pos] == 'n' && id != noField:
			pos = f.null(pos)
		case field.shape == shapeID && raw[pos] == '"':
			// The same as value does, here because it is most of a record.
			has |= field.bit
			start := pos + 1
			for pos++; ; pos += 8 {
				if pos+8 > len(raw) {
					pos = f.stringEndSlow(pos)
					break
				}
				if m := specials(binary.LittleEndian.Uint64(raw[pos:])); m != 0 {
					if pos += bits.TrailingZeros64(m) >> 3; raw[pos] != '"' {
						pos = f.stringEndSlow(pos)
					}
					break
				}
			}
			if uint(pos-start-1) >= MaxIDBytes {
				return -1
			}
			f.at[id] = span{uint32(start), uint32(pos)}
			pos++
		case id == noField:
			pos = f.unknown(s, pos)
		default:
			has |= field.bit
			pos = f.value(id, field.shape, pos)
		}
		if uint(pos) >= uint(len(raw)) { // deferred, or an inner object took the record's last brace
			return -1
		}
		if id != noField {
			prev = int(id)
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

// unknown passes over the value of a name that is not known in s.
func (f *fast) unknown(s scope, pos int) int {
	g := grammar{raw: f.raw}
	depth := 1
	if s != inRecord {
		depth = 3 // at most: the record, a list, its element
	}
	return g.value(pos, depth)
}

func skipSpace(raw []byte, pos int) int {
	for isSpace(raw[pos]) {
		pos++
	}
	return pos
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
func (f *fast) value(id fieldID, sh shape, pos int) int {
	switch sh {
	case shapeID:
		return -1 // a string was dealt with in object
	case shapeText:
		return f.text(pos)
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

// text passes over a string that nobody keeps: escapes are fine, comments are full of them.
func (f *fast) text(pos int) int {
	if f.raw[pos] != '"' {
		return -1
	}
	if end := f.stringEnd(pos + 1); end >= 0 {
		return end + 1
	}
	g := grammar{raw: f.raw}
	return g.str(pos + 1)
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
