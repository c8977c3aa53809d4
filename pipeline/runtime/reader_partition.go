package runtime

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
)

// partition is one life of a slot: from a restore to its end. All but commit and poll runs on one goroutine, which owns the task.
type partition struct {
	r   *Reader
	s   *slot
	ctx context.Context // ends all of this life at once

	changelog *changelogWriter
	topicID   [16]byte
	out       *output // nil without an output topic
	task      Task
	flush     *flushHandle // nil without a sink
	fetches   chan kgo.Fetches
	stats     Stats
	fresh     freshness

	next        int64 // offset to apply next
	high        int64 // end of the log as of the last fetch
	flushed     int64 // everything below it has been flushed and acknowledged, while none is flying
	flushAt     int64 // next at the outstanding flush
	flying      bool  // a flush with rows is outstanding: it may be the second one at the same offset, of rows that the first one left
	roundAt     int64 // next when its round of flushes began
	roundBehind bool  // that round is of final rows only
	behind      bool
	pursuit     pursuit
	last        bool // stopping: a flush sends all
	full        bool // too many dirty cells: no input until the sink acknowledges

	begun      bool          // the task knows its offset: from a checkpoint, or from a record applied
	changed    bool          // since the last snapshot
	saving     *snapshot     // that is being packed
	savedAt    time.Time     // when the last one of this life began
	packed     time.Duration // what packing the last one took
	committing bool
	inherited  int64       // offset up to which another store has acknowledged: see checkStored
	anew       bool        // the store has not acknowledged yet what the task sends it anew: see Task.Stored
	unnamed    atomic.Bool // the group's commit does not name the store that has taken over
	committed  chan error
}

// runOnce is one life. It returns nil only after a stop with its last checkpoint.
func (s *slot) runOnce() (err error) {
	ctx, cancel := context.WithCancel(s.ctx)
	t := &partition{r: s.r, s: s, ctx: ctx, fetches: make(chan kgo.Fetches), committed: make(chan error, 1), flushed: -1}
	var background sync.WaitGroup
	defer func() {
		if p := recover(); p != nil {
			err = fatal("partition %d of %s: the task panicked at offset %d: %v\n%s", s.id, s.r.cfg.Topic, t.next, p, debug.Stack())
		}
		cancel()
		t.close()
		background.Wait()
	}()
	cl, err := t.start()
	if err != nil || cl == nil {
		return err
	}
	defer cl.Close()
	background.Go(func() { t.poll(cl) })
	t.observe()
	s.status.phase.Store(running)
	return t.loop()
}

// start takes the partition over, restores its state and opens the log where the state ends. A stop during it needs no checkpoint: it
// returns no client and no error.
func (t *partition) start() (*kgo.Client, error) {
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	unwatch := make(chan struct{})
	defer close(unwatch)
	go func() {
		select {
		case <-t.s.stop:
			cancel()
		case <-unwatch:
		}
	}()
	t.s.status.phase.Store("restoring")
	cl, err := t.open(ctx)
	if err != nil && ctx.Err() != nil && t.ctx.Err() == nil {
		return nil, nil
	}
	return cl, err
}

func (t *partition) open(ctx context.Context) (cl *kgo.Client, err error) {
	r, id := t.r, t.s.id
	if t.changelog, err = r.openChangelog(ctx, id); err != nil {
		return nil, err
	}
	var out Output
	if r.cfg.OutputTopic != "" {
		if t.out, err = r.openOutput(t.ctx); err != nil {
			return nil, err
		}
		out = t.out
	}
	t.task = r.cfg.NewTask(id, out)
	if t.topicID, err = TopicID(ctx, r.group, r.cfg.Topic); err != nil {
		return nil, err
	}
	saved, taken, err := t.restore(ctx, t.changelog, t.task, t.topicID)
	if err != nil {
		return nil, err
	}
	inherited := t.inherited
	stored, err := t.checkStored(ctx, taken)
	if err != nil {
		return nil, err
	}
	t.anew = taken || r.cfg.Stored != nil && stored < t.task.Stats().Acknowledged // also where the process that took over ended before it had told
	t.task.Stored(stored, t.anew)
	if t.next, t.high, err = r.checkOffset(ctx, id, saved, stored); err != nil {
		return nil, err
	}
	t.begun, t.changed = saved >= 0, taken || r.takesFrom(id) || t.inherited != inherited
	if !t.begun && r.takesFrom(id) { // there is no checkpoint to come that would name this store
		r.commitGroup(id, t.next)
		r.watchStore()
	}
	if r.writer != nil {
		t.flush = r.writer.register(id)
		t.fresh.newest = t.task.Stats().MaxRecv
		t.flush.dirty.Store(true) // what was not acknowledged before the restart
	}
	cl, err = kgo.NewClient(r.opts(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.cfg.Topic: {id: kgo.NewOffset().At(t.next)}}),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), kgo.FetchMaxPartitionBytes(2<<20))...)
	if err != nil {
		return nil, fmt.Errorf("%s: Kafka client: %w", r.cfg.Topic, err)
	}
	return cl, nil
}

