package gateway

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// ClientOpts are the options that the gateway's Kafka client needs; seeds, TLS and SASL come from the caller. Acknowledged means: by
// all in-sync replicas. The producer is idempotent (the default), so its own retries neither repeat nor reorder.
func ClientOpts() []kgo.Opt {
	return []kgo.Opt{
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(3 * time.Millisecond),
		kgo.ProducerBatchCompression(kgo.Lz4Compression(), kgo.NoCompression()),
		// No RecordDeliveryTimeout: it counts from the record's timestamp, which is data here. Each batch's context has the deadline.
		kgo.ProduceRequestTimeout(5 * time.Second),
		// A moved partition is looked up at once: with the default of 5 s its batches would all be answered 503.
		kgo.MetadataMinAge(250 * time.Millisecond),
		// The byte budget is the bound; this one only has to be above what fits into it.
		kgo.MaxBufferedRecords(1 << 20),
	}
}

// errSlow says that Kafka did not answer within ProduceTimeout.
var errSlow = errors.New("no acknowledgement in time")

// batch waits for the acknowledgement of a request's records. Its lease is given back when the last record is settled, also if the
// request has been answered 503 long before: until then the client holds the bytes.
type batch struct {
	lease   *lease
	came    func(error)                   // is told once what became of it, when it is settled or nobody waits any more
	settled func(topic string, err error) // is told of each record what became of it
	told    sync.Once
	ctx     context.Context // ends at the time limit, or when all is settled
	cancel  context.CancelFunc
	pending atomic.Int64
	done    chan struct{}
	mu      sync.Mutex
	err     error // the first
}

// produce hands all records to the client. It never blocks: a full client fails the records. Once nobody waits any more, what Kafka
// has not taken is dropped where that is safe: its sender was told to send it again.
func (s *Server) produce(records []kgo.Record, l *lease) *batch {
	handed := time.Now()
	b := &batch{lease: l, done: make(chan struct{})}
	b.came = func(err error) { s.health.batch(handed, err) }
	b.settled = func(topic string, err error) {
		if err == nil {
			s.renewal.took(topic)
		} else {
			s.renewal.failed(topic, handed, err)
		}
	}
	// Not the request's context: a sender that hangs up must not cancel records of others in the same partition.
	b.ctx, b.cancel = context.WithTimeout(context.Background(), s.cfg.ProduceTimeout)
	b.pending.Store(int64(len(records)))
	for i := range records {
		s.client.TryProduce(b.ctx, &records[i], b.settle)
	}
	return b
}

func (b *batch) settle(r *kgo.Record, err error) {
	b.settled(r.Topic, err)
	if err != nil {
		b.mu.Lock()
		if b.err == nil {
			b.err = ofTopic(r.Topic, err)
		}
		b.mu.Unlock()
	}
	if b.pending.Add(-1) == 0 {
		b.lease.release()
		if err := b.outcome(); err != nil || b.ctx.Err() == nil { // an acknowledgement that came too late is none to its sender
			b.tell(err)
		}
		close(b.done)
		b.cancel()
	}
}

// wait returns nil only when every record is acknowledged.
func (b *batch) wait(sender context.Context) error {
	select {
	case <-b.done:
	case <-sender.Done():
		return sender.Err()
	case <-b.ctx.Done():
		select {
		case <-b.done: // it ended by being settled
		default:
			b.tell(errSlow)
			return errSlow
		}
	}
	return b.outcome()
}

func (b *batch) tell(err error) { b.told.Do(func() { b.came(err) }) }

// outcome is of a batch that is settled: no writer of err is left.
func (b *batch) outcome() error {
	if errors.Is(b.err, context.DeadlineExceeded) {
		return errSlow
	}
	return b.err
}
