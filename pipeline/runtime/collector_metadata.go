package runtime

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// collectorDefaultBatch is Kafka's default max.message.bytes with room for the batch's own header.
const collectorDefaultBatch = 1_000_012

var errCollectorNoTopicIDs = errors.New("the brokers do not tell topic ids; the log needs them (Apache Kafka 2.8 or newer)")

// collectorSources asks Kafka for all raw topics: their ids and partitions.
func collectorSources(ctx context.Context, adm *kadm.Client, cfg *CollectorConfig) (eventlog.Sources, error) {
	var names []string
	for t := range event.NumTopics {
		names = append(names, cfg.rawTopic(t))
	}
	found, err := adm.ListTopics(ctx, names...)
	if err != nil {
		return eventlog.Sources{}, fmt.Errorf("metadata of the raw topics: %w", err)
	}
	var s eventlog.Sources
	for t, name := range names {
		d, ok := found[name]
		switch {
		case !ok:
			return s, fmt.Errorf("topic %s: no metadata", name)
		case d.Err != nil:
			return s, fmt.Errorf("topic %s: %w", name, d.Err)
		case d.ID == kadm.TopicID{}:
			return s, collectorConfigError{fmt.Errorf("topic %s: %w", name, errCollectorNoTopicIDs)}
		}
		s.Topics = append(s.Topics, eventlog.SourceTopic{Name: name, Kind: event.Topic(t), ID: d.ID, Partitions: int32(len(d.Partitions))})
	}
	return s, nil
}

// checkOutputs compares the topics the session writes to with what it was told, and learns the limits of events.rejected.
func (s *collectorSession) checkOutputs(ctx context.Context, adm *kadm.Client) error {
	found, err := adm.ListTopics(ctx, s.eventsTopic, s.rejectTopic)
	if err != nil {
		return fmt.Errorf("metadata of %s: %w", s.eventsTopic, err)
	}
	for _, name := range []string{s.eventsTopic, s.rejectTopic} {
		if err := found[name].Err; err != nil {
			return fmt.Errorf("topic %s: %w", name, err)
		}
	}
	if got, want := len(found[s.eventsTopic].Partitions), int(s.cfg.Settings.Partitions); got != want {
		return collectorConfigError{fmt.Errorf("topic %s has %d partitions, the settings say %d: viewers would move between partitions; set events.partitions (--events-partitions) to %d, or begin another log under another kafka.prefix",
			s.eventsTopic, got, want, got)}
	}
	s.rejectPartitions = max(1, int32(len(found[s.rejectTopic].Partitions)))
	for name, limit := range map[string]*int{s.eventsTopic: &s.eventsLimit, s.rejectTopic: &s.rejectLimit} {
		*limit = collectorMaxMessage(ctx, adm, name)
	}
	if need := 2*s.cfg.BlockBytes + 2*event.MaxRecordBytes; s.eventsLimit < need {
		return collectorConfigError{fmt.Errorf("topic %s takes messages of %d bytes, blocks of %d need %d: raise max.message.bytes", s.eventsTopic, s.eventsLimit, s.cfg.BlockBytes, need)}
	}
	return nil
}

// collectorMaxMessage is the topic's max.message.bytes, or Kafka's default where the collector may not ask.
func collectorMaxMessage(ctx context.Context, adm *kadm.Client, topic string) int {
	configs, err := adm.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return collectorDefaultBatch
	}
	for _, c := range configs {
		for _, kv := range c.Configs {
			if kv.Key != "max.message.bytes" || c.Err != nil {
				continue
			}
			if n, err := strconv.Atoi(kv.MaybeValue()); err == nil {
				return min(max(n, 4096), 16<<20)
			}
		}
	}
	return collectorDefaultBatch
}

func (s *collectorSession) batchLimit(topic string) int32 {
	limit := collectorDefaultBatch
	switch topic {
	case s.eventsTopic:
		limit = min(limit, s.eventsLimit)
	case s.rejectTopic:
		limit = s.rejectLimit
	}
	return int32(limit)
}

// setSources takes new metadata. A topic that was deleted and made again ends the session: offsets in hand belong to the old one.
func (s *collectorSession) setSources(now eventlog.Sources) error {
	for i, old := range s.sourcesRec.Topics {
		t := &now.Topics[i]
		if old.ID != t.ID {
			return fmt.Errorf("topic %s was deleted and made again", t.Name)
		}
		t.Partitions = max(t.Partitions, old.Partitions) // answers may overtake each other; partitions never go away
	}
	if !s.sourcesRec.Equal(&now) {
		for i, f := range s.feeds { // the group is to share out what is new: else the watermark would wait for it until the client looks by itself
			if f != nil && now.Topics[i].Partitions > s.sourcesRec.Topics[i].Partitions {
				f.client.ForceMetadataRefresh()
			}
		}
		s.sourcesRec = now
		s.toAll(eventlog.AppendSources(nil, &now))
	}
	return nil
}

// lookAround asks for the metadata of the raw topics in the background and takes the answer.
func (s *collectorSession) lookAround(now time.Time) error {
	select {
	case m := <-s.metadata:
		s.metadataOut = false
		s.cfg.Health.answered(m.err)
		if m.err != nil {
			s.lookFails.failed(time.Now(), m.err, "the raw topics' metadata is not to be had; new partitions are not seen meanwhile")
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
