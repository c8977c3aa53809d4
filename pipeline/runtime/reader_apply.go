package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// apply one portion, looking after the sink writer's messages between two records.
func (t *partition) apply(fs kgo.Fetches) error {
	var failed error
	fs.EachPartition(func(p kgo.FetchTopicPartition) {
		if p.Err != nil && failed == nil {
			failed = t.fetchError(p.Err)
		}
		t.high = max(t.high, p.HighWatermark)
		for _, rec := range p.Records {
			if failed != nil {
				return
			}
			failed = t.applyRecord(rec)
		}
	})
	if failed != nil {
		return failed
	}
	t.observe()
	return nil
}

func (t *partition) applyRecord(rec *kgo.Record) error {
	if rec.Offset < t.next { // an earlier record of the same batch
		return nil
	}
	if rec.Offset > t.next {
		if err := t.gap(rec.Offset); err != nil {
			return err
		}
	}
	if err := t.applyTask(rec); err != nil {
		if p := (*panicked)(nil); errors.Is(err, errPoison) || errors.As(err, &p) {
			return err
		}
		if errors.Is(err, ErrOtherLife) {
			err = fmt.Errorf("%w. %s", err, t.r.anew())
		}
		return fatal("partition %d of %s: record at offset %d: %w", t.s.id, t.r.cfg.Topic, rec.Offset, err)
	}
	t.next = rec.Offset + 1
	first := !t.begun
	t.begun, t.changed = true, true
	if t.flush == nil {
		if first { // soon: a later life is to begin where this one did, whatever retention takes
			t.checkpoint()
		}
		return nil
	}
	if first {
		if err := t.saveFirst(); err != nil {
			return err
		}
	}
	if t.fresh.applied(t.task.Stats().MaxRecv, t.behind) && t.behind {
		t.r.metrics.behind.Inc()
	}
	if !t.flush.dirty.Load() {
		t.flush.dirty.Store(true)
	}
	select {
	case <-t.flush.asks:
		t.flushNow(false)
	case a := <-t.flush.acks:
		t.acked(a)
	default:
	}
	return nil
}

// gap: offsets are no count of records, but a gap may also be what retention took while we were not looking.
func (t *partition) gap(to int64) error {
	ctx, cancel := context.WithTimeout(t.ctx, commitLimit)
	defer cancel()
	starts, err := t.r.admin.ListStartOffsets(ctx, t.r.cfg.Topic)
	if err != nil {
		return fmt.Errorf("%s: list start offsets at a gap from %d to %d: %w", t.r.cfg.Topic, t.next, to, err)
	}
	if first, ok := starts.Lookup(t.r.cfg.Topic, t.s.id); ok && first.Offset > t.next {
		return t.r.lost(t.s.id, t.next, first.Offset)
	}
	return nil
}

func (t *partition) fetchError(err error) error {
	var loss *kgo.ErrDataLoss
	if errors.Is(err, kerr.OffsetOutOfRange) || errors.As(err, &loss) {
		return fatal("partition %d of %s: the log no longer has offset %d: retention or a broker's loss removed it. %s: %w",
			t.s.id, t.r.cfg.Topic, t.next, t.r.anew(), err)
	}
	return fmt.Errorf("partition %d of %s: fetch at offset %d: %w", t.s.id, t.r.cfg.Topic, t.next, err)
}

// flushNow answers the writer. While behind only finished rows leave, unless the dirty cells are what stops the input.
func (t *partition) flushNow(wait bool) {
	w := t.r.writer
	at, behind := t.next, t.behind && !t.full && !t.last && !t.anew
	more := false
	token, rows, joined := w.join(t.flush, wait, func(b *rollup.Batch) (token uint64) {
		token, more = t.task.Flush(b, behind)
		return token
	})
	if !joined {
		t.flush.asks <- struct{}{} // it was just taken out: look again after the next record
		return
	}
	given := t.flush.more.Load() && t.roundBehind != behind
	if given { // the task has begun another round: what the former would have shown goes on waiting
		t.fresh.acked(false, time.Time{}, t.r.metrics)
	}
	if !t.flush.more.Swap(more) || given { // a round begins: it speaks for what was applied before it
		t.roundAt, t.roundBehind = at, behind
		t.fresh.flushed(behind)
	}
	t.flying = more || rows > 0
	switch {
	case more: // there are rows, too
		t.flushAt = t.flushed
	case rows == 0:
		t.task.Ack(token)
		t.flushed, t.anew = t.roundAt, false
		if !behind {
			t.fresh.flying = t.fresh.flying[:0] // they changed no row
		}
	default:
		t.flushAt = t.roundAt
	}
	t.flush.dirty.Store(more)
	t.observe()
	if rows == 0 && t.stats.unacknowledged() == 0 {
		w.settled(t.flush)
	}
}

func (t *partition) acked(a ack) {
	t.flying = false
	more := t.flush.more.Load()
	switch {
	case !a.ok:
		t.task.Nack(a.token)
		t.flush.dirty.Store(true)
		t.flush.more.Store(false) // the round begins anew
		t.fresh.acked(false, a.at, t.r.metrics)
	case more:
		t.task.Ack(a.token)
	default:
		t.task.Ack(a.token)
		t.flushed, t.anew = t.flushAt, false
		t.fresh.acked(true, a.at, t.r.metrics)
	}
	t.changed = true
	t.r.writer.acknowledged(t.flush)
	if a.ok && more {
		t.r.writer.kick()
	}
	t.observe()
}
