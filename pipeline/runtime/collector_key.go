package runtime

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// A collector with another pseudonym key than the log was begun with must not write a single record: the enricher refuses what comes
// after its settings, and a record in the log cannot be taken back. So the key's fingerprint is looked for before anything is sent: in the
// metadata of the committed offsets, where every commit leaves it, and in the log's first records, which are there before any commit.

// collectorKeyRecords is how many of the log's first records are looked at; the first of all is a settings record.
const collectorKeyRecords = 16

func collectorKeyMark(fingerprint uint64) string { return fmt.Sprintf("key=%016x", fingerprint) }

// markKey makes a commit carry the fingerprint.
func (f *collectorFeed) markKey(ctx context.Context) context.Context {
	mark := collectorKeyMark(f.s.cfg.Settings.KeyFingerprint)
	return kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		for t := range req.Topics {
			for p := range req.Topics[t].Partitions {
				req.Topics[t].Partitions[p].Metadata = &mark
			}
		}
		return nil
	})
}

// checkKey compares the key with that of the collectors before.
func (s *collectorSession) checkKey(ctx context.Context, adm *kadm.Client) error {
	want := collectorKeyMark(s.cfg.Settings.KeyFingerprint)
	for t := range event.NumTopics {
		group := s.cfg.Group + "." + event.TopicNames[t]
		offsets, err := adm.FetchOffsets(ctx, group)
		if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // no collector has been here
			return fmt.Errorf("offsets of group %s: %w", group, err)
		}
		for _, o := range offsets.Sorted() {
			if m := o.Metadata; o.Err == nil && len(m) == len(want) && m[:4] == want[:4] && m != want {
				return s.wrongKey(m)
			}
		}
	}
	first, err := s.firstSettings(ctx, adm)
	if err != nil || first == nil {
		return err
	}
	if m := collectorKeyMark(first.KeyFingerprint); m != want {
		return s.wrongKey(m)
	}
	return nil
}

func (s *collectorSession) wrongKey(found string) error {
	return collectorConfigError{&WrongKeyError{Log: s.eventsTopic, Have: s.cfg.Settings.KeyFingerprint, Want: found[4:]}}
}

// WrongKeyError is a pseudonym key that is not the one a log was begun with. It names keys by their fingerprints.
type WrongKeyError struct {
	Log, Want string
	Have      uint64
}

func (e *WrongKeyError) Error() string {
	return fmt.Sprintf("collector: the pseudonym key has fingerprint %016x, but the log %s was begun with %s: every viewer would be a new one; give this collector the key of the log",
		e.Have, e.Log, e.Want)
}

// firstSettings is the settings record among the first records of the log, nil where there is none (any more).
func (s *collectorSession) firstSettings(ctx context.Context, adm *kadm.Client) (*eventlog.Settings, error) {
	starts, err := adm.ListStartOffsets(ctx, s.eventsTopic)
	if err != nil {
		return nil, fmt.Errorf("start of %s: %w", s.eventsTopic, err)
	}
	ends, err := adm.ListEndOffsets(ctx, s.eventsTopic)
	if err != nil {
		return nil, fmt.Errorf("end of %s: %w", s.eventsTopic, err)
	}
	start, _ := starts.Lookup(s.eventsTopic, 0)
	end, _ := ends.Lookup(s.eventsTopic, 0)
	if start.Err != nil || end.Err != nil || start.Offset >= end.Offset {
		return nil, nil
	}
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.cfg.Brokers...), kgo.ClientID("livemeter-collector"),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{s.eventsTopic: {0: kgo.NewOffset().At(start.Offset)}})}, s.cfg.KafkaOpts...)...)
	if err != nil {
		return nil, collectorConfigError{fmt.Errorf("collector: Kafka client: %w", err)}
	}
	defer cl.Close()
	fetches := cl.PollRecords(ctx, collectorKeyRecords)
	if err := fetches.Err(); err != nil {
		return nil, fmt.Errorf("read the start of %s: %w", s.eventsTopic, err)
	}
	for _, r := range fetches.Records() {
		if len(r.Value) > 0 && r.Value[0] == eventlog.RecordSettings {
			found, err := eventlog.DecodeSettings(r.Value)
			if err != nil {
				return nil, fmt.Errorf("settings in %s/0 at offset %d: %w", s.eventsTopic, r.Offset, err)
			}
			return &found, nil
		}
	}
	return nil, nil
}
