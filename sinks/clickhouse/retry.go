package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// permanentCodes are ClickHouse's errors that no repetition mends, with what to do about them. Everything else is tried again: a server
// that restarts, is out of memory or has too many parts comes back.
var permanentCodes = map[int32]string{
	6:   "the server does not read this type: is the schema of this version applied?",
	16:  "a column is missing: run `livemeter schema apply`",
	20:  "the number of columns differs: run `livemeter schema apply`",
	36:  "the server refused the statement",
	44:  "the statement names a column twice or not at all",
	46:  "the server lacks a function: ClickHouse 24 or later is needed",
	47:  "a column is missing: run `livemeter schema apply`",
	50:  "the server does not know a type: ClickHouse 24 or later is needed",
	53:  "a column has another type: run `livemeter schema` and compare",
	60:  "a table is missing: run `livemeter schema apply`",
	62:  "the server does not understand the statement: ClickHouse 24 or later is needed",
	81:  "the database is missing: run `livemeter schema apply`",
	115: "the server does not know a setting: ClickHouse 24 or later is needed",
	164: "the user may only read: grant INSERT",
	192: "no such user: see clickhouse.user",
	193: "wrong password: see clickhouse.password",
	194: "a password is needed: see clickhouse.password",
	497: "the user lacks a right: grant it",
	516: "user or password are wrong: see clickhouse.user and clickhouse.password",
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

// classify returns a PermanentError where the server's code is one.
func classify(table string, err error) error {
	var perm *PermanentError
	if errors.As(err, &perm) {
		return err
	}
	var ex *ch.Exception
	if errors.As(err, &ex) {
		if hint, ok := permanentCodes[ex.Code]; ok {
			return &PermanentError{Table: table, Hint: hint, Err: err}
		}
	}
	return fmt.Errorf("clickhouse: table %s: %w", table, err)
}

// IsPermanent tells an error that trying again cannot mend.
func IsPermanent(err error) bool {
	var perm *PermanentError
	return errors.As(classify("", err), &perm)
}

const firstBackoff = 50 * time.Millisecond

// retry calls f until it succeeds, its error is permanent or the connection's, the retries are used up, or ctx is done. A server that does not answer may be
// another one when it does again, with an older copy of the tables: the caller looks before anything is written to it. The caller hears of each attempt, too,
// and logs them: it knows whether it is one outage.
func (s *Sink) retry(ctx context.Context, table string, f func(context.Context) error) (err error) {
	wait := firstBackoff
	for attempt := 0; ; attempt++ {
		try, cancel := context.WithTimeout(ctx, s.cfg.WriteTimeout)
		err = f(try)
		cancel()
		if err == nil {
			return nil
		}
		err = classify(table, s.cause(err))
		var perm *PermanentError
		if errors.As(err, &perm) {
			s.m.errors.WithLabelValues(table, "permanent").Inc()
			return err
		}
		s.m.errors.WithLabelValues(table, "temporary").Inc()
		if ctx.Err() == nil { // else the caller knows
			rollup.AttemptFailed(ctx, err)
		}
		if lost := (*NoAnswerError)(nil); errors.As(err, &lost) {
			return err
		}
		if s.cfg.MaxRetries > 0 && attempt >= s.cfg.MaxRetries {
			return fmt.Errorf("given up after %d attempts: %w", attempt+1, err)
		}
		// Half fixed, half random: writers that failed together do not come back together.
		timer := time.NewTimer(wait/2 + rand.N(wait/2+1))
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-timer.C:
		}
		wait = min(wait*2, s.cfg.MaxBackoff)
		s.m.retries.WithLabelValues(table).Inc()
	}
}
