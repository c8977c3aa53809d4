package runtime

import (
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/collect"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// A record of raw.replay is one that was rejected, sent again by an operator. Its headers say what it was: the collector judges it as that, with the receive
// time of then, and the log names it. They are trusted, so only operators may write there. Its provenance in raw.replay makes it a record like others on the way;
// what keeps the original from counting twice is the enricher's.

// maxSourcePartition is what the log takes for a partition.
const maxSourcePartition = 1 << 16

// ReplayRecord is an original as raw.replay takes it; topic is that, with prefix.
func ReplayRecord(topic string, row *rollup.Rejected) *kgo.Record {
	return &kgo.Record{Topic: topic, Value: row.Original, Headers: []kgo.RecordHeader{
		{Key: headerReason, Value: []byte(row.Reason)},
		{Key: headerTopic, Value: []byte(row.Topic)},
		{Key: headerTopicID, Value: []byte(uuid.UUID(row.TopicID).String())},
		{Key: headerPartition, Value: strconv.AppendInt(nil, int64(row.Partition), 10)},
		{Key: headerOffset, Value: strconv.AppendInt(nil, row.Offset, 10)},
		{Key: headerReceived, Value: strconv.AppendInt(nil, row.ReceivedTS, 10)},
	}}
}

// Replayed is what a record of raw.replay names; false where its headers name nothing.
func Replayed(rec *kgo.Record) (rollup.Rejected, bool) {
	row := rejectedRow(rec)
	return row, row.Topic != rec.Topic
}

// asOriginal makes rec the record that r brings again. Where the headers do not say which, it stays one of raw.replay and is refused as such.
func (s *collectorSession) asOriginal(rec *collect.Record, r *kgo.Record) {
	rec.Topic, rec.Original = event.TopicReplay, nil
	o, topic, recv, v := s.cfg.original(r.Headers)
	if v.Reason != event.ReasonNone {
		rec.Refused = v
		return
	}
	rec.Topic, rec.Timestamp, rec.Original = topic, recv, &o
}

// original reads the headers. All are required; the first that is not there is told, else the first that is wrong.
func (c *CollectorConfig) original(headers []kgo.RecordHeader) (o eventlog.OriginalInput, topic event.Topic, recv int64, v event.Verdict) {
	given := map[string]string{}
	for _, h := range headers {
		given[h.Key] = string(h.Value)
	}
	required := []struct {
		name string
		take func(value string) bool
	}{
		{headerTopic, func(value string) (ok bool) { o.Topic = value; topic, ok = c.arrivalOf(value); return ok }},
		{headerTopicID, func(value string) bool {
			id, err := uuid.Parse(value)
			o.Source.TopicID = id
			return err == nil && id != uuid.Nil
		}},
		{headerPartition, func(value string) bool {
			n, ok := upTo(value, maxSourcePartition)
			o.Source.Partition = int32(n)
			return ok
		}},
		{headerOffset, func(value string) (ok bool) { o.Offset, ok = upTo(value, 1<<63-1); return ok }},
		{headerReceived, func(value string) (ok bool) { recv, ok = upTo(value, event.MaxTime); return ok }},
		{headerReason, func(value string) (ok bool) { o.Reason, ok = event.ReasonOf(value); return ok }},
	}
	for _, h := range required {
		if _, ok := given[h.name]; !ok {
			return o, 0, 0, event.Verdict{Reason: event.MissingField, Field: h.name}
		}
	}
	for _, h := range required {
		if !h.take(given[h.name]) {
			return o, 0, 0, event.Verdict{Reason: event.BadValue, Field: h.name}
		}
	}
	return o, topic, recv, v
}

// arrivalOf is the topic that producers send to under a name.
func (c *CollectorConfig) arrivalOf(name string) (event.Topic, bool) {
	for t := range event.Arrivals {
		if c.rawTopic(event.Topic(t)) == name {
			return event.Topic(t), true
		}
	}
	return 0, false
}

func upTo(text string, limit int64) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0 && n <= limit
}

// stillInvalid tells of a replay by which nothing changes.
func (s *collectorSession) stillInvalid(o *eventlog.OriginalInput, v event.Verdict) {
	s.metrics.unmended.Inc()
	s.replayFail.failed(time.Now(), unmendedError{v}, "a replayed record is still invalid; it stays what it was",
		zap.String("topic", o.Topic), zap.Int32("partition", o.Source.Partition), zap.Int64("offset", o.Offset))
}

type unmendedError struct{ verdict event.Verdict }

func (e unmendedError) Error() string { return e.verdict.Reason.String() + " " + e.verdict.Field }
