package ledger

import (
	"slices"
	"strconv"
)

// reader takes fields from one object and notes what is wrong with them.
type reader struct {
	v *value
	f *faults
}

func (r reader) has(name string) bool { return r.v.get(name) != nil }

// field finds a field of a kind; nil where it is absent or of another type, which is noted.
func (r reader) field(name string, required bool, kind byte) *value {
	x := r.v.get(name)
	if x == nil {
		r.f.missing = r.f.missing || required
		return nil
	}
	if x.kind != kind {
		r.f.badType = true
		return nil
	}
	return x
}

func (r reader) id(name string, required bool) string {
	x := r.field(name, required, 's')
	if x == nil {
		return ""
	}
	if !validID(x.text) {
		r.f.badValue = true
	}
	return x.text
}

// validID holds for 1 to 128 bytes without control characters.
func validID(s string) bool {
	if len(s) < 1 || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] == 0x7F {
			return false
		}
	}
	return true
}

func (r reader) num(name string, required bool, lo, hi int64) int64 {
	x := r.field(name, required, 'n')
	if x == nil {
		return 0
	}
	n, ok := integer(x.text)
	if !ok {
		r.f.badType = true
		return 0
	}
	if n < lo || n > hi {
		r.f.badValue = true
	}
	return n
}

func (r reader) enum(name string, required bool, of []string) string {
	x := r.field(name, required, 's')
	if x == nil {
		return ""
	}
	if !slices.Contains(of, x.text) {
		r.f.badEnum = true
	}
	return x.text
}

func (r reader) currency() string {
	x := r.field("currency", true, 's')
	if x == nil {
		return ""
	}
	ok := len(x.text) == 3
	for i := 0; ok && i < 3; i++ {
		ok = x.text[i] >= 'A' && x.text[i] <= 'Z'
	}
	if !ok {
		r.f.badValue = true
	}
	return x.text
}

func (r reader) isFalse(name string) bool {
	x := r.v.get(name)
	if x == nil {
		return false
	}
	if x.kind != 't' && x.kind != 'f' {
		r.f.badType = true
	}
	return x.kind == 'f'
}

func (r reader) object(name string, required bool) reader {
	return reader{r.field(name, required, 'o'), r.f}
}

// list returns a reader for each object of an array.
func (r reader) list(name string, required bool) []reader {
	x := r.field(name, required, 'a')
	if x == nil {
		return nil
	}
	out := make([]reader, 0, len(x.kids))
	for i := range x.kids {
		if x.kids[i].kind != 'o' {
			r.f.badType = true
			continue
		}
		out = append(out, reader{&x.kids[i], r.f})
	}
	return out
}

func naturalKey(id string, version int64) string {
	return id + "\x00" + strconv.FormatInt(version, 10)
}
