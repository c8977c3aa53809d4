package runtime

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// changelogWriter owns the partition's transactional id. Whoever opens it last fences all before: a zombie cannot commit.
//
// It is never used again after an error. The next one's first act at the coordinator aborts what this one left open, and what the
// changelog then holds decides, so no outcome of a commit needs to be guessed.
type changelogWriter struct {
	cl        *kgo.Client
	topic     string
	partition int32
}

// fenceKey is the first of the reader's own keys in a changelog; those that do not begin with a zero byte are the task's.
const fenceKey = "\x00fence"

// topicKey is the reader's, too: the id of the input topic, saved with each state. One that was deleted and made again is another log, whatever its
// offsets are.
const topicKey = "\x00topic"

// A transaction is open while its records are packed, between other work for packLimit at most, and while it is committed. The coordinator aborts one
// that is older than openLimit: both together, and what packing the rest at once takes.
const (
	packLimit   = 20 * time.Second
	commitLimit = 20 * time.Second
	openLimit   = packLimit + commitLimit + 20*time.Second
)

func (r *Reader) openChangelog(ctx context.Context, partition int32) (*changelogWriter, error) {
	id := fmt.Sprintf("%s-%s-%d", r.cfg.Group, r.cfg.Topic, partition)
	cl, err := kgo.NewClient(r.opts(kgo.TransactionalID(id), kgo.TransactionTimeout(openLimit), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.SnappyCompression()), kgo.ProducerLinger(0), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.MaxBufferedRecords(1<<30))...) // bounded by the state
	if err != nil {
		return nil, fmt.Errorf("changelog %s: Kafka client: %w", r.cfg.Changelog, err)
	}
	ctx, cancel := context.WithTimeout(ctx, commitLimit)
	defer cancel()
	if _, _, err := cl.ProducerID(ctx); err != nil {
		cl.Close()
		return nil, fmt.Errorf("changelog %s: take over transactional id %s: %w", r.cfg.Changelog, id, err)
	}
	return &changelogWriter{cl, r.cfg.Changelog, partition}, nil
}

func (w *changelogWriter) record(key, value []byte) *kgo.Record {
	return &kgo.Record{Topic: w.topic, Partition: w.partition, Key: key, Value: value}
}

// transaction is one of a changelogWriter: begun, filled and committed in this order, whatever errors come on the way.
type transaction struct {
	w      *changelogWriter
	mu     sync.Mutex
	last   int64 // highest offset acknowledged so far
	failed error // the first
}

func (w *changelogWriter) begin() *transaction {
	tx := &transaction{w: w}
	if err := w.cl.BeginTransaction(); err != nil {
		tx.failed = w.fail("begin", err)
	}
	return tx
}

// put sends a record, without waiting for anything.
func (tx *transaction) put(rec *kgo.Record) {
	tx.w.cl.Produce(context.Background(), rec, func(rec *kgo.Record, err error) {
		tx.mu.Lock()
		defer tx.mu.Unlock()
		if err != nil && tx.failed == nil {
			tx.failed = tx.w.fail("produce", err)
		}
		tx.last = max(tx.last, rec.Offset)
	})
}

// commit returns the highest offset that the records took.
func (tx *transaction) commit(ctx context.Context) (last int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, commitLimit)
	defer cancel()
	if err := tx.w.cl.Flush(ctx); err != nil { // EndTransaction does not
		return 0, tx.w.fail("flush", err)
	}
	tx.mu.Lock()
	last, err = tx.last, tx.failed
	tx.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if err := tx.w.cl.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return 0, tx.w.fail("commit", err)
	}
	return last, nil
}

// commit writes recs in one transaction and returns the highest offset they took.
func (w *changelogWriter) commit(ctx context.Context, recs ...*kgo.Record) (last int64, err error) {
	tx := w.begin()
	for _, rec := range recs {
		tx.put(rec)
	}
	return tx.commit(ctx)
}

func (w *changelogWriter) fail(what string, err error) error {
	return fmt.Errorf("changelog %s partition %d: %s of a checkpoint: %w", w.topic, w.partition, what, err)
}

func (w *changelogWriter) close() { w.cl.Close() }
