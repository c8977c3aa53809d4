package runtime

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// CollectorHealth tells from any goroutine whether a collector works. One belongs to one collector; its zero value is that of one that has not begun.
type CollectorHealth struct {
	mu    sync.Mutex
	up    bool      // a session takes records
	since time.Time // there is none
	why   error     // of the last one's end, or that Kafka does not answer to the one that runs; nil while there is nothing to tell
	sent  time.Time // when the batch under way was sent; zero while there is none
}

// collectorStall is how long Kafka may take for an acknowledgement before the collector is not ready. A working one sends ten batches a second.
const collectorStall = 5 * time.Second

// Ready is nil while a session takes records and Kafka acknowledges what it sends; else it says why not, and since when.
func (h *CollectorHealth) Ready() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.up && h.why != nil:
		return fmt.Errorf("no answer from Kafka: %w", h.why)
	case h.up && !h.sent.IsZero() && time.Since(h.sent) > collectorStall:
		return fmt.Errorf("no acknowledgement from Kafka for %s", ago(h.sent))
	case h.up:
		return nil
	case h.since.IsZero():
		return errors.New("not started yet")
	case h.why == nil:
		return fmt.Errorf("the groups of the raw topics have not assigned partitions yet, %s after the start", ago(h.since))
	}
	return fmt.Errorf("no session for %s: %w", ago(h.since), h.why)
}

func ago(t time.Time) time.Duration { return time.Since(t).Round(time.Second) }

// begin is called once, when the collector starts.
func (h *CollectorHealth) begin() {
	h.set(func() { h.up, h.since, h.why, h.sent = false, time.Now(), nil, time.Time{} })
}

func (h *CollectorHealth) running() { h.set(func() { h.up, h.why = true, nil }) }

// ended: what comes next begins again from the committed offsets.
func (h *CollectorHealth) ended(why error) {
	h.set(func() {
		if h.up {
			h.since = time.Now()
		}
		h.up, h.why, h.sent = false, why, time.Time{}
	})
}

// answered tells of a question to Kafka that has nothing to do with records: who owns no partition sends nothing.
func (h *CollectorHealth) answered(err error) {
	h.set(func() {
		if h.up {
			h.why = err
		}
	})
}

// sends is called with each batch that is handed over, and with the zero time when it is acknowledged.
func (h *CollectorHealth) sends(at time.Time) { h.set(func() { h.sent = at }) }

func (h *CollectorHealth) set(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}
