package event

import (
	"math"
	"unsafe"

	"github.com/segmentio/encoding/json"
)

// members holds the raw value last given to each known name, for one object of each scope at a time. It reads with segmentio's
// Tokenizer and only what grammar has passed: the Tokenizer by itself is lenient about UTF-8, commas and trailing bytes.
type members struct {
	raw    [numFields][]byte // nil is absent; null is stored as nil
	object json.Tokenizer
	list   json.Tokenizer
}

// collect reads the members of an object of scope s. A name given twice: the last counts, as a whole.
func (m *members) collect(s scope, object []byte) {
	clear(m.raw[scopeStart[s]:scopeStart[s+1]])
	t := &m.object
	t.Reset(object)
	t.Next() // {
	for t.Next() && t.Delim != '}' {
		if t.Delim == ',' {
			t.Next()
		}
		name := unquote(t.Value)
		t.Next() // :
		t.Next()
		value := tokenValue(t, object)
		f, known := scopeNames[s][name]
		if !known {
			continue
		}
		if value[0] == 'n' {
			value = nil
		}
		m.raw[f] = value
	}
}

// elements calls yield for each element of an array, which must not call elements itself.
func (m *members) elements(array []byte, yield func(element []byte)) {
	t := &m.list
	t.Reset(array)
	t.Next() // [
	for t.Next() && t.Delim != ']' {
		if t.Delim == ',' {
			t.Next()
		}
		yield(tokenValue(t, array))
	}
}

// tokenValue is the whole value that begins at t's token; t is left at its last token. Tokenizer.IsKey is not asked: it is wrong
// behind an empty object in an array (segmentio/encoding v0.5.4).
func tokenValue(t *json.Tokenizer, in []byte) []byte {
	start := len(in) - t.Remaining() - len(t.Value)
	if t.Delim == '{' || t.Delim == '[' {
		for outer := t.Depth; t.Next(); {
			if (t.Delim == '}' || t.Delim == ']') && t.Depth == outer {
				break
			}
		}
	}
	return in[start : len(in)-t.Remaining()]
}

// unquote gives the text of a JSON string: a view into it, or a copy where it has escapes. A lone surrogate becomes U+FFFD.
func unquote(quoted []byte) string {
	inner := quoted[1 : len(quoted)-1]
	for _, c := range inner {
		if c == '\\' {
			return string(json.RawValue(quoted).Unquote())
		}
	}
	return unsafe.String(unsafe.SliceData(inner), len(inner))
}

// parseInt reads a JSON number as an int64: no fraction, no exponent, no overflow; -0 is 0.
func parseInt(number []byte) (int64, bool) {
	negative := number[0] == '-'
	digits := number
	if negative {
		digits = number[1:]
	}
	var u uint64
	for _, c := range digits {
		if !isDigit(c) || u > (math.MaxUint64-9)/10 {
			return 0, false
		}
		u = u*10 + uint64(c-'0')
	}
	switch {
	case negative && u <= 1<<63:
		return -int64(u), true
	case !negative && u <= math.MaxInt64:
		return int64(u), true
	}
	return 0, false
}
