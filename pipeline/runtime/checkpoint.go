package runtime

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

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
func (t *partition) worthIt() bool { return t.begun && (t.changed || t.unnamed.Load()) }

// beginSnapshot makes t.saving the state of now. It must have none.
func (t *partition) beginSnapshot() {
	s := &snapshot{next: t.next, started: time.Now()}
	t.task.Snapshot()
	t.paused(s, time.Since(s.started))
	if t.out != nil {
		s.emitted = t.out.mark()
	} else {
		s.tx = t.changelog.begin()
	}
	t.changed = false
	t.saving, t.savedAt = s, s.started
}

// saveFirst makes the first checkpoint of a partition when one record is applied, before any row leaves: so where nothing is saved, nothing that
// was counted here is in the store.
func (t *partition) saveFirst() error {
	t.beginSnapshot()
	t.save(0)
	s := t.saving
	t.saving = nil
	return t.commit(t.ctx, s)
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
	t.paused(s, took)
	if !more {
		s.put(t.changelog.record([]byte(topicKey), t.topicID[:]))
		if id := t.r.cfg.StoreID; id != [16]byte{} {
			s.put(t.changelog.record([]byte(storeKey), t.storeValue()))
		}
	}
	return more
}

// paused notes that the flow has waited for a snapshot.
func (t *partition) paused(s *snapshot, took time.Duration) {
	s.packing += took
	t.r.metrics.paused.Observe(took.Seconds())
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
	if t.saving == nil && !t.committing && t.worthIt() && !tooEarly(t.r.cfg.CheckpointEvery, time.Since(t.savedAt), t.behind) {
		t.beginSnapshot()
	}
}

// saveSome goes on with the snapshot on its way, and has it committed when all of it is packed. Who is behind packs it at once: nobody waits for what
// comes, and what changes meanwhile is packed apart, for more. So does who is so busy that the transaction would become too old.
func (t *partition) saveSome() {
	limit := savePart
	if t.behind || time.Since(t.saving.started) > packLimit {
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

// behindEvery is how many of the intervals as configured lie between two while catching up: everything changes all the time then, and what a restart
// replays is part of a backlog anyway.
const behindEvery = 12

// maxCheckpointEvery bounds what a restart has to replay where a checkpoint is dear.
const maxCheckpointEvery = time.Minute

// nextCheckpoint is the time until the next one is looked for: as configured, or longer where the last one took long to pack. While behind that may be
// over by then.
func nextCheckpoint(every, packed time.Duration, behind bool) time.Duration {
	if behind {
		return every
	}
	return max(every, min(packed*checkpointShare, maxCheckpointEvery))
}

// tooEarly says that the next one can wait though it has been looked for. The first of a life never can: one life after the other that ends within a
// minute would get nowhere.
func tooEarly(every, sinceLast time.Duration, behind bool) bool {
	return behind && sinceLast < max(every, min(behindEvery*every, maxCheckpointEvery))
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
	t.unnamed.Store(!t.r.commitGroup(t.s.id, s.next) && t.r.cfg.TakeStore)
	t.r.watchStore()
	return nil
}
