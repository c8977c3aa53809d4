package clickhouse

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// outage is from the first attempt of an INSERT that failed to the first success while none is being repeated, over all tables: one line at its
// beginning, others at growing intervals, one at its end.
type outage struct {
	log *zap.Logger

	mu        sync.Mutex
	repeating int       // INSERTs that have failed and are tried again
	since     time.Time // zero while there is none
	attempts  int
	tells     time.Time
	pause     time.Duration
}

const (
	outageFirstPause = 15 * time.Second
	outageMaxPause   = 16 * time.Minute
)

// failed is called for each attempt; first: for the first of its INSERT.
func (o *outage) failed(table string, err error, first bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if first {
		o.repeating++
	}
	if o.since.IsZero() {
		o.since, o.attempts, o.tells, o.pause = now, 0, now.Add(outageFirstPause), outageFirstPause
		o.log.Warn("ClickHouse does not take rows; they are kept and tried again", zap.Error(err), zap.String("table", table))
	}
	if o.attempts++; now.Before(o.tells) {
		return
	}
	o.pause = min(2*o.pause, outageMaxPause)
	o.tells = now.Add(o.pause)
	o.log.Warn("ClickHouse still does not take rows", zap.Error(err), zap.String("table", table), zap.Duration("failing_for", now.Sub(o.since)), zap.Int("attempts", o.attempts))
}

// done is called when an INSERT comes to its end; repeated: after failures.
func (o *outage) done(stored, repeated bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if repeated {
		o.repeating--
	}
	if stored && o.repeating == 0 && !o.since.IsZero() {
		o.log.Info("ClickHouse takes rows again", zap.Duration("was_away", time.Since(o.since)), zap.Int("failed_attempts", o.attempts))
		o.since = time.Time{}
	}
}
