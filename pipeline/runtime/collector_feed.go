package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/event"
)

// Bounds of what a feed holds: the next poll starts when fewer than collectorLowWater records wait, and brings at most collectorPollRecords.
// The client hands over one partition after the other: while the session waits for one of them, it polls on up to collectorHighWater.
// Beside them the client buffers one fetch of at most collectorFetchBytes per broker.
const (
	collectorLowWater    = 4096
	collectorHighWater   = 1 << 16
	collectorPollRecords = 8192
	collectorFetchBytes  = 16 << 20
	// collectorBatchBytes is what one producer's batch may decompress to: 64 times the brokers' limit of its compressed form. A batch above it
	// is never read; see fetchError.
	collectorBatchBytes = 64 << 20
	// collectorFetchWait is the long poll at the end of a topic.
	collectorFetchWait = 100 * time.Millisecond
	// A poll that brings fewer than collectorFewRecords is followed by collectorPollRest without one: it has cost the broker and us as much as hundreds of
	// records do, and rows wait twenty times as long for their flush.
	collectorFewRecords = 1024
	collectorPollRest   = 10 * time.Millisecond
)

// collectorFeed reads one raw topic with a client of its own: what waits for its turn in one topic must not keep another from being fetched.
//
// Its poller asks the client only when the session wants more, so it never holds records that the session has no room for, and never keeps a
// rebalance waiting.
type collectorFeed struct {
	s       *collectorSession
	topic   event.Topic
	name    string
	group   string
	client  *kgo.Client // its callbacks may come before it is set here; they use the session's admin client
	failing failing

	want   chan struct{}    // the session's permit for one poll
	got    chan kgo.Fetches // its result; one permit, one slot: sending never blocks
	asked  bool             // a permit is out
	queued int              // records in the sources' queues

	ready      atomic.Bool   // it has learnt for the first time what it is to read
	committing chan struct{} // room for one: taken from the decision what to commit to the answer
	recommit   atomic.Bool   // the last one failed: all offsets are to be stored again
}

func newCollectorFeed(s *collectorSession, t event.Topic) (*collectorFeed, error) {
	f := &collectorFeed{s: s, topic: t, name: s.cfg.rawTopic(t), want: make(chan struct{}, 1), got: make(chan kgo.Fetches, 1)}
	f.group = RawGroup(s.cfg.Group, t)
	f.committing = make(chan struct{}, 1)
	f.failing = failing{log: s.log, apart: time.Minute}
	s.metrics.tooOld.WithLabelValues(f.name) // it is there before there is one: increase() sees the first

	opts := slices.Concat([]kgo.Opt{kgo.MetadataMinAge(collectorMetadataMinAge)}, s.cfg.KafkaOpts, []kgo.Opt{ // ours last: exactness rests on them
		kgo.SeedBrokers(s.cfg.Brokers...),
		kgo.ConsumeTopics(f.name),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // they move the position to the end of a topic written in transactions
		kgo.FetchMaxBytes(collectorFetchBytes),
		kgo.MaxDecompressBatchBytes(collectorBatchBytes),
		kgo.FetchMaxWait(collectorFetchWait),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(f.joined),
		kgo.AdjustFetchOffsetsFn(f.assigned),
		kgo.OnPartitionsRevoked(f.revoked),
		kgo.OnPartitionsLost(f.lost),
	})
	instance := s.cfg.InstanceID
	if instance != "" {
		instance += "." + event.TopicNames[t]
	}
	opts = append(opts, membership(f.group, instance, s.cfg.SessionTimeout, s.cfg.BrokersAssign)...)
	var err error
	if f.client, err = kgo.NewClient(opts...); err != nil {
		return nil, collectorConfigError{fmt.Errorf("collector: Kafka client for %s: %w", f.name, err)}
	}
	return f, nil
}

// poll brings records whenever the session wants some.
func (f *collectorFeed) poll() {
	for {
		select {
		case <-f.s.ctx.Done():
			return
		case <-f.want:
		}
		fetches := f.client.PollRecords(f.s.ctx, collectorPollRecords)
		few := fetches.NumRecords() < collectorFewRecords
		f.got <- fetches
		f.client.AllowRebalance()
		f.s.wakeUp()
		if few && !pause(f.s.ctx, nil, collectorPollRest) {
			return
		}
	}
}

// joined is called after every rebalance; a member that got nothing is not asked about offsets.
func (f *collectorFeed) joined(_ context.Context, _ *kgo.Client, got map[string][]int32) {
	if len(got[f.name]) == 0 {
		f.ready.Store(true)
		f.s.wakeUp()
	}
}

