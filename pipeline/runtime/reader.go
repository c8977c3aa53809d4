package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// ReaderConfig is one reader: the enricher, the aggregator, or both fused. Zero durations and limits take the defaults named beside them.
type ReaderConfig struct {
	Brokers   []string
	KafkaOpts []kgo.Opt // security, client id, hooks; what exactness rests on is set after them and cannot be overridden

	Topic         string // events or events.enriched
	Group         string // assigns the partitions; its commits name the store, and lag tools show them: positions are the changelog's
	Changelog     string // compacted, as many partitions as Topic
	RejectedTopic string // takes the dead letters of events that are skipped (see Poison); "" for none
	OutputTopic   string // next hop, as many partitions as Topic; "" where the task emits nothing
	// BrokersAssign asks for the group protocol of KIP-848. Where the brokers have it, their settings take the place of SessionTimeout.
	BrokersAssign bool
	InstanceID    string // static group membership: a restart gets its partitions back without waiting for SessionTimeout

	// NewTask makes the empty task of a partition. out is nil without an OutputTopic. It is called again for every restore.
	NewTask func(partition int32, out Output) Task
	Sink    rollup.Sink // nil where the task has no rows
	Epoch   uint16      // of every batch
	// StoreID says which store Sink writes to; it is saved with the state, and a reader whose rows another store has is refused, unless TakeStore says that
	// this one is to have those from now on. Zero: not known.
	StoreID   [16]byte
	TakeStore bool
	// Stored asks the store up to which offset in the log of events it has told that a partition's rows are there, 0 where it has none: a log whose beginning is gone would be counted to them again, and
	// a store that has less than it acknowledged has lost rows that are not sent again. May be nil.
	Stored func(ctx context.Context, partition int32) (offset int64, err error)
	// WholeLog: the task cannot begin where retention has left the log, its records say what is different from those before.
	WholeLog bool
	OnOwned  func(partitions []int32)

	CheckpointEvery time.Duration // 5 s
	FlushHot        time.Duration // 200 ms: the shortest time between two writes to the sink
	FlushMax        time.Duration // 2 s: the longest, when writes are slow or rows are many
	FlushBehind     time.Duration // 5 s: the shortest time between two flushes of a partition that is behind
	RowBudget       int           // 100 000 rows per second: above it the interval grows
	MaxDirtyCells   int           // 1 000 000 per partition: above it the partition reads no more until the sink acknowledges
	SinkTimeout     time.Duration // 30 s for one write

	// No key of the configuration sets these: tests do.
	BehindRecords  int64         // 2 000: a lag above it counts as behind
	BehindAge      time.Duration // 5 s: so does a newest receive time older than this, while it rises
	TopicsTimeout  time.Duration // 10 s for topics to be known to all brokers
	StoredTimeout  time.Duration // 20 s for a store to have what it has acknowledged: a replica may lag
	SessionTimeout time.Duration // 10 s
	StopTimeout    time.Duration // 4 s for the last flush, and as much again for the last checkpoint
	MaxSkips       int           // 100 events that are skipped since the last checkpoint, or records that panicked: more are a fault that every event meets
	PollRecords    int           // 64 log records are applied between two looks at the clock
}

// WithDefaults returns c with its empty fields filled.
func (c ReaderConfig) WithDefaults() ReaderConfig {
	durations := map[*time.Duration]time.Duration{&c.CheckpointEvery: 5 * time.Second, &c.FlushHot: 200 * time.Millisecond, &c.FlushMax: max(2*time.Second, c.FlushHot),
		&c.FlushBehind: 5 * time.Second, &c.BehindAge: 5 * time.Second, &c.SinkTimeout: 30 * time.Second, &c.StoredTimeout: 20 * time.Second, &c.TopicsTimeout: 10 * time.Second, &c.SessionTimeout: 10 * time.Second, &c.StopTimeout: 4 * time.Second}
	for d, def := range durations {
		if *d == 0 {
			*d = def
		}
	}
	for n, def := range map[*int]int{&c.RowBudget: 100_000, &c.MaxDirtyCells: 1_000_000, &c.PollRecords: 64, &c.MaxSkips: 100} {
		if *n == 0 {
			*n = def
		}
	}
	if c.BehindRecords == 0 {
		c.BehindRecords = 2000
	}
	return c
}

