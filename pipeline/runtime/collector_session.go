package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/collect"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// collectorSession is one life of a collector: from joining the groups to the first failure or the end. All fields but those of the channels
// and contexts belong to its own goroutine, the one in loop.
type collectorSession struct {
	cfg     *CollectorConfig
	log     *zap.Logger
	metrics *collectorMetrics
	stage   *collect.Stage

	ctx    context.Context // ends with the session, not with the caller's context
	ending chan struct{}   // closed when finish begins
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	producer                 *kgo.Client
	adm                      *kadm.Client
	sender                   collectorSender
	feeds                    [event.NumTopics]*collectorFeed
	requests                 chan collectorRequest
	wake                     chan struct{}
	metadata                 chan collectorMetadata
	metadataOut              bool
	ends                     chan collectorEnds
	endsOut                  bool
	eventsTopic, rejectTopic string
	rejectPartitions         int32
	eventsLimit, rejectLimit int // max.message.bytes

	sources    []*collectorSource // owned
	started    bool               // records are taken: all feeds know what to read
	opened     time.Time
	moved      bool      // a record was acknowledged
	looked     time.Time // for stalled sources
	memory     *collectorMemory
	topicIDs   [event.NumTopics][16]byte // of the raw topics, as long as the session lives
	sourcesRec eventlog.Sources
	progress   eventlog.Progress

	build, under *collectorBatch // under is nil while nothing is under way
	idle         *collectorBatch
	spare        [][]byte
	oldest       time.Time // when the oldest event in an open block or in build came; zero for none
	sentAt       time.Time
	pace         collectorPace

	commitFails, lookFails, endsFail, oldFail, replayFail, floodFail failing
}

// collectorPace holds when things were last done.
type collectorPace struct{ progress, ends, commit, metadata, publish, settings time.Time }

type collectorMetadata struct {
	sources eventlog.Sources
	err     error
}

// runCollectorSession returns nil when ctx was cancelled and everything taken is acknowledged and committed, and whether any record was
// acknowledged.
func runCollectorSession(ctx context.Context, cfg *CollectorConfig, log *zap.Logger, m *collectorMetrics, memory *collectorMemory) (moved bool, err error) {
	s := &collectorSession{cfg: cfg, log: log, metrics: m, memory: memory, requests: make(chan collectorRequest), wake: make(chan struct{}, 1), metadata: make(chan collectorMetadata, 1), ending: make(chan struct{}),
		eventsTopic: cfg.Prefix + TopicEvents, rejectTopic: cfg.Prefix + TopicRejected, build: &collectorBatch{}, idle: &collectorBatch{},
		commitFails: failing{log: log, apart: time.Minute}, lookFails: failing{log: log, apart: time.Minute},
		ends: make(chan collectorEnds, 1), endsFail: failing{log: log, apart: time.Minute}, oldFail: failing{log: log, apart: time.Minute}, replayFail: failing{log: log, apart: time.Minute},
		floodFail: failing{log: log, apart: time.Minute}}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	defer s.close()
	switch err := s.open(ctx); {
	case err != nil && ctx.Err() != nil && errors.Is(err, context.Canceled):
		return false, nil // told to end before anything was taken
	case err != nil:
		return false, err
	}
	if err := s.loop(ctx); err != nil {
		return s.moved, err
	}
	if err := s.finish(); err != nil {
		return s.moved, fmt.Errorf("collector: finish: %w", err)
	}
	m.sessions.WithLabelValues("finished").Inc()
	return s.moved, nil
}

// open connects, checks the topics and puts settings and sources before everything else.
func (s *collectorSession) open(ctx context.Context) (err error) {
	if s.stage, err = collect.NewStage(collect.Config{Key: s.cfg.PseudonymKey, Partitions: int(s.cfg.Settings.Partitions), Now: s.nowMS, Fault: s.cfg.Fault}); err != nil {
		return collectorConfigError{err}
	}
	if s.producer, err = kgo.NewClient(collectorProducerOpts(s)...); err != nil {
		return collectorConfigError{fmt.Errorf("collector: Kafka client: %w", err)}
	}
	s.adm = kadm.NewClient(s.producer)
	s.sender = collectorSender{client: s.producer, in: make(chan *collectorBatch, 1), out: make(chan error, 1)}
	if err := s.checkOutputs(ctx, s.adm); err != nil {
		return err
	}
	if err := s.checkKey(ctx, s.adm); err != nil {
		return err
	}
	found, err := collectorSources(ctx, s.adm, s.cfg)
	if err != nil {
		return err
	}
	for t := range found.Topics {
		s.topicIDs[t] = found.Topics[t].ID
	}
	s.toAll(eventlog.AppendSettings(nil, &s.cfg.Settings))
	if err := s.setSources(found); err != nil {
		return err
	}
	s.spawn(func() { s.sender.run(s.ctx, s.wakeUp) })
	for t := range event.NumTopics {
		if s.feeds[t], err = newCollectorFeed(s, t); err != nil {
			return err
		}
		s.spawn(s.feeds[t].poll)
	}
	now := s.cfg.Now()
	s.pace = collectorPace{progress: now, commit: now, metadata: now, publish: now, settings: now}
	s.opened = now
	s.oldest = now // what stands in build goes out at once
	return nil
}

// close leaves the groups and frees everything. What is not acknowledged by now is somebody else's to send again.
func (s *collectorSession) close() {
	s.cancel(errCollectorOver)
	for _, src := range s.sources {
		s.memory.note(src)
	}
	var clients sync.WaitGroup
	for _, f := range s.feeds {
		if f != nil {
			clients.Go(f.client.CloseAllowingRebalance)
		}
	}
	if s.producer != nil {
		clients.Go(s.producer.Close)
	}
	clients.Wait()
	s.wg.Wait()
	for _, src := range s.sources {
		s.metrics.forget(src)
	}
}

var errCollectorOver = errors.New("collector session is over")

// fail ends the session from any goroutine; the first reason counts.
func (s *collectorSession) fail(err error) { s.cancel(err) }

func (s *collectorSession) spawn(f func()) { s.wg.Go(f) }

func (s *collectorSession) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *collectorSession) nowMS() int64 { return s.cfg.Now().UnixMilli() }

// finish sends and commits what was taken.
func (s *collectorSession) finish() error {
	close(s.ending)
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.FinishTimeout)
	defer cancel()
	if err := s.drain(ctx); err != nil {
		return err
	}
	var errs []error
	for _, f := range s.feeds {
		errs = append(errs, s.commitNow(ctx, f, nil))
	}
	s.publish(s.cfg.Now())
	return errors.Join(errs...)
}
