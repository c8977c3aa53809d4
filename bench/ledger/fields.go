package ledger

import (
	"slices"
	"strconv"
)

// reader takes fields from one object and notes what is wrong with them, apart from their types.
type reader struct {
	v  *value // nil where the object is absent
	f  *faults
	in string // the field that holds the object, "" for the record
}

// note keeps the first field of a kind of fault, as its path.
func (r reader) note(first *string, name string) {
	if *first != "" {
		return
	}
	if r.in != "" {
		name = r.in + "." + name
	}
	*first = name
}

func (r reader) has(name string) bool { return r.v.get(name) != nil }

// field finds a field of a kind; nil where it is absent or of another type.
func (r reader) field(name string, required bool, kind byte) *value {
	x := r.v.get(name)
	if x == nil && required {
		r.note(&r.f.missing, name)
	}
	if x == nil || x.kind != kind {
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
		r.note(&r.f.badValue, name)
	}
	return x.text
}

// ids are optional ones that nothing here counts by.
func (r reader) ids(names ...string) {
	for _, name := range names {
		r.id(name, false)
	}
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
	if ok && (n < lo || n > hi) {
		r.note(&r.f.badValue, name)
	}
	return n
}

func (r reader) enum(name string, required bool, of []string) string {
	x := r.field(name, required, 's')
	if x == nil {
		return ""
	}
	if !slices.Contains(of, x.text) {
		r.note(&r.f.badEnum, name)
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
		r.note(&r.f.badValue, "currency")
	}
	return x.text
}

func (r reader) isFalse(name string) bool { return r.field(name, false, 'f') != nil }

func (r reader) object(name string, required bool) reader {
	return reader{r.field(name, required, 'o'), r.f, name}
}

// list returns a reader for each object of an array.
func (r reader) list(name string, required bool) []reader {
	x := r.field(name, required, 'a')
	if x == nil {
		return nil
	}
	out := make([]reader, 0, len(x.kids))
	for i := range x.kids {
		if x.kids[i].kind == 'o' {
			out = append(out, reader{&x.kids[i], r.f, name})
		}
	}
	return out
}

func naturalKey(id string, version int64) string {
	return id + "\x00" + strconv.FormatInt(version, 10)
}
