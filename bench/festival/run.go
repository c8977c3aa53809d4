package festival

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/bench/ledger"
)

// RunOptions say where the records go and when to stop.
type RunOptions struct {
	Brokers  []string
	Rate     float64       // events a second, held by waiting; 0 is as fast as it goes
	For      time.Duration // 0 is no limit
	Events   int64         // 0 is no limit
	Ledger   *ledger.Ledger
	Progress func(Stats)   // about once a second, and at the end
	Grace    time.Duration // for the last acknowledgements, and for the next record where they are read back; 0 is 30 s
	Client   []kgo.Opt     // TLS, SASL and the like
	// Waiting hears, when ctx has ended the run, how many acknowledgements are waited for, and for how long at most.
	Waiting func(n int64, grace time.Duration)
}

// Stats of a run.
type Stats struct {
	Sent    int64 // handed to the client
	Acked   int64 // acknowledged, and after Run in the ledger
	Bytes   int64 // of acknowledged values
	Elapsed time.Duration
	Now     time.Time // the festival's clock
}

// ErrUnknown says that it is not known of some records whether Kafka has them: a ledger can't be compared with anything.
var ErrUnknown = errors.New("records are without an acknowledgement")

const (
	arenaSize   = 4 << 20
	roomForNext = 40 << 10
	batchEvery  = 2 * time.Millisecond
	maxBuffered = 100_000 // records that wait for an acknowledgement
)

// Run produces a festival to Kafka and feeds the ledger with what was acknowledged, in the order of each partition and with the receive times that the
// topics store: where they are not the producer's, the records are read back. When ctx is done it stops generating, waits for what is under way, and
// returns nil: everything sent is then acknowledged and accounted for.
//
// With a rate and no cfg.Start the records carry the wall clock. Without a rate they carry a simulated clock that advances by cfg.Rate events a
// second, by default so that it ends about now.
func Run(ctx context.Context, cfg Config, opt RunOptions) (Stats, error) {
	if opt.Rate > 0 && cfg.Rate == 0 {
		cfg.Rate = opt.Rate
	}
	if opt.Rate == 0 && cfg.Start.IsZero() {
		cfg.Start = backfillStart(cfg, opt)
	}
	f, err := New(cfg)
	if err != nil {
		return Stats{}, err
	}
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(opt.Brokers...), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)),
		kgo.ProducerLinger(5 * time.Millisecond), kgo.ProducerBatchCompression(kgo.SnappyCompression(), kgo.NoCompression()),
		kgo.MaxBufferedRecords(maxBuffered), kgo.UnknownTopicRetries(-1), kgo.MetadataMinAge(250 * time.Millisecond)}, opt.Client...)...)
	if err != nil {
		return Stats{}, fmt.Errorf("festival: Kafka client for %v: %w", opt.Brokers, err)
	}
	defer client.Close()
	p := &production{f: f, client: client, opt: opt, settled: make(chan struct{}, 1)}
	if opt.Ledger != nil && brokerStamps(ctx, client, cfg.Prefix) {
		if p.back, err = startReadback(opt, p.fail); err != nil {
			return Stats{}, err
		}
		defer p.back.close()
	}
	p.began = time.Now()
	p.loop(ctx)
	return p.settle(ctx.Err() != nil)
}

// backfillStart lets a simulated clock end about now; without a known end it starts half an hour ago.
func backfillStart(cfg Config, opt RunOptions) time.Time {
	back := 30 * time.Minute
	if rate := cfg.Rate; opt.Events > 0 {
		if rate == 0 {
			rate = 20_000
		}
		back = time.Duration(float64(opt.Events)/rate*float64(time.Second)) + time.Second
	}
	return time.Now().Add(-back).Truncate(time.Second)
}

type production struct {
	f      *Festival
	client *kgo.Client
	opt    RunOptions
	back   *readback // feeds the ledger; nil where acknowledgements do
	began  time.Time
	arena  []byte
	sent   int64
	acked  atomic.Int64
	bytes  atomic.Int64
	failed atomic.Pointer[error]
	shown  time.Time

	settled chan struct{} // has a token when a record was acknowledged or has failed since the last look
}

func (p *production) loop(ctx context.Context) {
	if p.opt.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.opt.For)
		defer cancel()
	}
	pace := time.NewTicker(batchEvery)
	defer pace.Stop()
	for {
		if p.opt.Rate > 0 {
			select {
			case <-pace.C:
			case <-ctx.Done():
				return
			}
		}
		if ctx.Err() != nil || !p.batch(ctx) {
			return
		}
		p.progress(false)
	}
}

// batch sends what is due, or a thousand records where no rate is asked for. It returns false at the end.
func (p *production) batch(ctx context.Context) bool {
	n := int64(1000)
	if p.opt.Rate > 0 {
		n = p.due(time.Since(p.began))
	}
	for range n {
		if p.opt.Events > 0 && p.sent >= p.opt.Events || !p.room(ctx) {
			return false
		}
		p.produce()
	}
	return true
}

