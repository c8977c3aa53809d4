package runtime

import (
	"fmt"
	"runtime/debug"

	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/collect"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// A record over which the decoder panics is rejected as internal, there and then. One over which the stage panics later ends the session, with the blocks that it
// may have left half written, and is rejected by the next one. That verdict is in the log then, as every other.

// collectorPlace is one raw record.
type collectorPlace struct {
	source eventlog.SourceID
	offset int64
}

// add packs a record, or the marker of one that the stage panicked over.
func (s *collectorSession) add(src *collectorSource, rec *collect.Record) collect.Result {
	if len(s.memory.poison) > 0 && s.memory.poison[collectorPlace{src.id, rec.Offset}] {
		return s.stage.Reject(rec, event.Internal)
	}
	res := s.stage.Add(rec)
	if res.Panic != nil {
		s.log.Error("the decoder panicked over a record, which is rejected as internal; please report it", zap.String("topic", src.feed.name), zap.Int32("partition", src.partition),
			zap.Int64("offset", rec.Offset), zap.Error(res.Panic))
	}
	if s.cfg.FaultPacked != nil {
		s.cfg.FaultPacked(rec)
	}
	return res
}

// poisoned is called with what a record made panic.
func (s *collectorSession) poisoned(src *collectorSource, offset int64, p any) error {
	s.memory.poison[collectorPlace{src.id, offset}] = true
	s.log.Error("the collector panicked over a record: it is rejected as internal; please report it", zap.String("topic", src.feed.name), zap.Int32("partition", src.partition),
		zap.Int64("offset", offset), zap.String("panic", fmt.Sprint(p)), zap.ByteString("stack", debug.Stack()))
	return fmt.Errorf("panic over the record at offset %d of %s/%d: %v", offset, src.feed.name, src.partition, p)
}