// Validate returns all mistakes at once, each with its key in a configuration file where it has one. Defaults count as given.
func (c ReaderConfig) Validate() error {
	c = c.WithDefaults()
	var errs mistakes
	errs.add(c.Topic == "", "reader: Topic is empty")
	errs.add(c.Group == "", "reader: Group is empty")
	errs.add(c.Changelog == "", "reader: Changelog is empty")
	errs.add(len(c.Brokers) == 0, "kafka.brokers: none given")
	errs.add(c.NewTask == nil, "reader: NewTask is nil")
	errs.pace("checkpoint_every", c.CheckpointEvery)
	errs.pace("flush.hot", c.FlushHot)
	errs.pace("flush.max", c.FlushMax)
	errs.pace("flush.behind", c.FlushBehind)
	errs.pace("flush.timeout", c.SinkTimeout)
	errs.add(c.FlushMax < c.FlushHot, "flush.max %v is shorter than flush.hot %v", c.FlushMax, c.FlushHot)
	errs.add(c.RowBudget < 1, "flush.row_budget %d: want 1 or more", c.RowBudget)
	errs.add(c.MaxDirtyCells < 1, "limits.max_dirty_cells %d: want 1 or more", c.MaxDirtyCells)
	errs.add(c.PollRecords < 1 || c.BehindRecords < 1, "reader: %d records between looks at the clock, %d behind: want 1 or more", c.PollRecords, c.BehindRecords)
	return errors.Join(errs...)
}

// Reader runs the partition tasks of one process. Create it with NewReader, call Run once.
type Reader struct {
	cfg     ReaderConfig
	log     *zap.Logger
	metrics *readerMetrics
	writer  *sinkWriter // nil without a sink
	admin   *kadm.Client
	group   *kgo.Client

	fail    context.CancelCauseFunc // ends Run with an error
	ending  failing                 // partitions end: all that one trouble of Kafka ends are one outage
	grouped failing                 // the group's client has errors

	looks    sync.Mutex // held while watchStore looks and judges
	mu       sync.Mutex
	slots    map[int32]*slot // the partitions owned now
	joined   bool            // this process is a member of the group, which has assigned, perhaps nothing
	outside  time.Time       // since when it is not
	why      error           // it is not; nil where nothing is known
	stopping bool
	before   map[int32]string // other stores in the group's commits when this one began to take over, by partition, until it has
}

// NewReader checks the configuration and registers the metrics. It does not connect.
func NewReader(cfg ReaderConfig, log *zap.Logger, reg prometheus.Registerer) (*Reader, error) {
	cfg = cfg.WithDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	r := &Reader{cfg: cfg, log: log.With(zap.String("topic", cfg.Topic), zap.String("group", cfg.Group)), slots: map[int32]*slot{}}
	r.ending, r.grouped = failing{log: r.log, apart: time.Minute}, failing{log: r.log, apart: time.Minute}
	m, err := newReaderMetrics(r, reg)
	if err != nil {
		return nil, fmt.Errorf("reader %s: register metrics: %w", cfg.Group, err)
	}
	r.metrics = m
	if cfg.Sink != nil {
		r.writer = newSinkWriter(&r.cfg, r.log, m)
	}
	return r, nil
}

