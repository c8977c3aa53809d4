package event

import "unicode/utf8"

// grammar reads a record from the left by RFC 8259 and stops at what it meets first. It is the only judge of too_deep, not_json and
// trailing_bytes, so nothing behind it sees bytes that are not one well-formed object of bounded depth. Its recursion is bounded by
// MaxDepth, its time by MaxRecordBytes.
type grammar struct {
	raw    []byte
	reason Reason
}

// scanRecord gives the record's object without the white space around it.
func scanRecord(raw []byte) (object []byte, reason Reason) {
	g := grammar{raw: raw}
	start := g.space(0)
	// A record that does not begin with { is no JSON object, whatever follows: also [[[… is not_json, not too_deep.
	if start == len(raw) || raw[start] != '{' {
		return nil, NotJSON
	}
	end := g.value(start, 0)
	if end < 0 {
		return nil, g.reason
	}
	if g.space(end) != len(raw) {
		return nil, TrailingBytes
	}
	return raw[start:end], ReasonNone
}

func (g *grammar) fail(r Reason) int {
	g.reason = r
	return -1
}

func (g *grammar) at(i int) byte {
	if i < len(g.raw) {
		return g.raw[i]
	}
	return 0 // a NUL is no token, so the end and a NUL are both not_json wherever this is asked
}

func (g *grammar) space(i int) int {
	for i < len(g.raw) && isSpace(g.raw[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// value gives the index after the value at i, or -1. depth is the number of brackets open around it.
func (g *grammar) value(i, depth int) int {
	switch c := g.at(i); c {
	case '{', '[':
		if depth == MaxDepth {
			return g.fail(TooDeep)
		}
		if c == '{' {
			return g.object(i+1, depth+1)
		}
		return g.array(i+1, depth+1)
	case '"':
		return g.str(i + 1)
	case 't':
		return g.word(i, "true")
	case 'f':
		return g.word(i, "false")
	case 'n':
		return g.word(i, "null")
	default:
		return g.number(i)
	}
}

func (g *grammar) object(i, depth int) int {
	i = g.space(i)
	if g.at(i) == '}' {
		return i + 1
	}
	for {
		if g.at(i) != '"' {
			return g.fail(NotJSON)
		}
		if i = g.str(i + 1); i < 0 {
			return -1
		}
		if i = g.space(i); g.at(i) != ':' {
			return g.fail(NotJSON)
		}
		if i = g.value(g.space(i+1), depth); i < 0 {
			return -1
		}
		switch i = g.space(i); g.at(i) {
		case '}':
			return i + 1
		case ',':
			i = g.space(i + 1)
		default:
			return g.fail(NotJSON)
		}
	}
}

func (g *grammar) array(i, depth int) int {
	i = g.space(i)
	if g.at(i) == ']' {
		return i + 1
	}
	for {
		if i = g.value(i, depth); i < 0 {
			return -1
		}
		switch i = g.space(i); g.at(i) {
		case ']':
			return i + 1
		case ',':
			i = g.space(i + 1)
		default:
			return g.fail(NotJSON)
		}
	}
}

// str reads from behind the opening quote.
func (g *grammar) str(i int) int {
	for i < len(g.raw) {
		switch c := g.raw[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			if i = g.escape(i + 1); i < 0 {
				return -1
			}
		case c < ' ':
			return g.fail(NotJSON)
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(g.raw[i:])
			if r == utf8.RuneError && n == 1 {
				return g.fail(NotJSON)
			}
			i += n
		}
	}
	return g.fail(NotJSON)
}

func (g *grammar) escape(i int) int {
	switch g.at(i) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		for k := 1; k <= 4; k++ {
			if !isHex(g.at(i + k)) {
				return g.fail(NotJSON)
			}
		}
		return i + 5
	}
	return g.fail(NotJSON)
}

func (g *grammar) word(i int, w string) int {
	if len(g.raw)-i < len(w) || string(g.raw[i:i+len(w)]) != w {
		return g.fail(NotJSON)
	}
	return i + len(w)
}

func (g *grammar) number(i int) int {
	if g.at(i) == '-' {
		i++
	}
	switch c := g.at(i); {
	case c == '0':
		i++
	case c >= '1' && c <= '9':
		i = g.digits(i)
	default:
		return g.fail(NotJSON)
	}
	if g.at(i) == '.' {
		if i = g.someDigits(i + 1); i < 0 {
			return -1
		}
	}
	if c := g.at(i); c == 'e' || c == 'E' {
		i++
		if c := g.at(i); c == '+' || c == '-' {
			i++
		}
		return g.someDigits(i)
	}
	return i
}

func (g *grammar) digits(i int) int {
	for isDigit(g.at(i)) {
		i++
	}
	return i
}

func (g *grammar) someDigits(i int) int {
	if !isDigit(g.at(i)) {
		return g.fail(NotJSON)
	}
	return g.digits(i)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }
