package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	askEvery     = time.Second     // a question to Kafka
	answerWithin = time.Second     // else it counts as none
	failGrace    = time.Second     // of batches without one that is acknowledged: a partition without a leader is not all of Kafka
	trialAfter   = 5 * time.Second // without a batch that failed: the next one is let come, to try
)

// health is what is known of Kafka: from the batches, and from a question every second, which a Kafka may answer that takes no records.
//
// What holds: a Kafka that falls silent makes the gateway not ready within askEvery and answerWithin, and with its first answer it is ready again.
// While batches fail and none is acknowledged it is not ready, from failGrace on. And not ready is never a trap: a load balancer sends nothing any
// more that could succeed, so trialAfter the last failure it is ready, and not ready again with the first batch that fails then.
type health struct {
	mu      sync.Mutex
	acked   time.Time // when a batch was, last
	refused time.Time // when the first batch was not that came after it; zero if none
	last    time.Time // when the last one was not
	why     error     // its error
	asked   time.Time // when the first question went that has no answer; zero if all have
	silence error     // what came instead, nil while an answer may still come
	heard   time.Time // when the last silence ended
}

// Outage of Kafka as the gateway sees it.
type Outage struct {
	Silent bool // it does not answer at all; else it takes no records
	Since  time.Time
	Why    error // nil where there is no more to say
}

func (o *Outage) Error() string {
	what := "Kafka takes no records"
	if o.Silent {
		what = "Kafka does not answer"
	}
	text := fmt.Sprintf("%s, for %.0f s", what, time.Since(o.Since).Seconds())
	if o.Why != nil {
		text += ": " + o.Why.Error()
	}
	return text
}

func (o *Outage) Unwrap() error { return o.Why }

// batch takes what became of one that was handed to Kafka's client then.
func (h *health) batch(handed time.Time, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if err == nil {
		h.acked, h.refused, h.why = now, time.Time{}, nil
		return
	}
	if handed.Before(h.heard) { // it failed because of the silence, however late that is told: the client may wait ten seconds more
		return
	}
	if h.refused.IsZero() {
		h.refused = now
	}
	h.last, h.why = now, err
}

// asks is called with each question.
func (h *health) asks() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asked.IsZero() {
		h.asked = time.Now()
	}
}

// answered is called with the answer, or with what came instead.
func (h *health) answered(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil && h.silent() != nil {
		h.refused, h.why, h.heard = time.Time{}, nil, time.Now() // the batches failed because of that
	}
	if err == nil {
		h.asked, h.silence = time.Time{}, nil
		return
	}
	h.silence = err
}

// silent is nil while Kafka answers. A batch that was acknowledged a moment ago is an answer, too.
func (h *health) silent() *Outage {
	waits := !h.asked.IsZero() && time.Since(h.asked) >= answerWithin
	if h.silence == nil && !waits || time.Since(h.acked) < answerWithin {
		return nil
	}
	o := &Outage{Silent: true, Since: h.asked, Why: h.silence}
	if errors.Is(o.Why, context.DeadlineExceeded) { // that is what it says already
		o.Why = nil
	}
	return o
}

func (h *health) refusing() *Outage {
	if h.refused.IsZero() {
		return nil
	}
	return &Outage{Since: h.refused, Why: h.why}
}

func (h *health) failing() *Outage {
	h.mu.Lock()
	defer h.mu.Unlock()
	if o := h.silent(); o != nil {
		return o
	}
	return h.refusing()
}

func (h *health) ready() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if o := h.silent(); o != nil {
		return fmt.Errorf("gateway: %w", o)
	}
	if o := h.refusing(); o != nil && time.Since(o.Since) >= failGrace && time.Since(h.last) < trialAfter {
		return fmt.Errorf("gateway: %w", o)
	}
	return nil
}

// report logs that an outage has begun, and that it is over, until ctx ends. It looks as often as watch asks, which an outage may hold up.
func (h *health) report(ctx context.Context, log *zap.Logger) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for told := (*Outage)(nil); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		o := h.failing()
		switch {
		case o != nil && told == nil:
			log.Warn("no events can be taken", zap.Error(o))
		case o == nil && told != nil:
			log.Info("events can be taken again", zap.Duration("after", time.Since(told.Since).Round(time.Millisecond)))
		}
		told = o
	}
}

// watch asks until ctx ends. A question may outlast its time limit: Kafka's client does not give up its first one on a connection.
func (h *health) watch(ctx context.Context, ask func(context.Context) error) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		h.asks()
		limited, cancel := context.WithTimeout(ctx, answerWithin)
		err := ask(limited)
		cancel()
		if ctx.Err() != nil {
			return
		}
		h.answered(err)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
