package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// settingsAmong is how many of the log's first records are looked through: the first collector begins with the settings.
const settingsAmong = 16

// settingsLimit bounds how long they are waited for.
const settingsLimit = 10 * time.Second

// logSettings is the settings record among the first records of a topic `events`, nil where there is none (any more).
func logSettings(ctx context.Context, brokers []string, opts []kgo.Opt, topic string) (*eventlog.Settings, error) {
	opts = slices.Concat(opts, []kgo.Opt{kgo.SeedBrokers(brokers...)})
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, collectorConfigError{fmt.Errorf("settings of %s: Kafka client: %w", topic, err)}
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, settingsLimit)
	defer cancel()
	adm := kadm.NewClient(client)
	starts, err := adm.ListStartOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("start of %s: %w", topic, err)
	}
	ends, err := adm.ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("end of %s: %w", topic, err)
	}
	start, _ := starts.Lookup(topic, 0)
	end, _ := ends.Lookup(topic, 0)
	for _, err := range []error{start.Err, end.Err} {
		if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return nil, fmt.Errorf("start and end of %s/0: %w", topic, err)
		}
	}
	if start.Err != nil || end.Err != nil || start.Offset >= end.Offset {
		return nil, nil
	}
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(start.Offset)}})
	fetches := client.PollRecords(ctx, settingsAmong)
	if err := fetches.Err(); err != nil {
		return nil, fmt.Errorf("read the start of %s: %w", topic, err)
	}
	for _, r := range fetches.Records() {
		if len(r.Value) > 0 && (r.Value[0] == eventlog.RecordSettings || r.Value[0] == eventlog.RecordRepeated) {
			found, err := eventlog.DecodeSettings(r.Value)
			if err != nil {
				return nil, collectorConfigError{fmt.Errorf("settings in %s/0 at offset %d: %w", topic, r.Offset, err)} // it does not get better
			}
			return &found, nil
		}
	}
	return nil, nil
}

// LogZone is the zone that the log of a group of collectors was begun with, "" while nobody has told: from its first records, or, when retention has
// taken them, from what the collectors' commits say.
func LogZone(ctx context.Context, brokers []string, opts []kgo.Opt, topic, group string) (string, error) {
	first, err := logSettings(ctx, brokers, opts, topic)
	if err != nil {
		return "", err
	}
	if first != nil {
		return first.Zone, nil
	}
	client, err := kgo.NewClient(slices.Concat(opts, []kgo.Opt{kgo.SeedBrokers(brokers...)})...)
	if err != nil {
		return "", fmt.Errorf("zone of %s: Kafka client: %w", topic, err)
	}
	defer client.Close()
	marks, err := collectorMarks(ctx, kadm.NewClient(client), group)
	if err != nil {
		return "", err
	}
	for _, m := range marks {
		if m.zone != "" {
			return m.zone, nil
		}
	}
	return "", nil
}
