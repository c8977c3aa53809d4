package event

import "math"

// The classes of contract.md, Outcomes, 6, in their order.
const (
	classMissing = iota
	classType
	classEnum
	classValue
	numClasses
)

var classReasons = [numClasses]Reason{MissingField, BadType, BadEnum, BadValue}

// demand is what a record asks of one field.
type demand uint8

const (
	typed    demand = iota // a known field its action or kind does not use: only its type is checked, and its value is left out
	used                   // checked for type and range if it is there
	required               // used, and must be there
)

func usedIf(c bool) demand {
	if c {
		return used
	}
	return typed
}

func requiredIf(c bool) demand {
	if c {
		return required
	}
	return typed
}

func (s *strict) note(class int, f fieldID) {
	if s.wrong[class] == "" {
		s.wrong[class] = fieldPaths[f]
	}
}

// value gives the raw value of f if it is there and begins with one of the bytes that its type begins with.
func (s *strict) value(f fieldID, d demand, first string) ([]byte, bool) {
	v := s.raw[f]
	if v == nil {
		if d == required {
			s.note(classMissing, f)
		}
		return nil, false
	}
	for i := range len(first) {
		if v[0] == first[i] {
			return v, true
		}
	}
	s.note(classType, f)
	return nil, false
}

const (
	stringFirst = `"`
	numberFirst = "-0123456789"
	boolFirst   = "tf"
	objectFirst = "{"
	arrayFirst  = "["
)

// text is a string without a rule of its own.
func (s *strict) text(f fieldID) { s.value(f, typed, stringFirst) }

// textID is a string without a rule of its own, "" where it is no valid id.
func (s *strict) textID(f fieldID) string {
	v, ok := s.value(f, typed, stringFirst)
	if !ok {
		return ""
	}
	return idOrNone(unquote(v))
}

func idOrNone(s string) string {
	if !validID(s) {
		return ""
	}
	return s
}

// id is "" where absent, unused or wrong.
func (s *strict) id(f fieldID, d demand) string {
	v, ok := s.value(f, d, stringFirst)
	if !ok || d == typed {
		return ""
	}
	id := unquote(v)
	if !validID(id) {
		s.note(classValue, f)
		return ""
	}
	return id
}

// validID: 1–128 bytes of UTF-8 without U+0000–1F and U+007F. Escapes count as what they mean.
func validID(id string) bool {
	for i := range len(id) {
		if id[i] < ' ' || id[i] == 0x7f {
			return false
		}
	}
	return len(id) >= 1 && len(id) <= MaxIDBytes
}

// enum gives the index of the value in names, and whether there is one.
func (s *strict) enum(f fieldID, d demand, names []string) (int, bool) {
	v, ok := s.value(f, d, stringFirst)
	if !ok || d == typed {
		return 0, false
	}
	i := indexOf(names, unquote(v))
	if i < 0 {
		s.note(classEnum, f)
		return 0, false
	}
	return i, true
}

func indexOf(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

// integer is 0 and false where absent, unused or wrong.
func (s *strict) integer(f fieldID, d demand, lowest, highest int64) (int64, bool) {
	v, ok := s.value(f, d, numberFirst)
	if !ok {
		return 0, false
	}
	n, ok := parseInt(v)
	if !ok {
		s.note(classType, f)
		return 0, false
	}
	if d == typed {
		return 0, false
	}
	if n < lowest || n > highest {
		s.note(classValue, f)
		return 0, false
	}
	return n, true
}

func (s *strict) money(f fieldID, d demand) int64 {
	n, _ := s.integer(f, d, 0, MaxMoney)
	return n
}

func (s *strict) time(f fieldID, d demand) int64 {
	n, _ := s.integer(f, d, 0, MaxTime)
	return n
}

func (s *strict) positive(f fieldID, d demand) int64 {
	n, _ := s.integer(f, d, 1, math.MaxInt64)
	return n
}

// anyInteger has no rule but its type: cost_version, stock_version, available, reserved.
func (s *strict) anyInteger(f fieldID, d demand) int64 {
	n, _ := s.integer(f, d, math.MinInt64, math.MaxInt64)
	return n
}

// boolean is false where absent or wrong; ok tells them apart.
func (s *strict) boolean(f fieldID, d demand) (value, ok bool) {
	v, ok := s.value(f, d, boolFirst)
	if !ok || d == typed {
		return false, false
	}
	return v[0] == 't', true
}

// currency is three capitals A–Z.
func (s *strict) currency(d demand) string {
	v, ok := s.value(fCurrency, d, stringFirst)
	if !ok || d == typed {
		return ""
	}
	c := unquote(v)
	if !validCurrency(c) {
		s.note(classValue, fCurrency)
		return ""
	}
	return c
}

func validCurrency(c string) bool {
	if len(c) != 3 {
		return false
	}
	for i := range 3 {
		if c[i] < 'A' || c[i] > 'Z' {
			return false
		}
	}
	return true
}

// nested collects the members of an object-valued field; false if there is none to look into.
func (s *strict) nested(f fieldID, d demand, in scope) bool {
	v, ok := s.value(f, d, objectFirst)
	if ok {
		s.collect(in, v)
	}
	return ok
}
