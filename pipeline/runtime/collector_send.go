package runtime

import (
	"context"
	"time"

	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// launch closes the batch being built, with all open blocks and, where it is due, the progress after them, and sends it. What its sources have
// in blocks by now is what its acknowledgement covers.
func (s *collectorSession) launch(now time.Time) {
	due := s.progressDue(now) // before the clock of idle sources is read
	for p := range int(s.cfg.Settings.Partitions) {
		s.seal(p)
	}
	if due {
		s.pace.progress = now
		s.promise()
	}
	s.oldest = time.Time{}
	if s.build.n == 0 {
		return
	}
	for _, src := range s.sources {
		src.flying = src.next
	}
	s.metrics.inflight.Set(float64(s.build.bytes))
	s.under, s.build, s.idle = s.build, s.idle, nil
	s.sentAt = now
	s.cfg.Health.sends(time.Now())
	s.sender.in <- s.under
}

// promise appends a progress record of all owned sources for every partition: behind all blocks that hold what it claims.
func (s *collectorSession) promise() {
	items := s.progress.Items[:0]
	for t, f := range s.feeds {
		_, generation := f.client.GroupMetadata()
		for _, src := range s.sources {
			if src.feed != s.feeds[t] {
				continue
			}
			items = append(items, eventlog.ProgressItem{Source: src.id, Generation: generation, Offset: src.next - 1, Recv: s.known(src)})
		}
	}
	s.progress.Items = items
	s.toAll(eventlog.AppendProgress(nil, &s.progress))
	s.lookStalled(time.Now())
}

// acknowledged takes the answer for the batch under way.
func (s *collectorSession) acknowledged(err error) error {
	if err != nil {
		return err
	}
	s.metrics.ack.Observe(s.cfg.Now().Sub(s.sentAt).Seconds())
	s.metrics.inflight.Set(0)
	s.cfg.Health.sends(time.Time{})
	for _, src := range s.sources {
		s.moved = s.moved || src.flying > src.acked
		src.acked = src.flying
	}
	s.spare = s.under.reset(s.spare)
	s.idle, s.under = s.under, nil
	return nil
}

// drain sends everything taken so far and waits until it is acknowledged.
func (s *collectorSession) drain(ctx context.Context) error {
	if err := s.await(ctx); err != nil {
		return err
	}
	s.launch(s.cfg.Now())
	return s.await(ctx)
}

func (s *collectorSession) await(ctx context.Context) error {
	if s.under == nil {
		return nil
	}
	select {
	case err := <-s.sender.out:
		return s.acknowledged(err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// publish brings counters and lags up to date.
func (s *collectorSession) publish(now time.Time) {
	s.pace.publish = now
	s.metrics.limit.Set(float64(s.cfg.MaxInflightBytes))
	s.metrics.up.Set(bit(s.cfg.Health.Ready() == nil))
	for _, f := range s.feeds {
		s.metrics.queue.WithLabelValues(f.name).Set(float64(f.queued))
	}
	for _, src := range s.sources {
		s.metrics.publish(src, now.UnixMilli())
	}
}

// repeat tells settings and sources again, when that is due. It comes with what was just asked for: who begins to read there would take a list that is
// no longer true for the first one. Who has no source sends nothing.
func (s *collectorSession) repeat(now time.Time) {
	if len(s.sources) > 0 && now.Sub(s.pace.settings) >= s.cfg.SettingsEvery {
		s.pace.settings = now
		s.toAll(eventlog.AppendRepeated(nil, &s.cfg.Settings))
		s.toAll(eventlog.AppendSources(nil, &s.sourcesRec))
	}
}
