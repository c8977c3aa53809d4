package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// status is what others may see of a slot, at any time.
type status struct {
	phase        atomic.Value // string: "running", or what it does instead
	seen         atomic.Pointer[view]
	checkpointed atomic.Int64 // ms of the last one, 0 before the first
	end          atomic.Int64 // of the log, as last asked
	warned       time.Time    // of cells that closed early; the task's goroutine only
	paused       failing      // while unacknowledged rows stop the input
	hole         failing      // while what comes does not follow what was applied
	holeAt       int64        // where that was seen last; the task's goroutine only
}

// view is one look at a running partition.
type view struct {
	stats   Stats
	next    int64
	high    int64
	pending bool    // rows that are not acknowledged, or not flushed
	out     *output // nil without a next hop; asked when somebody looks, since it acknowledges between portions
	behind  bool
	full    bool
}

const running = "running"

// observe looks at the task: it publishes what metrics show and decides whether the partition is behind or full. After each portion, flush and
// acknowledgement, and now and then besides.
func (t *partition) observe() {
	before := t.stats.ClosedEarly
	t.stats = t.task.Stats()
	t.warnEarly(t.stats.ClosedEarly - before)
	cfg := &t.r.cfg
	lag := t.high - t.next
	stale := time.Now().UnixMilli()-t.stats.MaxRecv > cfg.BehindAge.Milliseconds()
	t.behind = lag > cfg.BehindRecords || t.stats.MaxRecv > 0 && stale && (lag > 0 || t.pursuit.going(time.Now(), t.stats.MaxRecv))
	t.full = t.flush != nil && t.stats.unacknowledged() > cfg.MaxDirtyCells
	t.tellFull()
	if t.flush != nil {
		t.flush.behind.Store(t.behind && !t.full)
		t.flush.owed.Store(t.owed(t.stats.Acknowledged))
		if t.stats.DirtyCells > 0 && !t.flush.dirty.Load() {
			t.flush.dirty.Store(true)
		}
	}
	v := &view{stats: t.stats, next: t.next, high: t.high, out: t.out, behind: t.behind, full: t.full}
	t.tellHole()
	v.pending = t.flush != nil && (t.flying || t.flushAt > t.flushed || t.stats.DirtyCells > 0)
	t.s.status.seen.Store(v)
}

// earlyWarning is how often a partition tells that it closes cells early.
const earlyWarning = 10 * time.Second

// warnEarly tells of cells that closed before their end, which costs rows but no exactness.
func (t *partition) warnEarly(n uint64) {
	if n == 0 || time.Since(t.s.status.warned) < earlyWarning {
		return
	}
	t.s.status.warned = time.Now()
	t.r.log.Warn("more cells than limits.max_cells: the oldest close early; nothing is dropped, what comes later for them opens a new generation. "+
		"Look for an explosion of room ids, or raise the limit", zap.Int32("partition", t.s.id), zap.Int("max_cells", t.stats.MaxCells),
		zap.Int("cells", t.stats.Cells), zap.Uint64("closed_early", t.stats.ClosedEarly))
}

// tellFull tells of an input that is stopped, and that it goes on when no more than half of the limit waits: around the limit it stops and goes on with each flush.
func (t *partition) tellFull() {
	paused, limit := &t.s.status.paused, t.r.cfg.MaxDirtyCells
	if t.full {
		paused.failed(time.Now(), fmt.Errorf("%d cells and orders are not acknowledged, the limit is %d", t.stats.unacknowledged(), limit),
			"limits.max_dirty_cells is reached: the partition reads no more until the sink acknowledges; nothing is dropped", zap.Int32("partition", t.s.id))
	} else if t.stats.unacknowledged() <= limit/2 {
		paused.ended("the sink acknowledges: the partition reads on")
	}
}

var errHole = errors.New("what comes does not follow what was applied, and is not taken")

// holePatience is how long an enricher may take to send again what it was refused, which is a restart of its partition, before /readyz tells.
const holePatience = 30 * time.Second

// tellHole tells of records that are not taken. An enricher that was refused one sends it again within seconds; where it lasts, the topic has lost records that
// were acknowledged. A life that begins again before that has not come to it yet: they may be missing still.
func (t *partition) tellHole() {
	hole, at := &t.s.status.hole, t.next-1
	if t.stats.Waits {
		t.s.status.holeAt = at
		hole.failed(time.Now(), errHole, "records of the topic are missing before this one: it is not taken, and they are waited for. If this lasts, the topic has lost what it had acknowledged: see docs/operations.md",
			zap.String("topic", t.r.cfg.Topic), zap.Int32("partition", t.s.id), zap.Int64("offset", at))
	} else if at >= t.s.status.holeAt {
		hole.ended("the missing records came")
	}
}

