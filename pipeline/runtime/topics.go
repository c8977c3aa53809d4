package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/event"
)

// Topics beside the raw ones, without the prefix.
const (
	TopicEvents   = "events"          // the log
	TopicEnriched = "events.enriched" // what the enricher hands to the aggregator, where they are separate services
	TopicRejected = "events.rejected" // original bytes of invalid records
)

// DimTopics are the compacted topics of descriptive data, without the prefix: the contract's. Producers may fill them; nothing here reads them yet.
var DimTopics = []string{"dim.session", "dim.room", "dim.host", "dim.product", "dim.listing", "dim.promo", "dim.user", "dim.fx"}

// Changelog topics hold the state of the services, compacted, without the prefix: of run, and of enricher and aggregator apart.
const (
	ChangelogRun        = "state.run"
	ChangelogEnricher   = "state.enricher"
	ChangelogAggregator = "state.aggregator"
)

// Forever as a retention keeps records for ever.
const Forever time.Duration = -1

// MaxRejectedRetention bounds how long the original bytes of rejected records live, which may name persons: nothing prolongs it.
const MaxRejectedRetention = 7 * 24 * time.Hour

// rejectedSegment is how much longer the oldest record of a segment may live: a broker deletes whole segments, by default of a week.
const rejectedSegment = 6 * time.Hour

// TopicSpec says which topics there must be. Zero values of the optional fields take the defaults named.
type TopicSpec struct {
	Prefix            string
	Replication       int16         // default: the brokers' default
	RawPartitions     int32         // default 2; topics that exist may have any number
	RawRetention      time.Duration // default: the brokers' default
	RawCreateTime     bool          // demo and up: the producer's timestamp is the receive time. Else the broker's is (LogAppendTime)
	EventsPartitions  int32         // default 2: of events, events.enriched and the changelogs
	EventsRetention   time.Duration // default 7 days
	RejectedRetention time.Duration // default, and longest: MaxRejectedRetention
	Log               *zap.Logger   // of warnings; may be nil
	OnCreated         func()        // is called for each topic that was made; may be nil
}

func (s TopicSpec) withDefaults() TopicSpec {
	if s.Replication == 0 {
		s.Replication = -1
	}
	if s.RawPartitions == 0 {
		s.RawPartitions = 2
	}
	if s.EventsPartitions == 0 {
		s.EventsPartitions = 2
	}
	if s.EventsRetention == 0 {
		s.EventsRetention = 7 * 24 * time.Hour
	}
	if s.RejectedRetention <= 0 || s.RejectedRetention > MaxRejectedRetention {
		s.RejectedRetention = MaxRejectedRetention
	}
	if s.Log == nil {
		s.Log = zap.NewNop()
	}
	return s
}

// topicWant is one topic as it must be.
type topicWant struct {
	name       string
	partitions int32
	fixed      bool // another number of partitions is a mistake
	policy     string
	raw        bool
	private    bool              // keeping longer than wanted is a mistake too
	configs    map[string]string // only set on creation, but for cleanup.policy
}

func (w topicWant) with(key, value string) topicWant {
	if value != "" {
		w.configs = maps.Clone(w.configs)
		w.configs[key] = value
	}
	return w
}

func retentionMS(d time.Duration) string {
	switch {
	case d < 0:
		return "-1"
	case d == 0:
		return ""
	}
	return strconv.FormatInt(d.Milliseconds(), 10)
}

func (s *TopicSpec) wants() []topicWant {
	topic := func(name string, partitions int32, fixed bool, policy string) topicWant {
		return topicWant{name: s.Prefix + name, partitions: partitions, fixed: fixed, policy: policy, configs: map[string]string{"cleanup.policy": policy}}
	}
	timestamps := "LogAppendTime"
	if s.RawCreateTime {
		timestamps = "CreateTime"
	}
	var out []topicWant
	for t, name := range event.TopicNames {
		partitions := s.RawPartitions
		if event.Topic(t) == event.TopicReplay { // idle most of the time, and in order
			partitions = 1
		}
		w := topic(name, partitions, false, "delete").with("message.timestamp.type", timestamps).with("retention.ms", retentionMS(s.RawRetention))
		w.raw = true
		out = append(out, w)
	}
	out = append(out,
		topic(TopicEvents, s.EventsPartitions, true, "delete").with("retention.ms", retentionMS(s.EventsRetention)),
		topic(TopicEnriched, s.EventsPartitions, true, "delete").with("retention.ms", retentionMS(s.EventsRetention)),
		s.rejected(topic(TopicRejected, s.RawPartitions, false, "delete")))
	for _, name := range []string{ChangelogRun, ChangelogEnricher, ChangelogAggregator} {
		out = append(out, topic(name, s.EventsPartitions, true, "compact"))
	}
	for _, name := range DimTopics {
		out = append(out, topic(name, 1, false, "compact"))
	}
	return out
}

func (s *TopicSpec) rejected(w topicWant) topicWant {
	w.private = true
	return w.with("retention.ms", retentionMS(s.RejectedRetention)).with("segment.ms", retentionMS(rejectedSegment)).
		with("max.message.bytes", strconv.Itoa(2<<20))
}

// WrongTopicError: a topic is not what it must be, or Kafka refuses to make it or to show it. Waiting does not mend that.
type WrongTopicError struct{ Err error }

func (e *WrongTopicError) Error() string { return e.Err.Error() }
func (e *WrongTopicError) Unwrap() error { return e.Err }

func wrongTopic(format string, args ...any) error {
	return &WrongTopicError{fmt.Errorf(format, args...)}
}