// assigned is called with the offsets at which the client is about to start reading. An error ends the session, which says why: the client would only say that
// it has lost the partitions, or try again for ever. Not where another rebalance has cut the question short.
func (f *collectorFeed) assigned(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	offsets, err := f.begin(ctx, offsets)
	if err != nil && ctx.Err() == nil {
		f.s.fail(err)
	}
	return offsets, err
}

// begin decides where to start, and has the session adopt the partitions.
func (f *collectorFeed) begin(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	parts := offsets[f.name]
	if len(parts) == 0 {
		return offsets, nil
	}
	starts, err := f.s.adm.ListStartOffsets(ctx, f.name)
	if err != nil {
		return nil, fmt.Errorf("start offsets of %s: %w", f.name, err)
	}
	ends, err := f.s.adm.ListCommittedOffsets(ctx, f.name)
	if err != nil {
		return nil, fmt.Errorf("end offsets of %s: %w", f.name, err)
	}
	marks, err := commitMarks(ctx, f.s.adm, f.group)
	if err != nil {
		return nil, err
	}
	epochs, err := f.epochEnds(ctx, parts)
	if err != nil {
		return nil, err
	}
	req := collectorRequest{feed: f, done: make(chan error, 1)}
	for p, o := range parts {
		start, ok1 := starts.Lookup(f.name, p)
		end, ok2 := ends.Lookup(f.name, p)
		if !ok1 || !ok2 || start.Err != nil || end.Err != nil {
			return nil, fmt.Errorf("offsets of %s/%d are not to be had: %w", f.name, p, cmp.Or(errors.Join(start.Err, end.Err), errors.New("none in the answer")))
		}
		a := collectorAssignment{partition: p, start: start.Offset, end: end.Offset, epoch: -1}
		committed := o.EpochOffset().Offset
		if m, _ := parseCollectorMark(marks[p]); committed >= 0 && m.topic != "" && m.topic != f.topicID() { // brokers may keep it, or get one that was on its way
			f.s.log.Warn("the group's offset is one of a topic of this name that was deleted: reading begins at its start", zap.String("topic", f.name), zap.Int32("partition", p))
			committed, parts[p] = -1, kgo.NewOffset().At(start.Offset)
		}
		ended, ok := epochs[p]
		if !ok {
			ended = -1
		}
		if err := f.whole(ctx, p, committed, ended, a.end); err != nil {
			return nil, err
		}
		if committed >= 0 {
			a.expired = max(0, start.Offset-committed)
			a.start = max(start.Offset, committed)
			if a.start == committed {
				a.epoch = o.EpochOffset().Epoch
			} else { // the client would ask a leader whether it has that
				parts[p] = kgo.NewOffset().At(a.start)
			}
		}
		req.assign = append(req.assign, a)
	}
	return offsets, f.s.request(ctx, req)
}

// revoked returns when what was taken of the partitions is acknowledged and committed; what was not taken is dropped.
func (f *collectorFeed) revoked(ctx context.Context, _ *kgo.Client, lost map[string][]int32) {
	if parts := lost[f.name]; len(parts) > 0 {
		if err := f.s.request(ctx, collectorRequest{feed: f, revoke: parts, done: make(chan error, 1)}); err != nil {
			f.s.fail(fmt.Errorf("give back %s %v: %w", f.name, parts, err))
		}
	}
}

// lost: others may read the partitions already. Everything this session sends can only be a repetition; it ends.
func (f *collectorFeed) lost(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
	if parts := lost[f.name]; len(parts) > 0 {
		f.s.fail(&collectorLostError{f.group, f.name, parts})
	}
}

// collectorLostError ends a session whose partitions are another's.
type collectorLostError struct {
	group, topic string
	partitions   []int32
}

func (e *collectorLostError) Error() string {
	return fmt.Sprintf("group %s lost %s %v", e.group, e.topic, e.partitions)
}

// commit stores offsets and waits for the answer.
func (f *collectorFeed) commit(ctx context.Context, offsets map[int32]kgo.EpochOffset) error {
	var failed error
	f.client.CommitOffsetsSync(f.marked(ctx), map[string]map[int32]kgo.EpochOffset{f.name: offsets},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
			if failed = err; err == nil {
				failed = refusedCommit(resp)
			}
		})
	if failed != nil {
		return fmt.Errorf("commit %s: %w", f.name, failed)
	}
	return nil
}
