package runtime

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/livemeter/livemeter/pipeline/event"
)

// A collector with another pseudonym key than the log was begun with must not write a single record: the enricher refuses what comes
// after its settings, and a record in the log cannot be taken back. So the key's fingerprint is looked for before anything is sent: in the
// metadata of the committed offsets, where every commit leaves it, and in the log's first records, which are there before any commit.

func collectorKeyMark(fingerprint uint64) string { return fmt.Sprintf("key=%016x", fingerprint) }

const collectorZoneMark = " zone="

// marked makes a commit carry the fingerprint, the topic's id and the zone.
func (f *collectorFeed) marked(ctx context.Context) context.Context {
	return withMark(ctx, collectorKeyMark(f.s.cfg.Settings.KeyFingerprint)+topicMark+f.topicID()+collectorZoneMark+f.s.cfg.Settings.Zone)
}

func (f *collectorFeed) topicID() string { return hex.EncodeToString(f.s.topicIDs[f.topic][:]) }

// checkKey compares the key, and the zone, with those of the collectors before.
func (s *collectorSession) checkKey(ctx context.Context, adm *kadm.Client) error {
	want, zone := collectorKeyMark(s.cfg.Settings.KeyFingerprint), s.cfg.Settings.Zone
	marks, err := collectorMarks(ctx, adm, s.cfg.Group)
	if err != nil {
		return err
	}
	for _, m := range marks {
		if m.key != want {
			return s.wrongKey(m.key)
		}
		if m.zone != "" && m.zone != zone {
			return collectorConfigError{&WrongZoneError{Log: s.eventsTopic, Have: zone, Want: m.zone}}
		}
	}
	first, err := logSettings(ctx, s.cfg.Brokers, s.cfg.KafkaOpts, s.eventsTopic)
	if err != nil || first == nil {
		return err
	}
	if m := collectorKeyMark(first.KeyFingerprint); m != want {
		return s.wrongKey(m)
	}
	if first.Zone != zone {
		return collectorConfigError{&WrongZoneError{Log: s.eventsTopic, Have: zone, Want: first.Zone}}
	}
	return nil
}

// collectorMark is what a commit says of the log, and of the raw topic: its id in hexadecimal. Those of before do not tell the zone, or the topic.
type collectorMark struct{ key, topic, zone string }

func parseCollectorMark(mark string) (m collectorMark, ok bool) {
	m.key, m.zone, _ = strings.Cut(mark, collectorZoneMark)
	m.key, m.topic, _ = strings.Cut(m.key, topicMark)
	return m, len(m.key) == len(collectorKeyMark(0)) && strings.HasPrefix(m.key, "key=")
}

func collectorMarks(ctx context.Context, adm *kadm.Client, group string) (marks []collectorMark, err error) {
	for t := range event.NumTopics {
		found, err := commitMarks(ctx, adm, RawGroup(group, t))
		if err != nil {
			return nil, err
		}
		for _, mark := range found {
			if m, ok := parseCollectorMark(mark); ok {
				marks = append(marks, m)
			}
		}
	}
	return marks, nil
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

// WrongZoneError is a time zone that is not the one a log was begun with.
type WrongZoneError struct{ Log, Have, Want string }

func (e *WrongZoneError) Error() string {
	return fmt.Sprintf("zone %s: the log %s was begun with days of %s, and days of two zones do not add up; configure zone %s, or begin a new log with another kafka.prefix and database",
		e.Have, e.Log, e.Want, e.Want)
}