// refused is err, or a *WrongTopicError where it is an answer that will be the same again.
func refused(err error) error {
	for _, passing := range []error{kerr.InvalidReplicationFactor, kerr.StaleControllerEpoch, kerr.UnknownServerError} { // brokers that are still starting
		if errors.Is(err, passing) {
			return err
		}
	}
	if answer := (*kerr.Error)(nil); errors.As(err, &answer) && !answer.Retriable {
		return &WrongTopicError{err}
	}
	return err
}

// EnsureTopics creates the topics that are missing and checks those that are there. What is wrong with them is one error that names all of it, a *WrongTopicError among others;
// a topic that exists is never changed.
func EnsureTopics(ctx context.Context, adm *kadm.Client, spec TopicSpec) error {
	spec = spec.withDefaults()
	wants := spec.wants()
	var names []string
	for _, w := range wants {
		names = append(names, w.name)
	}
	found, err := adm.ListTopics(ctx, names...)
	if err != nil {
		return fmt.Errorf("ask Kafka for its topics: %w", err)
	}
	var wrong []error
	var there []topicWant
	for _, w := range wants {
		d, ok := found[w.name]
		switch {
		case !ok || errors.Is(d.Err, kerr.UnknownTopicOrPartition):
			wrong = append(wrong, createTopic(ctx, adm, &spec, w))
		case d.Err != nil:
			wrong = append(wrong, refused(fmt.Errorf("topic %s: %w", w.name, d.Err)))
		default:
			there = append(there, w)
			wrong = append(wrong, checkPartitions(w, len(d.Partitions)))
		}
	}
	return errors.Join(append(wrong, checkConfigs(ctx, adm, &spec, there))...)
}

func createTopic(ctx context.Context, adm *kadm.Client, spec *TopicSpec, w topicWant) error {
	configs := map[string]*string{}
	for k, v := range w.configs {
		configs[k] = &v
	}
	_, err := adm.CreateTopic(ctx, w.partitions, spec.Replication, configs, w.name)
	if errors.Is(err, kerr.TopicAlreadyExists) {
		return nil // another process was faster, with the same wishes
	}
	if err == nil && spec.OnCreated != nil {
		spec.OnCreated()
	}
	if err != nil {
		return refused(fmt.Errorf("create topic %s with %d partitions: %w; create it by hand or allow this client to", w.name, w.partitions, err))
	}
	return nil
}

func checkPartitions(w topicWant, found int) error {
	if !w.fixed || found == int(w.partitions) {
		return nil
	}
	return wrongTopic("topic %s has %d partitions, wanted %d: viewers live on partitions, so their number cannot change under a running log; set events.partitions (--events-partitions) to %d, or begin another log under another kafka.prefix",
		w.name, found, w.partitions, found)
}

// checkConfigs asks for the settings of the topics that were there. A client that may not ask goes on without the check.
func checkConfigs(ctx context.Context, adm *kadm.Client, spec *TopicSpec, there []topicWant) error {
	if len(there) == 0 {
		return nil
	}
	var names []string
	for _, w := range there {
		names = append(names, w.name)
	}
	configs, err := adm.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return fmt.Errorf("ask Kafka for the settings of its topics: %w", err)
	}
	var wrong []error
	var trusting []string // raw topics
	for _, w := range there {
		rc, err := configs.On(w.name, nil)
		if err == nil {
			err = rc.Err
		}
		if err != nil {
			spec.Log.Warn("cannot check the settings of a topic", zap.String("topic", w.name), zap.Error(err))
			continue
		}
		got := map[string]string{}
		for _, kv := range rc.Configs {
			got[kv.Key] = kv.MaybeValue()
		}
		wrong = append(wrong, checkPolicy(w, got["cleanup.policy"]))
		if w.raw && !spec.RawCreateTime && got["message.timestamp.type"] != "LogAppendTime" {
			trusting = append(trusting, w.name)
		}
		warnSettings(spec, w, got)
	}
	if len(trusting) > 0 {
		spec.Log.Warn("raw topics take the producer's word for the receive time; if untrusted producers write to them, set message.timestamp.type=LogAppendTime",
			zap.Strings("topics", trusting))
	}
	return errors.Join(wrong...)
}

func checkPolicy(w topicWant, found string) error {
	if found == "" { // the broker's default, which is delete
		found = "delete"
	}
	policies := strings.Split(strings.ReplaceAll(found, " ", ""), ",")
	if len(policies) == 1 && policies[0] == w.policy {
		return nil
	}
	slices.Sort(policies)
	why := "compaction would remove events"
	if w.policy == "compact" {
		why = "deletion by age would remove state that is still needed"
	}
	return wrongTopic("topic %s has cleanup.policy=%s, wanted %s: %s; run kafka-configs --alter --entity-type topics --entity-name %s --add-config cleanup.policy=%s",
		w.name, strings.Join(policies, ","), w.policy, why, w.name, w.policy)
}

func warnSettings(spec *TopicSpec, w topicWant, got map[string]string) {
	want, err1 := strconv.ParseInt(w.configs["retention.ms"], 10, 64)
	have, err2 := strconv.ParseInt(got["retention.ms"], 10, 64)
	if err1 == nil && err2 == nil && have >= 0 && (want < 0 || have < want) {
		spec.Log.Warn("a topic keeps its records for less time than wanted", zap.String("topic", w.name), zap.Int64("retention.ms", have), zap.Int64("wanted", want))
	}
	if w.private && err1 == nil && err2 == nil && (have < 0 || have > want) {
		spec.Log.Warn("events.rejected keeps the original bytes of rejected records, which may name persons, for longer than wanted; lower its retention.ms",
			zap.String("topic", w.name), zap.Int64("retention.ms", have), zap.Int64("wanted", want))
	}
}