// due is how many to send now. At a rate that nobody keeps more may be due than a batch should have: progress is told between batches.
func (p *production) due(since time.Duration) int64 {
	return min(int64(since.Seconds()*p.opt.Rate)-p.sent, maxBuffered)
}

// room waits until the client has room for a record, and returns false at the end: the client itself would wait on where Kafka does not answer.
func (p *production) room(ctx context.Context) bool {
	for ctx.Err() == nil && p.failed.Load() == nil {
		if p.sent-p.acked.Load() < maxBuffered {
			return true
		}
		select {
		case <-ctx.Done():
		case <-p.settled:
		}
	}
	return false
}

func (p *production) produce() {
	if cap(p.arena)-len(p.arena) < roomForNext {
		p.arena = make([]byte, 0, arenaSize) // the former one lives on until its records are acknowledged
	}
	at := len(p.arena)
	r := p.f.Next(p.arena[at:at:cap(p.arena)])
	if end := at + len(r.Key) + len(r.Value); end <= cap(p.arena) {
		p.arena = p.arena[:end]
	}
	p.sent++
	// Not the caller's context: a record that was begun is to be acknowledged, else nobody knows whether Kafka has it.
	p.client.Produce(context.Background(), &kgo.Record{Topic: r.Topic, Key: r.Key, Value: r.Value, Timestamp: time.UnixMilli(r.Timestamp)}, p.done)
}

// done is called in the order of each partition.
func (p *production) done(r *kgo.Record, err error) {
	defer func() {
		select {
		case p.settled <- struct{}{}:
		default:
		}
	}()
	if err != nil {
		p.fail(fmt.Errorf("festival: produce to %s: %w", r.Topic, err))
		return
	}
	p.acked.Add(1)
	p.bytes.Add(int64(len(r.Value)))
	switch {
	case p.back != nil:
		if err := p.back.acknowledged(r); err != nil {
			p.fail(err)
		}
	case p.opt.Ledger != nil:
		p.opt.Ledger.Add(r.Topic, r.Partition, r.Offset, r.Key, r.Value, r.Timestamp.UnixMilli())
	}
}

// fail ends the production. The first error stays.
func (p *production) fail(err error) { p.failed.CompareAndSwap(nil, &err) }

func (p *production) stats() Stats {
	return Stats{Sent: p.sent, Acked: p.acked.Load(), Bytes: p.bytes.Load(), Elapsed: time.Since(p.began), Now: time.UnixMilli(p.f.Now())}
}

func (p *production) progress(last bool) {
	if p.opt.Progress == nil || !last && time.Since(p.shown) < time.Second {
		return
	}
	p.shown = time.Now()
	p.opt.Progress(p.stats())
}

// settle waits for the last acknowledgements, and until the ledger has what they are of.
func (p *production) settle(interrupted bool) (Stats, error) {
	grace := p.opt.Grace
	if grace == 0 {
		grace = 30 * time.Second
	}
	if n := p.sent - p.acked.Load(); interrupted && n > 0 && p.opt.Waiting != nil {
		p.opt.Waiting(n, grace)
	}
	err := p.flush(grace)
	s := p.stats()
	p.progress(true)
	if s.Acked != s.Sent {
		follows := ""
		if p.opt.Ledger != nil {
			follows = ", so the ledger is not the truth"
		}
		return s, fmt.Errorf("festival: %d of %d %w%s: %w", s.Sent-s.Acked, s.Sent, ErrUnknown, follows, err)
	}
	if p.back != nil && err == nil {
		err = p.back.finish(grace)
	}
	return s, err
}

// flush waits for acknowledgements as long as grace, then gives up what waits. The error is the first cause: what giving up does to the records is none.
func (p *production) flush(grace time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := p.client.Flush(ctx)
	failed := p.failed.Load()
	if err != nil {
		abort, stop := context.WithTimeout(context.Background(), 5*time.Second)
		defer stop()
		_ = p.client.AbortBufferedRecords(abort)
		err = fmt.Errorf("no acknowledgement within %v", grace)
	}
	if failed != nil {
		return *failed
	}
	return err
}

// WriteFile writes n records, one value a line, in the form that kcat, curl and `check` read. Keys and receive times are not in it.
func WriteFile(ctx context.Context, cfg Config, w io.Writer, n int64) error {
	if cfg.Start.IsZero() {
		cfg.Start = backfillStart(cfg, RunOptions{Events: n})
	}
	f, err := New(cfg)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<20)
	buf := make([]byte, 0, roomForNext)
	for i := int64(0); i < n; i++ {
		if i%1024 == 0 && ctx.Err() != nil {
			break
		}
		r := f.Next(buf)
		out.Write(r.Value) // the first error is kept and returned by Flush
		out.WriteByte('\n')
	}
	return out.Flush()
}
