package runtime

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
)

// restore reads the changelog into an empty task and returns the offset to go on from.
//
// It first commits a record of its own and reads up to that: the end is then an offset that is certainly delivered, whatever
// compaction, aborted transactions and control records have left of the log before it.
//
// topicID is that of the input topic as it is now. taken says that the state is of another store than the one that takes its place.
func (t *partition) restore(ctx context.Context, w *changelogWriter, task Task, topicID [16]byte) (next int64, taken bool, err error) {
	r, started := t.r, time.Now()
	fence, err := w.commit(ctx, w.record([]byte(fenceKey), []byte(started.UTC().Format(time.RFC3339Nano))))
	if err != nil {
		return 0, false, err
	}
	c, err := r.readChangelog(ctx, w.partition, fence)
	if err != nil {
		return 0, false, err
	}
	if c.topic != nil && !bytes.Equal(c.topic, topicID[:]) {
		return 0, false, fatal("partition %d of %s: the changelog %s is of a topic with id %x, this one has %x: the topic was made again. %s",
			w.partition, r.cfg.Topic, r.cfg.Changelog, c.topic, topicID, r.anew())
	}
	has, inherited := splitStore(c.store)
	if t.inherited = inherited; c.store == nil {
		has = nil
	}
	if taken, err = r.sameStore(w.partition, has); err != nil {
		return 0, false, err
	}
	live, n := c.recs, c.n
	for i, rec := range live {
		if rec.key == "" {
			continue
		}
		if err := task.Restore([]byte(rec.key), rec.value); err != nil {
			return 0, false, fatal("partition %d of %s: restore from changelog %s at offset %d: %w", w.partition, r.cfg.Topic, r.cfg.Changelog, rec.offset, err)
		}
		live[i] = changelogRecord{}
	}
	next, err = task.RestoreDone()
	if err != nil {
		return 0, false, fatal("partition %d of %s: restore from changelog %s: %w", w.partition, r.cfg.Topic, r.cfg.Changelog, err)
	}
	if err := t.skipPoison(ctx, c.skips, next); err != nil {
		return 0, false, err
	}
	took := time.Since(started)
	r.metrics.restore.Observe(took.Seconds())
	r.log.Info("partition restored", zap.Int32("partition", w.partition), zap.Int("changelog_records", n), zap.Int64("next_offset", next), zap.Duration("took", took))
	if n == 0 {
		next = -1 // nothing was ever saved
	}
	return next, taken, nil
}

type changelogRecord struct {
	key    string // "" when superseded
	value  []byte
	offset int64
}

// collapse keeps the newest value of each key, in the order of their offsets: a task sees each key once, as after a full compaction.
type collapse struct {
	recs []changelogRecord
	at   map[string]int
	n    int

	topic []byte // id of the input topic that the state is of, nil where none was saved
	store []byte // and of the store that has its rows
	skips []byte // what the task is to skip
}

func (c *collapse) add(rec *kgo.Record) {
	switch string(rec.Key) {
	case fenceKey:
		return
	case topicKey:
		c.topic = slices.Clone(rec.Value)
		return
	case skipKey:
		c.skips = slices.Clone(rec.Value)
		return
	case storeKey:
		c.store = slices.Clone(rec.Value)
		return
	}
	c.n++
	key := string(rec.Key)
	if i, ok := c.at[key]; ok {
		c.recs[i] = changelogRecord{}
		delete(c.at, key)
	}
	if len(rec.Value) == 0 {
		return
	}
	c.at[key] = len(c.recs)
	c.recs = append(c.recs, changelogRecord{key, slices.Clone(rec.Value), rec.Offset}) // a value of its own: it would pin its whole fetch
}

// readChangelog returns what is live up to offset end.
func (r *Reader) readChangelog(ctx context.Context, partition int32, end int64) (*collapse, error) {
	topic := r.cfg.Changelog
	cl, err := kgo.NewClient(r.opts(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().AtStart()}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxPartitionBytes(8<<20))...)
	if err != nil {
		return nil, fmt.Errorf("changelog %s: Kafka client: %w", topic, err)
	}
	defer cl.Close()
	c := collapse{at: map[string]int{}}
	progress := time.Now()
	for at := int64(-1); at < end; {
		fs := cl.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if errs := fs.Errors(); len(errs) > 0 {
			return nil, fmt.Errorf("changelog %s partition %d: read: %w", topic, partition, errs[0].Err)
		}
		fs.EachRecord(func(rec *kgo.Record) {
			at = rec.Offset
			c.add(rec)
		})
		if time.Since(progress) > 2*time.Second {
			progress = time.Now()
			r.log.Info("restoring partition", zap.Int32("partition", partition), zap.Int64("offset", at), zap.Int64("of", end), zap.Int("live", len(c.at)))
		}
	}
	return &c, nil
}
