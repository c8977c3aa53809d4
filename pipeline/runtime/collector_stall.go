package runtime

import (
	"time"

	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// A source that brings nothing, and of which nobody can say that it is idle, holds the watermark: its leader is away, or it cannot be read. After
// collector.stall_after its owner says so in the log, and readers go on without it until something comes of it. What that is counts as every other event, late.

// stallLoop is how long the session's loop may have stood still for its owner to have looked after the sources: one that was suspended has not.
const stallLoop = 5 * time.Second

// lookStalled tells which sources have stalled, and again every minute: readers may have lost what was told while they were told of progress.
func (s *collectorSession) lookStalled(now time.Time) {
	slept := now.Sub(s.looked) > stallLoop
	s.looked = now
	if s.cfg.StallAfter <= 0 {
		return
	}
	var items []eventlog.ProgressItem
	for _, src := range s.sources {
		if slept || len(src.queue) > 0 || src.moved.IsZero() {
			src.moved = now
		}
		still := now.Sub(src.moved) >= s.cfg.StallAfter
		if still && src.stalled.IsZero() {
			s.log.Warn("a source brings nothing and cannot be asked whether there is more: the watermark goes on without it, and what comes of it later is late (collector.stall_after)",
				zap.String("topic", src.feed.name), zap.Int32("partition", src.partition), zap.Int64("offset", src.next), zap.Duration("for", now.Sub(src.moved).Round(time.Second)))
		}
		switch {
		case !still && !src.stalled.IsZero():
			s.log.Info("a source that had stalled goes on", zap.String("topic", src.feed.name), zap.Int32("partition", src.partition), zap.Int64("offset", src.next))
			src.stalled = time.Time{}
		case still && now.Sub(src.stalled) >= time.Minute:
			src.stalled = now
			items = append(items, eventlog.ProgressItem{Source: src.id, Offset: src.next - 1, Recv: s.known(src)})
		}
	}
	if len(items) > 0 {
		s.toAll(eventlog.AppendStalled(nil, &eventlog.Progress{Items: items}))
	}
}

// known is up to when all that was received of a source is in blocks, ms; 0 while nothing is known.
func (s *collectorSession) known(src *collectorSource) int64 {
	if idle := src.idle(s.nowMS()); idle != 0 {
		return max(src.recv, idle-s.cfg.IdleGrace.Milliseconds())
	}
	return src.recv
}
