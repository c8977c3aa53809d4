package runtime

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// RejectedConfig is the consumer of the dead letters.
type RejectedConfig struct {
	Brokers        []string
	KafkaOpts      []kgo.Opt
	Topic          string // events.rejected, with prefix
	Group          string
	InstanceID     string
	BrokersAssign  bool          // as a reader's
	SessionTimeout time.Duration // 10 s
	WriteTimeout   time.Duration // 30 s
	StoreID        [16]byte      // of the store that is written to: another one gets all that the topic holds; zero if it has none
	Log            *zap.Logger
	Metrics        prometheus.Registerer // nil: none
}

// rejectedBatch is how many records are in one write at most.
const rejectedBatch = 2000

func (c *RejectedConfig) defaults() {
	if c.SessionTimeout <= 0 {
		c.SessionTimeout = 10 * time.Second
	}
	if c.WriteTimeout <= 0 {
		c.WriteTimeout = 30 * time.Second
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
}

// RunRejected copies events.rejected to write until ctx ends, and then returns nil. A batch that fails is written again until it
// succeeds, and offsets are committed after it: a record may be written twice, which its key (the source offset) makes harmless.
func RunRejected(ctx context.Context, cfg RejectedConfig, write func(ctx context.Context, rows []rollup.Rejected) error) error {
	cfg.defaults()
	m, err := newRejectedMetrics(cfg.Metrics)
	if err != nil {
		return fmt.Errorf("rejected %s: %w", cfg.Topic, err)
	}
	asker, err := kgo.NewClient(slices.Concat(cfg.KafkaOpts, []kgo.Opt{kgo.SeedBrokers(cfg.Brokers...)})...)
	if err != nil {
		return fmt.Errorf("rejected %s: Kafka client: %w", cfg.Topic, err)
	}
	defer asker.Close()
	s := &rejectedSession{cfg: &cfg, asker: asker, metrics: m, write: write, writing: failing{log: cfg.Log}, fetching: failing{log: cfg.Log, apart: time.Minute}}
	for {
		err := s.run(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case isFatal(err):
			return fmt.Errorf("rejected %s: %w", cfg.Topic, err)
		}
		s.fetching.failed(time.Now(), err, "rejected: reading begins anew", zap.String("topic", cfg.Topic))
		pause(ctx, nil, time.Second)
	}
}

// rejectedSession is one life of a client that reads: it never takes another topic for the one that it has begun to read.
type rejectedSession struct {
	cfg               *RejectedConfig
	asker             *kgo.Client // for all lives
	metrics           *rejectedMetrics
	write             func(context.Context, []rollup.Rejected) error
	writing, fetching failing
	topic             [16]byte
	client            *kgo.Client
}

// run ends with ctx, or with an error: where the topic was deleted, too.
func (s *rejectedSession) run(ctx context.Context) (err error) {
	cfg := s.cfg
	if s.topic, err = TopicID(ctx, s.asker, cfg.Topic); err != nil {
		return err
	}
	adm := kadm.NewClient(s.asker)
	fromStart := kgo.AdjustFetchOffsetsFn(func(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
		return offsets, s.beginAnew(ctx, adm, offsets[cfg.Topic])
	})
	opts := slices.Concat(cfg.KafkaOpts, []kgo.Opt{kgo.SeedBrokers(cfg.Brokers...), kgo.ConsumeTopics(cfg.Topic), fromStart, kgo.ConsumeStartOffset(kgo.NewOffset().AtStart())},
		membership(cfg.Group, cfg.InstanceID, cfg.SessionTimeout, cfg.BrokersAssign))
	// Nobody reads dead letters within the second, and an INSERT for each of them would cost the store more than the rows of a room.
	opts = append(opts, kgo.FetchMinBytes(1<<20), kgo.FetchMaxWait(time.Second))
	if s.client, err = kgo.NewClient(opts...); err != nil {
		return fmt.Errorf("make a Kafka client: %w", err)
	}
	defer s.client.Close()
	for {
		fs := s.client.PollRecords(ctx, rejectedBatch)
		if ctx.Err() != nil {
			return nil
		}
		for _, e := range fs.Errors() {
			if isFatal(e.Err) || errors.Is(e.Err, kerr.UnknownTopicID) {
				return e.Err
			}
			s.fetching.failed(time.Now(), e.Err, "rejected: fetch, will be repeated", zap.String("topic", cfg.Topic))
		}
		if len(fs.Errors()) == 0 {
			s.fetching.works()
		}
		if err := s.copy(ctx, fs); err != nil {
			return nil // only when ctx has ended
		}
	}
}

// beginAnew makes partitions begin at their start whose records were written to another store, which may be empty, or of which the offset is one of a
// topic of this name that was deleted: writing a record twice is harmless.
func (s *rejectedSession) beginAnew(ctx context.Context, adm *kadm.Client, offsets map[int32]kgo.Offset) error {
	cfg := s.cfg
	marks, err := commitMarks(ctx, adm, cfg.Group)
	for partition := range offsets {
		m, ok := parseStoreMark(marks[partition])
		if ok && (m.store != string(cfg.StoreID[:]) || m.topic != "" && m.topic != hex.EncodeToString(s.topic[:])) {
			cfg.Log.Info("rejected: another database than before, or another topic: all dead letters are copied again", zap.Int32("partition", partition))
			offsets[partition] = kgo.NewOffset().AtStart()
		}
	}
	return err
}

const rejectedFailed = "rejected: dead letters are not written; it is tried again"

func (s *rejectedSession) copy(ctx context.Context, fs kgo.Fetches) error {
	recs, started := fs.Records(), time.Now()
	if len(recs) == 0 {
		return nil
	}
	rows := make([]rollup.Rejected, len(recs))
	for i, rec := range recs {
		rows[i] = rejectedRow(rec)
	}
	for backoff := 100 * time.Millisecond; ; backoff = min(2*backoff, 5*time.Second) {
		began := time.Now()
		wctx, cancel := context.WithTimeout(rollup.WithAttempts(ctx, func(err error) { s.writing.failed(time.Now(), err, rejectedFailed) }), s.cfg.WriteTimeout)
		err := s.write(wctx, rows)
		cancel()
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.metrics.failures.Inc()
		s.writing.failed(began, err, rejectedFailed)
		if !pause(ctx, nil, backoff) {
			return ctx.Err()
		}
	}
	s.writing.ended("rejected: dead letters are written again")
	s.metrics.wrote(fs, time.Since(started))
	cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.client.CommitRecords(withMark(cctx, storeOfTopic(s.cfg.StoreID, s.topic)), recs...); err != nil {
		s.cfg.Log.Warn("rejected: commit, the batch may be written again", zap.Error(err))
	}
	return nil
}

// rejectedRow reads the headers of contract.md, and source_topic_id. A record without a readable source is keyed by its own place, so
// that even what a stranger wrote there is kept.
func rejectedRow(rec *kgo.Record) rollup.Rejected {
	row := rollup.Rejected{ReceivedTS: rec.Timestamp.UnixMilli(), Original: rec.Value, Length: int64(len(rec.Value))}
	partition, offset := int64(-1), int64(-1)
	for _, h := range rec.Headers {
		switch v := string(h.Value); h.Key {
		case headerReason:
			row.Reason = printable(v)
		case headerField:
			row.Field = printable(v)
		case headerTopic:
			row.Topic = printable(v)
		case headerTopicID:
			row.TopicID = topicIDOf(h.Value)
		case headerPartition:
			partition = number(v, partition)
		case headerOffset:
			offset = number(v, offset)
		case headerReceived:
			row.ReceivedTS = number(v, row.ReceivedTS)
		case "cut_value_bytes":
			row.Length = max(row.Length, number(v, 0))
		}
	}
	row.Partition, row.Offset = int32(partition), offset
	row.ReceivedTS = min(max(row.ReceivedTS, 0), maxRejectedTS)
	if row.Topic == "" || partition < 0 || offset < 0 {
		row.Topic, row.TopicID, row.Partition, row.Offset = rec.Topic, [16]byte{}, rec.Partition, rec.Offset
	}
	if row.TopicID == ([16]byte{}) { // the id is part of the key: without one, equal offsets of two topics would be one row
		row.TopicID = uuid.NewSHA1(uuid.NameSpaceOID, []byte(row.Topic))
	}
	return row
}

// printable is a header's text for people: whoever writes to the topic writes to their terminals.
func printable(v string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return utf8.RuneError
		}
		return c
	}, strings.ToValidUTF8(v, string(utf8.RuneError)))
}

// maxRejectedTS is what every store's clock can hold: a time beyond it, which only a stranger writes, would be refused again and again
// and keep all dead letters behind it from the store.
const maxRejectedTS = 1e13 // ms, in the year 2286

// topicIDOf takes the 16 bytes, or any text form of a UUID.
func topicIDOf(v []byte) (id [16]byte) {
	if len(v) == len(id) {
		return [16]byte(v)
	}
	if u, err := uuid.ParseBytes(v); err == nil {
		return u
	}
	return id
}

func number(s string, otherwise int64) int64 {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	return otherwise
}
