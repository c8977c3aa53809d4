package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

const (
	collectorFirstBackoff = 100 * time.Millisecond
	collectorMaxBackoff   = 10 * time.Second
)

// RunCollector moves the records of the raw topics into the log until ctx is cancelled; then it stops reading, sends and commits what it
// has, leaves its groups and returns nil. A session that fails — a record was refused, a partition was lost — is dropped as it is and
// the next one starts again from the committed offsets: a collector never sends past a failed record, and readers of the log drop what it
// repeats by its provenance. It returns an error for a mistake in the configuration, or when the finish fails, unless that is another's by then.
//
// Several collectors may share the work, in one process or in many.
func RunCollector(ctx context.Context, cfg CollectorConfig, log *zap.Logger, reg prometheus.Registerer) error {
	cfg = cfg.WithDefaults()
	if err := errors.Join(cfg.Validate(), cfg.takeKey()); err != nil {
		return collectorConfigError{fmt.Errorf("collector: %w", err)}
	}
	m, err := newCollectorMetrics(reg)
	if err != nil {
		return err
	}
	backoff, failed := collectorFirstBackoff, &failing{log: log, apart: time.Minute}
	memory := newCollectorMemory()
	cfg.Health.begin()
	m.up.Set(0)
	for ctx.Err() == nil {
		began := time.Now()
		moved, err := runCollectorSession(ctx, &cfg, log, m, memory)
		found := (*collectorCutOffError)(nil)
		if ctx.Err() != nil && errors.As(err, &found) && !moved {
			return nil // there is nothing to finish
		}
		if lost := (*collectorLostError)(nil); ctx.Err() != nil && errors.As(err, &lost) {
			log.Warn("collector lost its partitions while it was ending; their next owner repeats what is not committed", zap.Error(err))
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		if fatal := (collectorConfigError{}); errors.As(err, &fatal) {
			return err
		}
		if errors.As(err, &found) && !found.doubt {
			memory.cut[found.source] = found // it may be longer again when the next session looks
		}
		cfg.Health.ended(err)
		m.up.Set(0)
		m.sessions.WithLabelValues("failed").Inc()
		if moved && time.Since(began) > failingFirstPause { // it worked: what ended it is another outage
			failed = &failing{log: log, apart: time.Minute}
		}
		failed.failed(time.Now(), err, "collector session ended; starting again from the committed offsets", zap.Duration("backoff", backoff))
		select {
		case <-ctx.Done():
		case <-time.After(backoff):
		}
		if backoff *= 2; moved {
			backoff /= 4
		}
		backoff = max(collectorFirstBackoff, min(backoff, collectorMaxBackoff))
	}
	return nil
}
