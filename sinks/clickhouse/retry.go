package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// The wait between two attempts of an INSERT doubles from the one to the other.
const (
	firstBackoff = 50 * time.Millisecond
	maxBackoff   = 5 * time.Second
)

// retry calls f until it succeeds, its error is permanent or the connection's, or ctx is done: the caller keeps the rows. A server that does not answer may be
// another one when it does again, with an older copy of the tables: the caller looks before anything is written to it. The caller hears of each attempt, too,
// and logs them: it knows whether it is one outage.
func (s *Sink) retry(ctx context.Context, table string, f func(context.Context) error) (err error) {
	wait := firstBackoff
	for {
		try, cancel := context.WithTimeout(ctx, s.cfg.WriteTimeout)
		err = f(try)
		if err != nil && try.Err() != nil && ctx.Err() == nil { // the driver may say no more than that
			err = &NoAnswerError{"no answer within " + s.cfg.WriteTimeout.String() + " (clickhouse.write_timeout)", err}
		}
		cancel()
		if err == nil {
			return nil
		}
		if errors.Is(ctx.Err(), context.Canceled) { // the INSERT of another table was refused, or the process stops: whatever the driver makes of that says nothing of this table
			return fmt.Errorf("clickhouse: table %s: %w (%w)", table, s.cause(err), ctx.Err())
		}
		err = classify(table, s.cause(err))
		var perm *PermanentError
		if errors.As(err, &perm) {
			s.m.errors.WithLabelValues(table, errorPermanent).Inc()
			return err
		}
		s.m.errors.WithLabelValues(table, errorTemporary).Inc()
		if ctx.Err() == nil { // else its time is over, which the caller knows
			rollup.AttemptFailed(ctx, err)
		}
		if lost := (*NoAnswerError)(nil); errors.As(err, &lost) {
			return err
		}
		// Half fixed, half random: writers that failed together do not come back together.
		timer := time.NewTimer(wait/2 + rand.N(wait/2+1))
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-timer.C:
		}
		wait = min(wait*2, maxBackoff)
		s.m.retries.WithLabelValues(table).Inc()
	}
}
