package runtime

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
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
	adm, err := kadm.NewOptClient(slices.Concat(cfg.KafkaOpts, []kgo.Opt{kgo.SeedBrokers(cfg.Brokers...)})...)
	if err != nil {
		return fmt.Errorf("rejected %s: Kafka client: %w", cfg.Topic, err)
	}
	defer adm.Close()
	fromStart := kgo.AdjustFetchOffsetsFn(func(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
		return offsets, cfg.beginAnew(ctx, adm, offsets[cfg.Topic])
	})
	opts := slices.Concat(cfg.KafkaOpts, []kgo.Opt{kgo.SeedBrokers(cfg.Brokers...), kgo.ConsumerGroup(cfg.Group), kgo.ConsumeTopics(cfg.Topic),
		kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.DisableAutoCommit(), fromStart, kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(cfg.SessionTimeout), kgo.HeartbeatInterval(min(3*time.Second, cfg.SessionTimeout/4))})
	if cfg.InstanceID != "" {
		opts = append(opts, kgo.InstanceID(cfg.InstanceID))
	}
	// Nobody reads dead letters within the second, and an INSERT for each of them would cost the store more than the rows of a room.
	opts = append(opts, kgo.FetchMinBytes(1<<20), kgo.FetchMaxWait(time.Second))
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return fmt.Errorf("rejected %s: Kafka client: %w", cfg.Topic, err)
	}
	defer cl.Close()
	writing, fetching := failing{log: cfg.Log}, failing{log: cfg.Log, apart: time.Minute}
	for {
		fs := cl.PollRecords(ctx, rejectedBatch)
		if ctx.Err() != nil {
			return nil
		}
		for _, e := range fs.Errors() {
			if isFatal(e.Err) {
				return fmt.Errorf("rejected %s: %w", cfg.Topic, e.Err)
			}
			fetching.failed(time.Now(), e.Err, "rejected: fetch, will be repeated", zap.String("topic", cfg.Topic))
		}
		if err := cfg.copy(ctx, cl, m, &writing, fs, write); err != nil {
			return nil // only when ctx has ended
		}
	}
}

// beginAnew makes partitions whose records were written to another store begin at their start: it may be empty, and writing one twice is harmless.
func (c *RejectedConfig) beginAnew(ctx context.Context, adm *kadm.Client, offsets map[int32]kgo.Offset) error {
	if c.StoreID == [16]byte{} {
		return nil
	}
	stores, err := storesOf(ctx, adm, c.Group)
	for partition := range offsets {
		if has, ok := stores[partition]; ok && has != string(c.StoreID[:]) {
			c.Log.Info("rejected: another database than before, all dead letters are copied again", zap.Int32("partition", partition))
			offsets[partition] = kgo.NewOffset().AtStart()
		}
	}
	return err
}

const rejectedFailed = "rejected: dead letters are not written; it is tried again"

func (c *RejectedConfig) copy(ctx context.Context, cl *kgo.Client, m *rejectedMetrics, writing *failing, fs kgo.Fetches, write func(context.Context, []rollup.Rejected) error) error {
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
		wctx, cancel := context.WithTimeout(rollup.WithAttempts(ctx, func(err error) { writing.failed(time.Now(), err, rejectedFailed) }), c.WriteTimeout)
		err := write(wctx, rows)
		cancel()
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		m.failures.Inc()
		writing.failed(began, err, rejectedFailed)
		if !pause(ctx, nil, backoff) {
			return ctx.Err()
		}
	}
	writing.ended("rejected: dead letters are written again")
	m.wrote(fs, time.Since(started))
	cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := cl.CommitRecords(storeMarked(cctx, c.StoreID), recs...); err != nil {
		c.Log.Warn("rejected: commit, the batch may be written again", zap.Error(err))
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
		case "reason":
			row.Reason = v
		case "field":
			row.Field = v
		case "source_topic":
			row.Topic = v
		case "source_topic_id":
			row.TopicID = topicIDOf(h.Value)
		case "source_partition":
			partition = number(v, partition)
		case "source_offset":
			offset = number(v, offset)
		case "received_ts":
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