// Run reads until ctx ends, then flushes, checkpoints and leaves the group: at most about twice StopTimeout. It returns nil after
// that, or the error that ended a partition: a record that is not understood, a log that lost what is needed, a panic of a task.
func (r *Reader) Run(ctx context.Context) error {
	admin, err := kgo.NewClient(r.opts()...)
	if err != nil {
		return fmt.Errorf("reader %s: Kafka client: %w", r.cfg.Group, err)
	}
	defer admin.Close()
	adm := kadm.NewClient(admin)
	if err := errors.Join(r.awaitTopics(ctx, adm), r.seeStores(ctx, adm)); err != nil {
		return err
	}
	run, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	r.fail = fail
	stopWriter := r.startWriter()
	defer stopWriter()
	if err := r.join(adm); err != nil {
		return err
	}
	var background sync.WaitGroup
	background.Go(func() { r.watchGroup(run) })
	background.Go(func() { r.watchEnds(run) })
	background.Go(func() { r.watchKafka(run, admin) })
	<-run.Done()
	r.stopAll()
	r.group.Close() // leaves, unless the membership is static
	background.Wait()
	if err := context.Cause(run); ctx.Err() == nil && err != nil {
		return err
	}
	return nil
}

// opts are the options of every client: the user's first, ours on top.
func (r *Reader) opts(more ...kgo.Opt) []kgo.Opt {
	return slices.Concat(r.cfg.KafkaOpts, []kgo.Opt{kgo.SeedBrokers(r.cfg.Brokers...)}, more)
}

func (r *Reader) startWriter() (stop func()) {
	if r.writer == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background()) // outlives the run's: the last flush goes through it
	var wg sync.WaitGroup
	wg.Go(func() { r.writer.run(ctx, r.fail) })
	return func() {
		cancel()
		wg.Wait()
	}
}

// errNoTopic: there is no topic of that name, as far as the broker knows that was asked.
var errNoTopic = errors.New("does not exist")

// awaitTopics gives brokers the time to learn of topics that were just made, perhaps by another process.
func (r *Reader) awaitTopics(ctx context.Context, adm *kadm.Client) (err error) {
	for began := time.Now(); ; {
		err = r.checkTopics(ctx, adm)
		if !errors.Is(err, errNoTopic) || time.Since(began) > r.cfg.TopicsTimeout || !pause(ctx, nil, 100*time.Millisecond) {
			return err
		}
	}
}

// checkTopics holds the topics to what the tasks rest on: the same partition number means the same viewers everywhere.
func (r *Reader) checkTopics(ctx context.Context, adm *kadm.Client) error {
	names := []string{r.cfg.Topic, r.cfg.Changelog}
	if r.cfg.OutputTopic != "" {
		names = append(names, r.cfg.OutputTopic)
	}
	topics, err := adm.ListTopics(ctx, names...)
	if err != nil {
		return fmt.Errorf("reader %s: list topics at %v: %w", r.cfg.Group, r.cfg.Brokers, err)
	}
	want := len(topics[r.cfg.Topic].Partitions)
	for _, n := range names {
		switch t := topics[n]; {
		case errors.Is(t.Err, kerr.UnknownTopicOrPartition) || !topics.Has(n):
			return fmt.Errorf("reader %s: topic %s %w: create the topics first", r.cfg.Group, n, errNoTopic)
		case t.Err != nil:
			return fmt.Errorf("reader %s: topic %s: %w", r.cfg.Group, n, t.Err)
		case len(t.Partitions) != want:
			return fmt.Errorf("reader %s: topic %s has %d partitions, %s has %d: they must be equal, create %s again", r.cfg.Group, n, len(t.Partitions),
				r.cfg.Topic, want, n)
		}
	}
	return nil
}

// fatalError ends the process: restoring the partition again would meet it again.
type fatalError struct{ err error }

func (e fatalError) Error() string { return e.err.Error() }
func (e fatalError) Unwrap() error { return e.err }

func fatal(format string, args ...any) error { return fatalError{fmt.Errorf(format, args...)} }

func isFatal(err error) bool {
	var f fatalError
	if errors.As(err, &f) {
		return true
	}
	for _, e := range []error{kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed,
		kerr.ClusterAuthorizationFailed, kerr.MessageTooLarge, kerr.FencedInstanceID, kerr.InvalidSessionTimeout} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
