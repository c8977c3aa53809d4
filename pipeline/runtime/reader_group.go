package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
)

// slot is one owned partition. Its goroutine runs the task, and runs it again from the last checkpoint when it ends with an error.
type slot struct {
	r         *Reader
	id        int32
	ctx       context.Context // ends without a last checkpoint: the partition is another's
	kill      context.CancelFunc
	stop      chan struct{} // ends with a last flush and checkpoint
	once      sync.Once
	done      chan struct{}
	suspicion suspicion // of the goroutine that runs the task
	status
}

func (s *slot) stopNow() { s.once.Do(func() { close(s.stop) }) }

// join creates the group's client. It only assigns: the tasks fetch for themselves, from the offset in their state.
func (r *Reader) join(adm *kadm.Client) error {
	r.admin = adm
	opts := r.opts(kgo.ConsumeTopics(r.cfg.Topic),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, m map[string][]int32) { r.assigned(m[r.cfg.Topic]) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, m map[string][]int32) {
			r.release(m[r.cfg.Topic], (*slot).stopNow)
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, m map[string][]int32) {
			r.left(nil)
			r.release(m[r.cfg.Topic], func(s *slot) { s.kill() })
		}), kgo.WithHooks(groupErrors{r}))
	opts = append(opts, membership(r.cfg.Group, r.cfg.InstanceID, r.cfg.SessionTimeout, r.cfg.BrokersAssign)...)
	r.mu.Lock() // a callback may come before NewClient returns; it waits here for r.group
	defer r.mu.Unlock()
	r.outside = time.Now()
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return fmt.Errorf("reader %s: Kafka client: %w", r.cfg.Group, err)
	}
	cl.PauseFetchTopics(r.cfg.Topic)
	r.group = cl
	return nil
}

// groupErrors hears from the group's client what ended its membership, or keeps it from becoming a member.
type groupErrors struct{ r *Reader }

// OnGroupManageError is called by the client, which then tries again.
func (g groupErrors) OnGroupManageError(err error) { g.r.left(err) }

// left: others may have the partitions by now, until the group has assigned again.
func (r *Reader) left(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.joined {
		r.outside = time.Now()
	}
	r.joined = false
	if why != nil {
		r.why = why
	}
}

func (r *Reader) assigned(parts []int32) {
	r.mu.Lock()
	r.joined, r.why = true, nil
	for _, p := range parts {
		if r.stopping || r.slots[p] != nil {
			continue
		}
		s := &slot{r: r, id: p, stop: make(chan struct{}), done: make(chan struct{})}
		s.ctx, s.kill = context.WithCancel(context.Background())
		s.status.phase.Store("starting")
		s.status.paused.log, s.status.hole.log = r.log, r.log
		r.slots[p] = s
		go s.supervise()
	}
	r.mu.Unlock()
	r.log.Info("partitions assigned", zap.Int32s("partitions", parts))
	r.owned()
}

// release ends the tasks of parts by end and waits for them. The group waits for this callback before it hands them on.
func (r *Reader) release(parts []int32, end func(*slot)) {
	r.mu.Lock()
	var leaving []*slot
	for _, p := range parts {
		if s := r.slots[p]; s != nil {
			leaving = append(leaving, s)
		}
	}
	r.mu.Unlock()
	if len(leaving) == 0 { // stopped before the group asked
		return
	}
	for _, s := range leaving {
		end(s)
	}
	r.await(leaving)
	r.mu.Lock()
	for _, s := range leaving {
		delete(r.slots, s.id)
	}
	r.mu.Unlock()
	r.log.Info("partitions released", zap.Int32s("partitions", parts))
	r.owned()
}

// await bounds the time a stop takes; what is not done by then loses its last checkpoint and nothing else.
func (r *Reader) await(slots []*slot) {
	limit := time.NewTimer(2*r.cfg.StopTimeout + time.Second)
	defer limit.Stop()
	for _, s := range slots {
		select {
		case <-s.done:
			s.kill()
		case <-limit.C:
			for _, s := range slots {
				s.kill()
			}
			<-s.done
			limit.Reset(0)
		}
	}
}

