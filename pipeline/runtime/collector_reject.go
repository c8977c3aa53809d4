package runtime

import (
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// Headers of events.rejected and, but for the field, of raw.replay.
const (
	headerReason    = "reason"
	headerField     = "field"
	headerTopic     = "source_topic"
	headerTopicID   = "source_topic_id"
	headerPartition = "source_partition"
	headerOffset    = "source_offset"
	headerReceived  = "received_ts"
)

// collectorRejectOverhead is more than what headers and batch add to a rejected record's key and value.
const collectorRejectOverhead = 1 << 10

// reject adds the original bytes of an invalid record to the batch, for events.rejected. A record that the topic could not take is cut to
// what it can, and says so in a header: one bad record must not stop the partition.
func (s *collectorSession) reject(src *collectorSource, r *kgo.Record, v event.Verdict, recv int64) {
	if !src.keeps(s.cfg, len(r.Key)+len(r.Value)) {
		s.unkept(src, r, v)
		return
	}
	key, value, cut := cutTo(s.rejectLimit-collectorRejectOverhead, r.Key, r.Value)
	if cut != nil {
		s.metrics.cut.WithLabelValues(src.feed.name).Inc()
	}
	out := s.build.add(s.rejectTopic, src.partition%s.rejectPartitions, key, value)
	out.Headers = append(rejectHeaders(v, src.feed.name, src.id, r.Offset, recv), cut...)
	s.build.bytes += collectorRejectOverhead
}

// cutTo cuts key and value to so many bytes together, and says so in headers.
func cutTo(room int, key, value []byte) (_, _ []byte, cut []kgo.RecordHeader) {
	if len(key) > room {
		key, cut = nil, append(cut, kgo.RecordHeader{Key: "cut_key_bytes", Value: strconv.AppendInt(nil, int64(len(key)), 10)})
	}
	if room -= len(key); len(value) > room {
		value, cut = value[:room], append(cut, kgo.RecordHeader{Key: "cut_value_bytes", Value: strconv.AppendInt(nil, int64(len(value)), 10)})
	}
	return key, value, cut
}

// rejectHeaders are those of a dead letter: contract.md's, and source_topic_id.
func rejectHeaders(v event.Verdict, topic string, source eventlog.SourceID, offset, recv int64) []kgo.RecordHeader {
	return []kgo.RecordHeader{
		{Key: headerReason, Value: []byte(v.Reason.String())},
		{Key: headerField, Value: []byte(v.Field)},
		{Key: headerTopic, Value: []byte(topic)},
		{Key: headerTopicID, Value: []byte(uuid.UUID(source.TopicID).String())},
		{Key: headerPartition, Value: strconv.AppendInt(nil, int64(source.Partition), 10)},
		{Key: headerOffset, Value: strconv.AppendInt(nil, offset, 10)},
		{Key: headerReceived, Value: strconv.AppendInt(nil, recv, 10)},
	}
}

// rejectedBurst is how many seconds' worth of collector.rejected_rate events.rejected takes at once: a backlog may hold an hour's mistakes.
const rejectedBurst = 60

// rejectedHeaders is what the headers of a rejected record take, about: rubbish of no bytes is not free.
const rejectedHeaders = 256

// keeps says whether the bytes of one more rejected record of the source are kept. A flood of rubbish would fill events.rejected and the table behind it, for
// seven days, and take the store's time from the rows. Its markers are sent all the same: no number depends on this.
func (src *collectorSource) keeps(cfg *CollectorConfig, bytes int) bool {
	if cfg.RejectedRate < 0 {
		return true
	}
	if src.kept == nil {
		src.kept = rate.NewLimiter(rate.Limit(cfg.RejectedRate), rejectedBurst*cfg.RejectedRate)
	}
	return src.kept.AllowN(cfg.Now(), bytes+rejectedHeaders)
}

// unkept tells of a rejected record whose bytes are gone with the raw topic's retention.
func (s *collectorSession) unkept(src *collectorSource, r *kgo.Record, v event.Verdict) {
	s.metrics.unkept.WithLabelValues(src.feed.name).Inc()
	s.floodFail.failed(time.Now(), unmendedError{v}, "a raw topic brings more rubbish than collector.rejected_rate: some of it is counted and not kept in events.rejected",
		zap.String("topic", src.feed.name), zap.Int32("partition", src.partition), zap.Int64("offset", r.Offset))
}
