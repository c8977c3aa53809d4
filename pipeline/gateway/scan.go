package gateway

import "fmt"

// syntaxError is a place where a body stops being JSON.
type syntaxError struct {
	pos  int // byte offset in the (decompressed) body
	what string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("%s at byte %d", e.what, e.pos) }

// scanner finds the end of JSON values by RFC 8259, strictly but for two things that are judged per event: whether strings are UTF-8,
// and the depth. It does not recurse: its stack takes a byte for each open bracket, and a body has at most MaxBodyBytes of them.
type scanner struct {
	data []byte
	open []byte // '{' or '[' of each open bracket
	err  *syntaxError
}

func (s *scanner) fail(pos int, what string) (int, bool) {
	if pos >= len(s.data) {
		pos, what = len(s.data), "unexpected end of the body"
	}
	s.err = &syntaxError{pos: pos, what: what}
	return pos, false
}

func (s *scanner) space(i int) int {
	for i < len(s.data) {
		switch s.data[i] {
		case ' ', '\t', '\n', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

func (s *scanner) at(i int) byte { // 0 beyond the end: a NUL byte is nowhere legal either
	if i < len(s.data) {
		return s.data[i]
	}
	return 0
}

// value returns the index after the value that starts at i.
func (s *scanner) value(i int) (int, bool) {
	s.open = s.open[:0]
	for {
		next, opened, ok := s.start(i)
		if !ok {
			return next, false
		}
		i = next
		if opened {
			continue
		}
		next, done, ok := s.after(i)
		if !ok || done {
			return next, ok
		}
		i = next
	}
}

// start reads a scalar, an empty container, or the opening of a container up to where its first value begins (then opened is true).
func (s *scanner) start(i int) (next int, opened, ok bool) {
	switch c := s.at(i); c {
	case '{', '[':
		i = s.space(i + 1)
		if s.at(i) == c+2 { // '}' is '{'+2 and ']' is '['+2
			return i + 1, false, true
		}
		s.open = append(s.open, c)
		if c == '{' {
			next, ok = s.key(i)
			return next, true, ok
		}
		return i, true, true
	case '"':
		next, ok = s.str(i)
	case 't':
		next, ok = s.literal(i, "true")
	case 'f':
		next, ok = s.literal(i, "false")
	case 'n':
		next, ok = s.literal(i, "null")
	default:
		next, ok = s.number(i)
	}
	return next, false, ok
}

// after reads what follows a value: commas and closing brackets, up to the next value or, when done, to the end of the outermost one.
func (s *scanner) after(i int) (next int, done, ok bool) {
	for len(s.open) > 0 {
		top := s.open[len(s.open)-1]
		i = s.space(i)
		switch s.at(i) {
		case ',':
			i = s.space(i + 1)
			if top == '{' {
				i, ok = s.key(i)
				return i, false, ok
			}
			return i, false, true
		case top + 2:
			s.open = s.open[:len(s.open)-1]
			i++
		default:
			i, ok = s.fail(i, fmt.Sprintf("want ',' or '%c'", top+2))
			return i, false, ok
		}
	}
	return i, true, true
}

// key reads a member's name and its colon, up to where the value begins.
func (s *scanner) key(i int) (int, bool) {
	if s.at(i) != '"' {
		return s.fail(i, "want a member name in quotes")
	}
	i, ok := s.str(i)
	if !ok {
		return i, false
	}
	if i = s.space(i); s.at(i) != ':' {
		return s.fail(i, "want ':'")
	}
	return s.space(i + 1), true
}

func (s *scanner) str(i int) (int, bool) {
	for i++; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			return i + 1, true
		case c < 0x20:
			return s.fail(i, "control character in a string")
		case c == '\\':
			next, ok := s.escape(i)
			if !ok {
				return next, false
			}
			i = next
		}
	}
	return s.fail(i, "")
}

// escape returns the index of the last byte of the escape that starts at i.
func (s *scanner) escape(i int) (int, bool) {
	switch s.at(i + 1) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1, true
	case 'u':
		for k := i + 2; k < i+6; k++ {
			if !isHex(s.at(k)) {
				return s.fail(k, "want four hexadecimal digits")
			}
		}
		return i + 5, true
	}
	return s.fail(i+1, "unknown escape")
}

func (s *scanner) literal(i int, want string) (int, bool) {
	for k := range len(want) {
		if s.at(i+k) != want[k] {
			return s.fail(i+k, "want "+want)
		}
	}
	return i + len(want), true
}

func (s *scanner) number(i int) (int, bool) {
	if s.at(i) == '-' {
		i++
	}
	if s.at(i) == '0' {
		i++
	} else if next := s.digits(i); next > i {
		i = next
	} else {
		return s.fail(i, "want a JSON value")
	}
	if s.at(i) == '.' {
		next := s.digits(i + 1)
		if next == i+1 {
			return s.fail(next, "want a digit")
		}
		i = next
	}
	if c := s.at(i); c == 'e' || c == 'E' {
		i++
		if c := s.at(i); c == '+' || c == '-' {
			i++
		}
		next := s.digits(i)
		if next == i {
			return s.fail(next, "want a digit")
		}
		i = next
	}
	return i, true
}

func (s *scanner) digits(i int) int {
	for '0' <= s.at(i) && s.at(i) <= '9' {
		i++
	}
	return i
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
