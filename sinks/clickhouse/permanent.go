package clickhouse

import (
	"errors"
	"fmt"

	ch "github.com/ClickHouse/clickhouse-go/v2"
)

// Kind is what a permanent error is about.
type Kind int

// Kinds of permanent errors; NotPermanent is that of all others.
const (
	NotPermanent Kind = iota
	Credentials       // who the user is
	Right             // what the user may
	Missing           // the database or a table has not been made
	Other             // the server's version, or the schema's
)

// permanentCodes are ClickHouse's errors that no repetition mends, with what to do about them. Everything else is tried again: a server
// that restarts, is out of memory or has too many parts comes back.
var permanentCodes = map[int32]struct {
	kind Kind
	hint string
}{
	6:   {Other, "the server does not read this type: is the schema of this version applied?"},
	16:  {Other, "a column is missing: run `livemeter schema apply`"},
	20:  {Other, "the number of columns differs: run `livemeter schema apply`"},
	36:  {Other, "the server refused the statement"},
	44:  {Other, "the statement names a column twice or not at all"},
	46:  {Other, "the server lacks a function: ClickHouse 24 or later is needed"},
	47:  {Other, "a column is missing: run `livemeter schema apply`"},
	50:  {Other, "the server does not know a type: ClickHouse 24 or later is needed"},
	53:  {Other, "a column has another type: run `livemeter schema` and compare"},
	60:  {Missing, "a table is missing: within eight minutes UNDROP TABLE brings it back with its rows; `livemeter schema apply`, with the same clickhouse.addr, makes it anew, without them"},
	62:  {Other, "the server does not understand the statement: ClickHouse 24 or later is needed"},
	81:  {Missing, "the database is missing: `livemeter schema apply`, with the same clickhouse.addr, makes it anew, without the rows it had"},
	115: {Other, "the server does not know a setting: ClickHouse 24 or later is needed"},
	164: {Right, "the user may only read: grant INSERT"},
	192: {Credentials, "no such user: see clickhouse.user"},
	193: {Credentials, "wrong password: see clickhouse.password"},
	194: {Credentials, "a password is needed: see clickhouse.password"},
	291: {Right, "the user may not use the database: grant it"},
	497: {Right, "the user lacks a right: grant it"},
	516: {Credentials, "user or password are wrong: see clickhouse.user and clickhouse.password"},
}

// PermanentError is an error that trying again cannot mend.
type PermanentError struct {
	Table string
	Hint  string
	Err   error
}

func (e *PermanentError) Error() string {
	return fmt.Sprintf("clickhouse: table %s: %s: %v", e.Table, e.Hint, e.Err)
}

func (e *PermanentError) Unwrap() error { return e.Err }

// Explain says what kind of permanent error it is, and what to do about it: that is empty where the error says so itself.
func Explain(err error) (kind Kind, hint string) {
	var ex *ch.Exception
	if errors.As(err, &ex) {
		known := permanentCodes[ex.Code]
		kind, hint = known.kind, known.hint
	}
	if perm := (*PermanentError)(nil); errors.As(err, &perm) {
		if kind == NotPermanent { // the sink's own doing, without the server
			kind = Other
		}
		return kind, ""
	}
	return kind, hint
}

// classify returns a PermanentError where the server's code is one.
func classify(table string, err error) error {
	kind, hint := Explain(err)
	switch {
	case kind == NotPermanent:
		return fmt.Errorf("clickhouse: table %s: %w", table, err)
	case hint == "":
		return err
	}
	return &PermanentError{Table: table, Hint: hint, Err: err}
}

// IsPermanent tells an error that trying again cannot mend.
func IsPermanent(err error) bool {
	kind, _ := Explain(err)
	return kind != NotPermanent
}
