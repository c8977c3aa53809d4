package runtime

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// sinkWriter merges what the partitions of this process flush into one batch per write: fewer and larger inserts. At most one write is
// in flight. A partition flushes only when asked, and is asked only when all it flushed before is acknowledged, so that while the sink
// is slow or away its changes coalesce inside the task, and memory follows cells, not time.
type sinkWriter struct {
	cfg     *ReaderConfig
	log     *zap.Logger
	metrics *readerMetrics
	pace    pace
	kicked  chan struct{} // a partition that stops does not wait for the interval
	answers chan struct{} // the last asked partition has answered

	// run's goroutine only
	doubt bool  // the last write failed: see stillHas
	lost  error // the store has lost rows: nothing is written any more

	failing failing

	mu      sync.Mutex
	open    *openBatch
	handles map[*flushHandle]struct{}
	asked   int       // handles that have not answered yet
	began   time.Time // the last write
	turn    int       // counts the beginnings and ends of writes
}

// openBatch is being collected, or in flight.
type openBatch struct {
	batch   rollup.Batch
	members []member
}

type member struct {
	h     *flushHandle
	token uint64
	kinds kinds
}

// flushHandle is what the writer knows of one running task. asks and acks hold one message each and never block the writer: a handle
// is asked once until it answers, and has one token outstanding at most.
type flushHandle struct {
	partition int32
	asks      chan struct{}
	acks      chan ack

	owed   atomic.Int64 // up to which offset the store must have its rows, 0 for none: see stillHas
	dirty  atomic.Bool  // there is something to flush
	behind atomic.Bool
	urgent atomic.Bool // stopping
	more   atomic.Bool // the last flush was a piece: the next one is to follow

	// guarded by the writer's mu
	asked    bool
	inFlight bool
	refused  kinds
	last     time.Time
}

type ack struct {
	token uint64
	ok    bool
	at    time.Time
}

func newSinkWriter(cfg *ReaderConfig, log *zap.Logger, m *readerMetrics) *sinkWriter {
	return &sinkWriter{cfg: cfg, log: log, metrics: m, pace: newPace(cfg), kicked: make(chan struct{}, 1), answers: make(chan struct{}, 1),
		failing: failing{log: log}, open: &openBatch{}, handles: map[*flushHandle]struct{}{}}
}

// register a task that has been restored.
func (w *sinkWriter) register(partition int32) *flushHandle {
	h := &flushHandle{partition: partition, asks: make(chan struct{}, 1), acks: make(chan ack, 1)}
	w.mu.Lock()
	w.handles[h] = struct{}{}
	w.mu.Unlock()
	return h
}

// unregister forgets a task. Rows it has in flight are still written: they are true.
func (w *sinkWriter) unregister(h *flushHandle) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.handles, h)
	w.answered(h)
}

func (w *sinkWriter) kick() {
	select {
	case w.kicked <- struct{}{}:
	default:
	}
}

// run writes until ctx ends. A panic of the sink ends the process by fail.
func (w *sinkWriter) run(ctx context.Context, fail context.CancelCauseFunc) {
	defer func() {
		if p := recover(); p != nil {
			fail(fmt.Errorf("sink panicked: %v\n%s", p, debug.Stack()))
		}
	}()
	var (
		backoff time.Duration
		started time.Time
		spare   = &openBatch{}
	)
	for w.wait(ctx, w.pace.next()-time.Since(started), backoff) {
		started = time.Now()
		w.ask(started)
		w.gather(ctx)
		b := w.swap(spare)
		if len(b.members) == 0 {
			spare = b
			w.idle()
			continue
		}
		rows := b.batch.Rows()
		err := w.stillHas(ctx)
		if err == nil {
			err = w.write(ctx, b)
		} else if older := (*OlderStoreError)(nil); w.lost == nil && errors.As(err, &older) {
			w.lost = err
			fail(err)
		}
		w.doubt = err != nil
		w.settle(b, err)
		took := time.Since(started)
		w.metrics.wrote(rows, took, err)
		if err != nil {
			backoff = min(max(2*backoff, 100*time.Millisecond), 5*time.Second)
			spare = &openBatch{} // the sink may still hold on to the batch
			continue
		}
		backoff, spare = 0, b
		w.pace.wrote(rows, took)
	}
}

