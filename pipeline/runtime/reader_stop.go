package runtime

import (
	"context"
	"fmt"
	"time"
)

// finish is the good end of a life: what changed is flushed and acknowledged if the sink can do that in StopTimeout, then a last
// checkpoint. What the sink did not acknowledge stays in the checkpoint and is sent by the next owner.
func (t *partition) finish() error {
	t.s.status.phase.Store("stopping")
	if t.flush != nil {
		t.lastFlush()
	}
	ctx, cancel := context.WithTimeout(t.ctx, t.r.cfg.StopTimeout)
	defer cancel()
	if t.saving != nil { // it is older than what the last one says: that goes on where this one ends
		t.save(0)
		if err := t.commit(ctx, t.saving); err != nil {
			return err
		}
		t.saving = nil
	}
	if t.committing {
		select {
		case err := <-t.committed:
			t.committing = false
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return fmt.Errorf("partition %d of %s: the checkpoint on its way took longer than the stop allows: %w", t.s.id, t.r.cfg.Topic, ctx.Err())
		}
	}
	if !t.worthIt() {
		return nil
	}
	t.beginSnapshot()
	t.save(0)
	return t.commit(ctx, t.saving)
}

// lastFlush asks until one flush of all that changed up to the last offset has been acknowledged, or the time is over.
func (t *partition) lastFlush() {
	limit := time.NewTimer(t.r.cfg.StopTimeout)
	defer limit.Stop()
	if t.observe(); t.flushed == t.next && t.stats.DirtyCells == 0 && !t.flying {
		return
	}
	t.task.Last()
	t.last, t.flushed, t.flushAt = true, -1, -1 // what was flushed before may have left rows out
	t.flush.urgent.Store(true)
	t.flush.more.Store(false) // what is on its way is part of another round
	for t.flushed != t.next {
		t.flush.dirty.Store(true)
		t.r.writer.kick()
		select {
		case <-t.flush.asks:
			t.flushNow(true)
		case a := <-t.flush.acks:
			t.acked(a)
		case <-limit.C:
			return
		case <-t.ctx.Done():
			return
		}
	}
}
