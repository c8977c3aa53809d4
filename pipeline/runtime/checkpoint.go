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

// fenceKey is the reader's own key in a changelog; all others are the task's.
const fenceKey = "\x00fence"

// topicKey is the reader's, too: the id of the input topic, saved with each state. One that was deleted and made again is another log, whatever its
// offsets are.
const topicKey = "\x00topic"

// commitLimit bounds one checkpoint; the coordinator aborts a transaction that is twice as old.
const commitLimit = 20 * time.Second

func (r *Reader) openChangelog(ctx context.Context, partition int32) (*changelogWriter, error) {
	id := fmt.Sprintf("%s-%s-%d", r.cfg.Group, r.cfg.Topic, partition)
	cl, err := kgo.NewClient(r.opts(kgo.TransactionalID(id), kgo.TransactionTimeout(2*commitLimit), kgo.RecordPartitioner(kgo.ManualPartitioner()),
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

// snapshot is one checkpoint on its way. Its records are sent while it is packed: all of them at once would be as large as the state. Only where output
// has to be acknowledged first, which may take longer than a transaction lives, they wait for that.
type snapshot struct {
	tx      *transaction  // nil while they wait
	recs    []*kgo.Record // that wait
	bytes   int
	next    int64  // the consumed offset it stands for
	emitted uint64 // of the output, up to which everything must be acknowledged first
	started time.Time
	packing time.Duration // so far
}

// worthIt: a task that has not begun would save offset 0, which the log may no longer have.
func (t *partition) worthIt() bool { return t.begun && t.changed }

// beginSnapshot makes t.saving the state of now. It must have none.
func (t *partition) beginSnapshot() {
	s := &snapshot{next: t.next, started: time.Now()}
	t.task.Snapshot()
	if t.out != nil {
		s.emitted = t.out.mark()
	} else {
		s.tx = t.changelog.begin()
	}
	t.changed = false
	t.saving, t.savedAt = s, s.started
}

// savePart is how long the flow waits for a part of a snapshot.
const savePart = 2 * time.Millisecond

// save packs the snapshot on its way for a time, all of it without one, and says whether there is more. Fast, in the loop, between records; the commit
// goes on behind the flow.
func (t *partition) save(limit time.Duration) (more bool) {
	s, began, took := t.saving, time.Now(), time.Duration(0)
	for more = true; more && (limit == 0 || took < limit); took = time.Since(began) {
		more = t.task.Save(func(key, value []byte) { s.put(t.changelog.record(key, value)) })
	}
	s.packing += took
	t.r.metrics.paused.Observe(took.Seconds())
	if !more {
		s.put(t.changelog.record([]byte(topicKey), t.topicID[:]))
	}
	return more
}

func (s *snapshot) put(rec *kgo.Record) {
	s.bytes += len(rec.Key) + len(rec.Value)
	if s.tx == nil {
		s.recs = append(s.recs, rec)
		return
	}
	s.tx.put(rec)
}

// checkpoint begins one, unless one is on its way or nothing changed.
func (t *partition) checkpoint() {
	if t.saving == nil && !t.committing && t.worthIt() && !t.tooEarly() {
		t.beginSnapshot()
	}
}

// saveSome goes on with the snapshot on its way, and has it committed when all of it is packed. Who is behind packs it at once: nobody waits for what
// comes, and what changes meanwhile is packed apart, for more.
func (t *partition) saveSome() {
	limit := savePart
	if t.behind {
		limit = 0
	}
	if t.save(limit) {
		return
	}
	s := t.saving
	t.saving, t.packed, t.committing = nil, s.packing, true
	go func() { t.committed <- t.commit(t.ctx, s) }()
}

// always is ready.
var always = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// unsaved is ready while a snapshot is on its way.
func (t *partition) unsaved() chan struct{} {
	if t.saving == nil {
		return nil
	}
	return always
}

// checkpointShare bounds the part of a partition's time that goes into packing checkpoints: 1/checkpointShare.
const checkpointShare = 40

// behindShare is how many of the intervals as configured lie between two while catching up: everything changes all the time then, and what a restart
// replays is part of a backlog anyway.
const behindShare = 12

// maxCheckpointEvery bounds what a restart has to replay where a checkpoint is dear.
const maxCheckpointEvery = time.Minute

// nextCheckpoint is the time until the next one is looked for: as configured, or longer where the last one took long to pack.
func (t *partition) nextCheckpoint() time.Duration {
	every := t.r.cfg.CheckpointEvery
	if t.behind {
		return every // it may be over by then
	}
	return max(every, min(t.packed*checkpointShare, maxCheckpointEvery))
}

// tooEarly says that the next one can wait though it has been looked for.
func (t *partition) tooEarly() bool {
	return t.behind && time.Since(t.savedAt) < min(behindShare*t.r.cfg.CheckpointEvery, maxCheckpointEvery)
}

// commit is the only place where a position moves: the output up to it is acknowledged, then state and offset become durable together.
func (t *partition) commit(ctx context.Context, s *snapshot) error {
	if t.out != nil {
		if err := t.out.wait(ctx, s.emitted); err != nil {
			return err
		}
		s.tx = t.changelog.begin()
		for _, rec := range s.recs {
			s.tx.put(rec)
		}
	}
	if _, err := s.tx.commit(ctx); err != nil {
		return err
	}
	t.s.status.checkpointed.Store(time.Now().UnixMilli())
	t.r.metrics.checkpointed(s.bytes, time.Since(s.started))
	t.r.commitGroup(t.s.id, s.next)
	return nil
}