// wait for the next write. A kick shortens the interval, not the back-off after a failure.
func (w *sinkWriter) wait(ctx context.Context, interval, backoff time.Duration) bool {
	if backoff > 0 {
		return pause(ctx, nil, backoff)
	}
	return pause(ctx, w.kicked, interval)
}

func pause(ctx context.Context, wake <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-t.C:
	}
	return ctx.Err() == nil
}

// ask every task that has something to flush and nothing in flight.
func (w *sinkWriter) ask(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.answers: // of the round before
	default:
	}
	for h := range w.handles {
		pace := w.pace.next() / 2 // another partition's piece or stop does not hasten this one; half, since an answer comes a little after the question
		if h.behind.Load() {
			pace = w.cfg.FlushBehind
		}
		early := now.Sub(h.last) < pace
		if h.asked || h.inFlight || !h.dirty.Load() || early && !h.urgent.Load() && !h.more.Load() {
			continue
		}
		h.asked = true
		w.asked++
		h.asks <- struct{}{}
	}
	if w.asked == 0 {
		w.wakeGather()
	}
}

// gather waits for the answers, but not for long: a task in the middle of a large record, or of a restore, answers into the next batch.
func (w *sinkWriter) gather(ctx context.Context) {
	pause(ctx, w.answers, min(w.cfg.FlushHot/2, 100*time.Millisecond))
}

func (w *sinkWriter) wakeGather() {
	select {
	case w.answers <- struct{}{}:
	default:
	}
}

func (w *sinkWriter) answered(h *flushHandle) {
	if !h.asked {
		return
	}
	h.asked = false
	w.asked--
	if w.asked == 0 {
		w.wakeGather()
	}
}

func (w *sinkWriter) swap(next *openBatch) *openBatch {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.open
	next.members = next.members[:0]
	next.batch.Reset()
	w.open = next
	b.batch.Epoch = w.cfg.Epoch
	b.batch.Cells = slices.DeleteFunc(b.batch.Cells, func(c *rollup.Cells) bool { return len(c.Grain) == 0 })
	return b
}

// join lets the task of h flush into the open batch. It is called on the task's goroutine. With wait false it gives up when another
// task is flushing, so that a busy task goes on applying instead; it was not asked in vain, it comes back.
func (w *sinkWriter) join(h *flushHandle, wait bool, flush func(*rollup.Batch) uint64) (token uint64, rows int, joined bool) {
	if wait {
		w.mu.Lock()
	} else if !w.mu.TryLock() {
		return 0, 0, false
	}
	defer w.mu.Unlock()
	before := w.open.batch.Kinds()
	done := false
	defer func() {
		if !done { // the task panicked half-way through a row
			w.open = &openBatch{}
		}
	}()
	token = flush(&w.open.batch)
	done = true
	rows, of := added(before, w.open.batch.Kinds())
	h.last = time.Now()
	if rows > 0 {
		h.inFlight = true
		w.open.members = append(w.open.members, member{h, token, of})
	}
	w.answered(h)
	return token, rows, true
}

// acknowledged is called on the task's goroutine once it has taken an ack.
func (w *sinkWriter) acknowledged(h *flushHandle) {
	w.mu.Lock()
	h.inFlight = false
	w.mu.Unlock()
}

func (w *sinkWriter) write(ctx context.Context, b *openBatch) error {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.SinkTimeout)
	defer cancel()
	w.mu.Lock()
	began := time.Now()
	w.began = began
	w.turn++
	turn := w.turn
	w.mu.Unlock()
	silent := time.AfterFunc(sinkStall, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if _, err := w.failing.now(); err == nil && w.turn == turn {
			w.failing.failed(began, errSinkSilent, sinkFailed)
		}
	})
	defer silent.Stop()
	return w.cfg.Sink.Write(rollup.WithAttempts(ctx, w.attemptFailed), &b.batch)
}

// settle tells the members how their rows fared.
func (w *sinkWriter) settle(b *openBatch, err error) {
	now := time.Now()
	for _, m := range b.members {
		m.h.acks <- ack{m.token, err == nil, now}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn++
	w.wrote(b.members, err)
}
