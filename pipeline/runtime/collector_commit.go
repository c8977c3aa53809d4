package runtime

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

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
			offsets[src.partition] = src.position(src.acked)
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
		s.commitFails.failed(time.Now(), err, "collector commit failed; records will be repeated after a restart")
	}
	s.metrics.commits.WithLabelValues(f.name, result).Inc()
	return err
}
