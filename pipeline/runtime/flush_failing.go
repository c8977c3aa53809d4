package runtime

import (
	"fmt"
	"time"

	"go.uber.org/zap"
)

// failing is what a writer knows of a sink that does not take rows. Guarded by the writer's mu.
type failing struct {
	err   error     // the last one; nil while writes succeed
	since time.Time // the first attempt that failed
	tells time.Time // when the next line of the log is due
	pause time.Duration
}

// Between two lines about the same outage.
const (
	failingFirstPause = time.Minute
	failingMaxPause   = 16 * time.Minute
)

func (f *failing) failed(at time.Time, err error) {
	if f.err == nil {
		f.since, f.tells, f.pause = at, at, failingFirstPause
	}
	f.err = err
}

// due: this failure is worth a line.
func (f *failing) due(now time.Time) bool {
	if now.Before(f.tells) {
		return false
	}
	f.tells = now.Add(f.pause)
	f.pause = min(2*f.pause, failingMaxPause)
	return true
}

// attemptFailed is called by a sink that tries again by itself: its Write goes on for as long as SinkTimeout, and the rows are as late as if it had returned.
func (w *sinkWriter) attemptFailed(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failing.failed(time.Now(), err)
}

// wrote is called with mu held.
func (w *sinkWriter) wrote(now time.Time, err error) {
	f := &w.failing
	switch {
	case err != nil:
		f.failed(w.began, err)
		if f.due(now) {
			w.log.Warn("sink write failed, the rows stay dirty and are written again with fresh values", zap.Error(err), zap.Duration("failing_for", now.Sub(f.since)))
		}
	case f.err != nil:
		w.log.Info("sink writes again", zap.Duration("was_away", now.Sub(f.since)))
		f.err = nil
	}
}

// failure is the sink's last error while it lasts.
func (w *sinkWriter) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failing.err == nil {
		return nil
	}
	return fmt.Errorf("sink failing for %s: %w", ago(w.failing.since), w.failing.err)
}

// failingFor is how long the sink has been failing, in seconds.
func (w *sinkWriter) failingFor(now int64) float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failing.err == nil {
		return 0
	}
	return seconds(now - w.failing.since.UnixMilli())
}