// checkOffset says where to go on: at the saved offset if the log still has it, at the log's start if nothing was ever saved.
func (r *Reader) checkOffset(ctx context.Context, id int32, saved, stored int64) (next, end int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, commitLimit)
	defer cancel()
	starts, err := r.admin.ListStartOffsets(ctx, r.cfg.Topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return 0, 0, fmt.Errorf("%s: list start offsets: %w", r.cfg.Topic, err)
	}
	ends, err := r.admin.ListEndOffsets(ctx, r.cfg.Topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return 0, 0, fmt.Errorf("%s: list end offsets: %w", r.cfg.Topic, err)
	}
	first, _ := starts.Lookup(r.cfg.Topic, id)
	last, _ := ends.Lookup(r.cfg.Topic, id)
	switch {
	case saved < 0:
		if first.Offset > 0 {
			if err := r.mayBeginAt(id, first.Offset, stored); err != nil {
				return 0, 0, err
			}
		}
		return first.Offset, last.Offset, nil
	case saved < first.Offset:
		return 0, 0, r.lost(id, saved, first.Offset)
	case saved > last.Offset:
		return 0, 0, fatal("partition %d of %s: the changelog %s stands at offset %d, but the log ends at %d: the topic was made again or lost records. %s",
			id, r.cfg.Topic, r.cfg.Changelog, saved, last.Offset, r.anew())
	}
	return saved, last.Offset, nil
}

// mayBeginAt says whether a partition of which nothing is saved may begin where retention has left the log.
func (r *Reader) mayBeginAt(id int32, offset, stored int64) error {
	switch {
	case r.cfg.WholeLog:
		return fatal("partition %d of %s: nothing is saved in %s and the topic begins at offset %d: its records are differences to those before. %s", id, r.cfg.Topic, r.cfg.Changelog, offset, r.anew())
	case stored > 0:
		return fatal("partition %d of %s: nothing is saved in %s, the log begins at offset %d, and the database has rows of it: what is counted again would be added to them. "+
			"Give it the changelog back. %s", id, r.cfg.Topic, r.cfg.Changelog, offset, r.anew())
	}
	r.log.Warn("nothing is saved and the log does not begin at 0: what retention has taken is not counted, nor what stands before the first settings, which come every minute. "+
		"To count from the beginning, keep events longer (events.retention)", zap.String("topic", r.cfg.Topic), zap.Int32("partition", id), zap.Int64("offset", offset))
	return nil
}

func (r *Reader) lost(id int32, want, start int64) error {
	return fatal("partition %d of %s: offset %d is needed but the log starts at %d: retention removed records that were never counted. "+
		"Raise retention.ms of %s. %s", id, r.cfg.Topic, want, start, r.cfg.Topic, r.anew())
}

// anew is how a pipeline begins again where it cannot go on.
func (r *Reader) anew() string {
	what, both := r.cfg.Changelog, " and the changelogs of enricher and aggregator, of which "+r.cfg.Changelog+" is one"
	switch {
	case r.cfg.OutputTopic != "":
		what = r.cfg.OutputTopic + both
	case r.cfg.WholeLog:
		what = r.cfg.Topic + both
	}
	return "To count again what the log still holds: with all services stopped delete " + what + ", and start with an empty database and --clickhouse-take-over (docs/operations.md)"
}

func (t *partition) poll(cl *kgo.Client) {
	for {
		fs := cl.PollRecords(t.ctx, t.r.cfg.PollRecords)
		if t.ctx.Err() != nil || fs.IsClientClosed() {
			return
		}
		select {
		case t.fetches <- fs:
		case <-t.ctx.Done():
			return
		}
	}
}

func (t *partition) close() {
	if t.flush != nil {
		t.r.writer.unregister(t.flush)
	}
	if t.committing {
		<-t.committed // its context has ended
	}
	if t.out != nil {
		t.out.close()
	}
	if t.changelog != nil {
		t.changelog.close()
	}
}

// loop until the slot is stopped or something fails.
func (t *partition) loop() error {
	every := t.r.cfg.CheckpointEvery
	first := every/2 + every/2*time.Duration(t.s.id%8)/8 // partitions take turns
	checkpoint := time.NewTimer(first)
	defer checkpoint.Stop()
	status := time.NewTicker(500 * time.Millisecond)
	defer status.Stop()
	for {
		input := t.fetches
		if t.full {
			input = nil
		}
		asks, acks := t.signals()
		var err error
		select {
		case <-t.ctx.Done():
			return context.Cause(t.ctx)
		case <-t.s.stop:
			return t.finish()
		case fs := <-input:
			err = t.apply(fs)
		case <-asks:
			t.flushNow(true)
		case a := <-acks:
			t.acked(a)
		case err = <-t.committed:
			t.committing = false
		case <-checkpoint.C:
			t.checkpoint()
			checkpoint.Reset(nextCheckpoint(every, t.packed, t.behind))
		case <-t.unsaved():
			t.saveSome()
		case <-status.C:
			t.observe()
		}
		if err == nil && t.out != nil {
			err = t.out.failure()
		}
		if err != nil {
			return err
		}
	}
}

func (t *partition) signals() (chan struct{}, chan ack) {
	if t.flush == nil {
		return nil, nil
	}
	return t.flush.asks, t.flush.acks
}
