package ledger

import (
	"encoding/json"
	"unicode/utf8"
)

// value is one JSON value. Strings and numbers are slices of the record's text.
type value struct {
	kind byte   // 'o' object, 'a' array, 's' string, 'n' number, 't' true, 'f' false, '0' null
	name string // where it is a field of an object
	text string // of a string its value, of a number its literal
	kids []value
}

// get finds a field; of a name given twice the last counts, null is absent, and an object that is absent has none.
func (v *value) get(name string) *value {
	if v == nil {
		return nil
	}
	for i := len(v.kids) - 1; i >= 0; i-- {
		if v.kids[i].name == name {
			if v.kids[i].kind == '0' {
				return nil
			}
			return &v.kids[i]
		}
	}
	return nil
}

const maxDepth = 16

// parser reads strict JSON from the left and stops at the first thing that is wrong. Its memory is reused from record to record.
type parser struct {
	s     string
	i     int
	depth int
	fault string                // reason, "" so far
	open  [maxDepth + 1][]value // by depth: the children of what is being read
	done  []value               // children of what has been read
}

// close makes the children collected at the present depth those of a value.
func (p *parser) close(kind byte, kids []value) value {
	p.open[p.depth] = kids
	at := len(p.done)
	p.done = append(p.done, kids...)
	return value{kind: kind, kids: p.done[at:len(p.done):len(p.done)]}
}

// record reads one record's object; the value is good until the next one. The reason is "", or what the contract calls the first fault
// met from the left.
func (p *parser) record(record string) (value, string) {
	p.s, p.i, p.depth, p.fault, p.done = record, 0, 0, "", p.done[:0]
	p.space()
	if p.i >= len(p.s) || p.s[p.i] != '{' {
		return value{}, "not_json"
	}
	v := p.value()
	if p.fault != "" {
		return value{}, p.fault
	}
	p.space()
	if p.i < len(p.s) {
		return value{}, "trailing_bytes"
	}
	return v, ""
}

func (p *parser) space() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

func (p *parser) fail(reason string) value {
	if p.fault == "" {
		p.fault = reason
	}
	return value{}
}

func (p *parser) take(c byte) bool {
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) value() value {
	p.space()
	if p.i >= len(p.s) {
		return p.fail("not_json")
	}
	switch c := p.s[p.i]; c {
	case '{', '[':
		p.i++
		if p.depth++; p.depth > maxDepth {
			return p.fail("too_deep")
		}
		var v value
		if c == '{' {
			v = p.object()
		} else {
			v = p.array()
		}
		p.depth--
		return v
	case '"':
		return value{kind: 's', text: p.str()}
	case 't':
		return p.word("true", 't')
	case 'f':
		return p.word("false", 'f')
	case 'n':
		return p.word("null", '0')
	}
	return p.number()
}

func (p *parser) word(w string, kind byte) value {
	if len(p.s)-p.i < len(w) || p.s[p.i:p.i+len(w)] != w {
		return p.fail("not_json")
	}
	p.i += len(w)
	return value{kind: kind}
}

func (p *parser) object() value {
	kids := p.open[p.depth][:0]
	p.space()
	if p.take('}') {
		return value{kind: 'o'}
	}
	for {
		p.space()
		if p.i >= len(p.s) || p.s[p.i] != '"' {
			return p.fail("not_json")
		}
		name := p.str()
		p.space()
		if p.fault != "" || !p.take(':') {
			return p.fail("not_json")
		}
		x := p.value()
		if p.fault != "" {
			return value{}
		}
		x.name = name
		kids = append(kids, x)
		p.space()
		if p.take(',') {
			continue
		}
		if p.take('}') {
			return p.close('o', kids)
		}
		return p.fail("not_json")
	}
}

func (p *parser) array() value {
	kids := p.open[p.depth][:0]
	p.space()
	if p.take(']') {
		return value{kind: 'a'}
	}
	for {
		x := p.value()
		if p.fault != "" {
			return value{}
		}
		kids = append(kids, x)
		p.space()
		if p.take(',') {
			continue
		}
		if p.take(']') {
			return p.close('a', kids)
		}
		return p.fail("not_json")
	}
}

// str reads a string from its opening quote on.
func (p *parser) str() string {
	start := p.i
	escaped := false
	for p.i++; p.i < len(p.s); {
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			raw := p.s[start:p.i]
			if !escaped {
				return raw[1 : len(raw)-1]
			}
			var out string
			if json.Unmarshal([]byte(raw), &out) != nil {
				p.fail("not_json")
			}
			return out
		case c < 0x20:
			p.fail("not_json")
			return ""
		case c == '\\':
			escaped = true
			if !p.escape() {
				p.fail("not_json")
				return ""
			}
		case c < utf8.RuneSelf:
			p.i++
		default:
			r, n := utf8.DecodeRuneInString(p.s[p.i:])
			if r == utf8.RuneError && n == 1 {
				p.fail("not_json")
				return ""
			}
			p.i += n
		}
	}
	p.fail("not_json")
	return ""
}

func (p *parser) escape() bool {
	p.i++
	if p.i >= len(p.s) {
		return false
	}
	c := p.s[p.i]
	p.i++
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			if p.i >= len(p.s) || !isHex(p.s[p.i]) {
				return false
			}
			p.i++
		}
		return true
	}
	return false
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func (p *parser) digits() bool {
	start := p.i
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		p.i++
	}
	return p.i > start
}

func (p *parser) number() value {
	start := p.i
	p.take('-')
	if !p.take('0') && !p.digits() {
		return p.fail("not_json")
	}
	if p.take('.') && !p.digits() {
		return p.fail("not_json")
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if !p.digits() {
			return p.fail("not_json")
		}
	}
	return value{kind: 'n', text: p.s[start:p.i]}
}
