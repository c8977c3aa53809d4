package runtime

import (
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
)

type pastTTLError struct{ recv time.Time }

func (e pastTTLError) Error() string { return "received " + e.recv.UTC().Format(time.RFC3339) }

// keptFrom is the receive time from which on some row is kept, ms; the lowest where one of the grains is kept for ever.
func (s *collectorSession) keptFrom() int64 {
	days := s.cfg.Settings.TTLDays[:]
	if slices.Min(days) == 0 {
		return math.MinInt64
	}
	return s.cfg.Now().Add(-time.Duration(slices.Max(days)) * 24 * time.Hour).UnixMilli()
}

// pastTTL tells of records that nobody will see: most likely of a producer whose timestamps are seconds.
func (s *collectorSession) pastTTL(src *collectorSource, r *kgo.Record, recv int64) {
	s.metrics.tooOld.WithLabelValues(src.feed.name).Inc()
	s.oldFail.failed(time.Now(), pastTTLError{time.UnixMilli(recv)}, "raw records were received before anything that is kept (clickhouse.ttl): they are shown nowhere. Is the producer's record timestamp in milliseconds?",
		zap.String("topic", src.feed.name), zap.Int32("partition", src.partition), zap.Int64("offset", r.Offset))
}
