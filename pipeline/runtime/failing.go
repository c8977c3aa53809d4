package runtime

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// failing is what is known of something that fails and is tried again: one line of log at its beginning, others at growing intervals, and one at its end
// where that is seen.
type failing struct {
	log   *zap.Logger
	apart time.Duration // failures further apart are not of one outage, where nobody sees its end but for works; 0: somebody does

	mu    sync.Mutex
	err   error     // the last one; nil while nothing fails
	since time.Time // the first attempt that failed
	last  time.Time
	tells time.Time // when the next line of the log is due
	pause time.Duration
}

// Between two lines about the same outage; each pause is four times the one before.
const (
	failingFirstPause = 15 * time.Second
	failingMaxPause   = 16 * time.Minute
)

// failed: an attempt that began at that time has failed. line says what comes of it.
func (f *failing) failed(began time.Time, err error, line string, fields ...zap.Field) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if f.err == nil || f.apart > 0 && now.Sub(f.last) > f.apart {
		f.since, f.tells, f.pause = began, now, failingFirstPause
	}
	f.err, f.last = err, now
	if now.Before(f.tells) {
		return
	}
	f.log.Warn(line, append(fields, zap.Error(err), zap.Duration("failing_for", now.Sub(f.since).Round(time.Millisecond)))...)
	f.tells = now.Add(f.pause)
	f.pause = min(4*f.pause, failingMaxPause)
}

// ended: an attempt has succeeded.
func (f *failing) ended(line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		f.log.Info(line, zap.Duration("was_away", time.Since(f.since).Round(time.Millisecond)))
	}
	f.err = nil
}

// works is called where what fails is seen to work, as often as one likes: an outage of which nothing failed for a while is over. What comes and goes is one
// outage, and no two lines for each of its parts.
func (f *failing) works() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil && time.Since(f.last) > failingFirstPause {
		f.err = nil
	}
}

// now is the last error and the outage's beginning, nil while nothing fails.
func (f *failing) now() (since time.Time, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.since, f.err
}