func (r *Reader) stopAll() {
	r.mu.Lock()
	r.stopping = true
	parts := slices.Collect(maps.Keys(r.slots))
	r.mu.Unlock()
	r.release(parts, (*slot).stopNow)
}

func (r *Reader) owned() {
	if r.cfg.OnOwned == nil {
		return
	}
	r.mu.Lock()
	parts := slices.Sorted(maps.Keys(r.slots))
	r.mu.Unlock()
	r.cfg.OnOwned(parts)
}

// supervise runs the task until the slot is stopped. Everything that Kafka did is met by restoring from the last checkpoint; what the
// task or the log did wrong ends the process.
func (s *slot) supervise() {
	defer close(s.done)
	for attempt := 0; ; attempt++ {
		started := time.Now()
		err := s.runOnce()
		switch {
		case s.ended() && err == nil:
			return
		case s.ended():
			s.r.log.Warn("partition stopped without its last checkpoint: its next owner replays from the one before", zap.Int32("partition", s.id), zap.Error(err))
			return
		case isFatal(err):
			s.status.phase.Store("failed: " + err.Error())
			s.r.log.Error("partition failed", zap.Int32("partition", s.id), zap.Error(err))
			s.r.fail(err)
			return
		}
		if p := (*panicked)(nil); errors.As(err, &p) && !s.suspect(p) {
			s.r.fail(fatal("partition %d of %s: stages panicked over %d records since the last checkpoint: %w", s.id, s.r.cfg.Topic, len(s.suspicion.offsets), p.cause))
			return
		}
		if time.Since(started) > time.Minute || errors.As(err, new(*panicked)) || errors.Is(err, errPoison) { // those are no outage to wait for
			attempt = 0
		}
		s.status.phase.Store("restarting after: " + err.Error())
		s.r.metrics.restarts.Inc()
		s.r.ending.failed(time.Now(), err, "partition ended, restoring it from its last checkpoint", zap.Int32("partition", s.id))
		if !s.mayRestart(attempt) {
			return
		}
	}
}

func (s *slot) ended() bool {
	select {
	case <-s.stop:
		return true
	case <-s.ctx.Done():
		return true
	default:
		return false
	}
}

// mayRestart waits, and goes on waiting while the group does not know this member: a zombie that took its partition back would fence
// the rightful owner. The callbacks of the group end the slot in that case.
func (s *slot) mayRestart(attempt int) bool {
	wait := min(100*time.Millisecond<<min(attempt, 6), 5*time.Second)
	for {
		select {
		case <-s.stop:
			return false
		case <-s.ctx.Done():
			return false
		case <-time.After(wait):
		}
		if s.r.isMember(s.ctx) {
			return true
		}
	}
}

// watchGroup surfaces what the group's client has to say; it never returns records, its topic is paused.
func (r *Reader) watchGroup(ctx context.Context) {
	for ctx.Err() == nil {
		fs := r.group.PollFetches(ctx)
		if fs.IsClientClosed() {
			return
		}
		for _, e := range fs.Errors() {
			switch {
			case errors.Is(e.Err, context.Canceled):
			case isFatal(e.Err):
				r.fail(fmt.Errorf("reader group %s: %w", r.cfg.Group, e.Err))
			default:
				r.grouped.failed(time.Now(), e.Err, "group")
			}
		}
	}
}

// groupTimeout bounds one commit to the group, and one look at the others'.
const groupTimeout = time.Second

// commitGroup tells the group how far a checkpoint came: no position is read from it, lag tools show it. What it says of the store is looked at before a start (see reader_store.go), and the
// changelog decides: a failure is only worth a debug line.
func (r *Reader) commitGroup(partition int32, next int64) (done bool) {
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	offsets := map[string]map[int32]kgo.EpochOffset{r.cfg.Topic: {partition: {Epoch: -1, Offset: next}}}
	r.group.CommitOffsetsSync(storeMarked(ctx, r.cfg.StoreID), offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		if err == nil {
			err = refusedCommit(resp)
		}
		if done = err == nil; err != nil {
			r.log.Debug("group offset not committed", zap.Int32("partition", partition), zap.Error(err))
		}
	})
	return done
}
