package runtime

import (
	"errors"
	"fmt"
	"time"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

const sinkFailed = "the sink does not take rows; they stay dirty and are written again with fresh values"

// attemptFailed is called by a sink that tries again by itself: its Write goes on for as long as SinkTimeout, and the rows are as late as if it had returned.
func (w *sinkWriter) attemptFailed(err error) { w.failing.failed(time.Now(), err, sinkFailed) }

// kinds is a set of those of rollup.Batch.
type kinds uint32

var _ = [32 - rollup.NumKinds]struct{}{} // they have a bit each

// added is how many rows a batch got, and of which kinds.
func added(before, after [rollup.NumKinds]int) (rows int, of kinds) {
	for k := range after {
		if n := after[k] - before[k]; n > 0 {
			rows += n
			of |= 1 << k
		}
	}
	return rows, of
}

// wrote is called with mu held. A write that succeeds does not end an outage by itself: one table may be refused, and not every flush has rows for it. What a
// partition was refused is over when its rows of each kind that was in that write have been taken.
func (w *sinkWriter) wrote(members []member, err error) {
	for _, m := range members {
		if err != nil {
			m.h.refused |= m.kinds
		} else {
			m.h.refused &^= m.kinds
		}
	}
	if err != nil {
		w.failing.failed(w.began, err, sinkFailed)
		return
	}
	for h := range w.handles {
		if h.refused != 0 {
			return
		}
	}
	w.failing.ended("the sink takes rows again")
}

// settled: the partition has nothing left that could be taken, be it that a row that was refused is one no more.
func (w *sinkWriter) settled(h *flushHandle) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h.refused = 0
}

// idle is called when there was nothing to write: an outage in which the partitions went to another process ends here, there will be no write to end it.
func (w *sinkWriter) idle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for h := range w.handles {
		if h.refused != 0 || h.dirty.Load() {
			return
		}
	}
	w.failing.ended("nothing is left here for the sink to take")
}

// sinkStall is how long a write may take before it counts as failing, though nobody says so: the server may be suspended, or the network drops all. One takes
// tenths of a second.
const sinkStall = 5 * time.Second

var errSinkSilent = errors.New("no answer to a write")

// failure is why the sink does not take rows, while it does not.
func (w *sinkWriter) failure() error {
	since, err := w.failing.now()
	if err == nil {
		return nil
	}
	return fmt.Errorf("sink failing for %s: %w", ago(since), err)
}

// failingFor is how long the sink has not been taking rows, in seconds.
func (w *sinkWriter) failingFor(now int64) float64 {
	since, err := w.failing.now()
	if err == nil {
		return 0
	}
	return seconds(now - since.UnixMilli())
}
