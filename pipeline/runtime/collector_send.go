package runtime

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

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
		idle := f.idleSince()
		for _, src := range s.sources {
			if src.feed != s.feeds[t] {
				continue
			}
			recv := src.recv
			if idle != 0 && src.atEnd() && f.vouches(src) {
				recv = max(recv, min(idle, s.nowMS())-s.cfg.IdleGrace.Milliseconds())
			}
			items = append(items, eventlog.ProgressItem{Source: src.id, Generation: generation, Offset: src.next - 1, Recv: recv})
		}
	}
	s.progress.Items = items
	s.toAll(eventlog.AppendProgress(nil, &s.progress))
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

// uncommitted are the acknowledged offsets of a feed, of all its partitions where parts is nil, that are not stored yet.
func (s *collectorSession) uncommitted(f *collectorFeed, parts map[int32]bool) map[int32]kgo.EpochOffset {
	var offsets map[int32]kgo.EpochOffset
	again := f.recommit.Load()
	if parts == nil {
		f.recommit.Store(false)
	}
	for _, src := range s.sources {
		if src.feed == f && (again || src.acked > src.stored) && (parts == nil || parts[src.partition]) {
			if offsets == nil {
				offsets = map[int32]kgo.EpochOffset{}
			}
			offsets[src.partition] = kgo.EpochOffset{Epoch: -1, Offset: src.acked}
			src.stored = src.acked
		}
	}
	return offsets
}

// commitLater commits in the background; a feed whose last commit is still under way is left for the next time. The feed's lock is taken here
// and not by the goroutine: who waits for the lock waits for a commit that has not begun yet, too.
func (s *collectorSession) commitLater() {
	for _, f := range s.feeds {
		select {
		case f.committing <- struct{}{}:
		default:
			continue
		}
		offsets := s.uncommitted(f, nil)
		if offsets == nil {
			<-f.committing
			continue
		}
		s.spawn(func() {
			defer func() { <-f.committing }()
			_ = s.commit(s.ctx, f, offsets) // told in log and metrics; the next one covers it
		})
	}
}

// commitNow waits for a commit in the background, and stores what that one left or failed to store.
func (s *collectorSession) commitNow(ctx context.Context, f *collectorFeed, parts map[int32]bool) error {
	select {
	case f.committing <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("commit %s: the one before is still under way: %w", f.name, context.Cause(ctx))
	}
	defer func() { <-f.committing }()
	if offsets := s.uncommitted(f, parts); offsets != nil {
		return s.commit(ctx, f, offsets)
	}
	return nil
}

// commit stores offsets; the caller holds the feed's lock: a slow commit must not overtake its successor. A failure loses nothing: the next
// commit covers it, or the next owner repeats.
func (s *collectorSession) commit(ctx context.Context, f *collectorFeed, offsets map[int32]kgo.EpochOffset) error {
	err := f.commit(ctx, offsets)
	result := "ok"
	if err != nil {
		result = "failed"
		f.recommit.Store(true)
		s.log.Warn("collector commit failed; records will be repeated after a restart", zap.Error(err))
	}
	s.metrics.commits.WithLabelValues(f.name, result).Inc()
	return err
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

// lookAround asks for the metadata of the raw topics in the background and takes the answer.
func (s *collectorSession) lookAround(now time.Time) error {
	select {
	case m := <-s.metadata:
		s.metadataOut = false
		s.cfg.Health.answered(m.err)
		if m.err != nil {
			s.log.Warn("collector metadata", zap.Error(m.err))
			return nil
		}
		if err := s.setSources(m.sources); err != nil {
			return err
		}
		s.repeat(now)
		return nil
	default:
	}
	if s.metadataOut || now.Sub(s.pace.metadata) < s.cfg.MetadataEvery {
		return nil
	}
	s.pace.metadata, s.metadataOut = now, true
	s.spawn(func() {
		found, err := collectorSources(s.ctx, s.adm, s.cfg)
		s.metadata <- collectorMetadata{found, err}
		s.wakeUp()
	})
	return nil
}
