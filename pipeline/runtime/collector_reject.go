package runtime

import (
	"strconv"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

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
	key, value := r.Key, r.Value
	var cut []kgo.RecordHeader
	room := s.rejectLimit - collectorRejectOverhead
	if len(key) > room {
		key, cut = nil, append(cut, kgo.RecordHeader{Key: "cut_key_bytes", Value: strconv.AppendInt(nil, int64(len(r.Key)), 10)})
	}
	if room -= len(key); len(value) > room {
		value, cut = value[:room], append(cut, kgo.RecordHeader{Key: "cut_value_bytes", Value: strconv.AppendInt(nil, int64(len(value)), 10)})
	}
	if cut != nil {
		s.metrics.cut.WithLabelValues(src.feed.name).Inc()
	}
	out := s.build.add(s.rejectTopic, src.partition%s.rejectPartitions, key, value)
	out.Headers = append(rejectHeaders(v, src.feed.name, src.id, r.Offset, recv), cut...)
	s.build.bytes += collectorRejectOverhead
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