// queued are the records that the next hop has not acknowledged.
func (o *output) queued() uint64 {
	if o == nil {
		return 0
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.emitted - o.acked
}

// pursuit tells whether receive times run faster than the clock: somebody before us is catching up, though the log's end may be reached
// again and again. A source that is merely quiet or late does not.
type pursuit struct {
	at   time.Time
	recv int64
	fast bool
}

const pursuitEvery = time.Second

func (p *pursuit) going(now time.Time, recv int64) bool {
	if since := now.Sub(p.at); since >= pursuitEvery {
		p.fast = !p.at.IsZero() && recv-p.recv > 2*since.Milliseconds() || p.at.IsZero()
		p.at, p.recv = now, recv
	}
	return p.fast
}

func (s *slot) phase() string {
	p, _ := s.status.phase.Load().(string)
	return p
}

func (r *Reader) each(f func(*slot)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.slots {
		f(s)
	}
}

// Ready is nil when the group has assigned, every owned partition is restored and reading, and the sink takes rows; else it says what is not.
func (r *Reader) Ready() error {
	err := r.reading()
	if r.writer != nil {
		err = errors.Join(err, r.writer.failure())
	}
	return err
}

// SinkFailing is since when and why the sink takes no rows; err is nil while it takes them.
func (r *Reader) SinkFailing() (since time.Time, err error) {
	if r.writer == nil {
		return time.Time{}, nil
	}
	return r.writer.failing.now()
}

// member is nil while this process is a member of the group.
func (r *Reader) member() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.joined:
		return nil
	case r.outside.IsZero():
		return errors.New("not started yet")
	case r.why == nil:
		return fmt.Errorf("group %s has not assigned partitions for %s", r.cfg.Group, ago(r.outside))
	}
	return fmt.Errorf("not in group %s for %s: %w", r.cfg.Group, ago(r.outside), r.why)
}

// reading is Ready without the sink.
func (r *Reader) reading() error {
	if err := r.member(); err != nil {
		return err
	}
	var errs []error
	r.each(func(s *slot) {
		if p := s.phase(); p != running {
			errs = append(errs, fmt.Errorf("partition %d of %s: %s", s.id, r.cfg.Topic, p))
		}
		if since, err := s.status.hole.now(); err != nil && time.Since(since) > holePatience {
			errs = append(errs, fmt.Errorf("partition %d of %s: records are missing for %s: %w", s.id, r.cfg.Topic, ago(since), err))
		}
	})
	return errors.Join(errs...)
}

// Watermarks of the owned partitions in ms; 0 while unknown.
func (r *Reader) Watermarks() map[int32]int64 {
	out := map[int32]int64{}
	r.each(func(s *slot) {
		out[s.id] = 0
		if v := s.status.seen.Load(); v != nil {
			out[s.id] = v.stats.Watermark
		}
	})
	return out
}

// Drained is true when every owned partition has applied the log up to its present end, and all rows and output are acknowledged; else
// why says what is missing. A process that owns nothing is drained only once the group has said so.
func (r *Reader) Drained(ctx context.Context) (ok bool, why string, err error) {
	if err := r.Ready(); err != nil {
		return false, err.Error(), nil
	}
	ends, err := r.admin.ListEndOffsets(ctx, r.cfg.Topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return false, "", fmt.Errorf("%s: list end offsets: %w", r.cfg.Topic, err)
	}
	r.each(func(s *slot) {
		end, _ := ends.Lookup(r.cfg.Topic, s.id)
		switch v := s.status.seen.Load(); {
		case v == nil:
			why = fmt.Sprintf("partition %d is starting", s.id)
		case v.next < end.Offset:
			why = fmt.Sprintf("partition %d is at offset %d of %d", s.id, v.next, end.Offset)
		case v.stats.Waits || v.stats.Unfinished:
			why = fmt.Sprintf("partition %d waits for records that are missing, or for the rest of one", s.id)
		case v.pending:
			why = fmt.Sprintf("partition %d has rows that are not acknowledged", s.id)
		case v.out.queued() > 0:
			why = fmt.Sprintf("partition %d has output that is not acknowledged", s.id)
		}
	})
	return why == "", why, nil
}

// watchEnds keeps the lag honest while a partition does not fetch: restoring, or full.
func (r *Reader) watchEnds(ctx context.Context) {
	for pause(ctx, nil, 5*time.Second) {
		ends, err := r.admin.ListEndOffsets(ctx, r.cfg.Topic)
		if err != nil {
			r.log.Debug("end offsets", zap.Error(err))
			continue
		}
		r.each(func(s *slot) {
			if end, ok := ends.Lookup(r.cfg.Topic, s.id); ok && end.Err == nil {
				s.end.Store(end.Offset)
			}
		})
	}
}
