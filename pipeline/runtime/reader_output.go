package runtime

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// output sends a task's records to the same partition number of the next topic, in order. It has a client of its own that is given up at the first error.
// Until that is heard of some records may slip past the one that failed: whoever reads them takes nothing that does not follow what it has.
type output struct {
	cl    *kgo.Client
	ctx   context.Context
	topic string

	mu      sync.Mutex
	emitted uint64
	acked   uint64
	err     error
	changed chan struct{} // closed and renewed at each change that a waiter may wait for
	waiting uint64
}

// maxOutputBytes is below every broker's default limit, so that a record is refused here, before it has a sequence number.
const maxOutputBytes = 900_000

func (r *Reader) openOutput(ctx context.Context) (*output, error) {
	cl, err := kgo.NewClient(r.opts(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.StopProducerOnDataLossDetected(),
		kgo.UnknownTopicRetries(-1), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerLinger(2*time.Millisecond))...)
	if err != nil {
		return nil, fmt.Errorf("output %s: Kafka client: %w", r.cfg.OutputTopic, err)
	}
	return &output{cl: cl, ctx: ctx, topic: r.cfg.OutputTopic, changed: make(chan struct{})}, nil
}

// Emit blocks while the client's buffer is full: what the next hop has not acknowledged slows the input.
func (o *output) Emit(partition int32, value []byte) {
	o.mu.Lock()
	failed := o.err != nil
	if !failed {
		o.emitted++
	}
	o.mu.Unlock()
	switch {
	case failed:
	case len(value) > maxOutputBytes:
		o.settle(fatal("output %s partition %d: a record of %d bytes is over the limit of %d", o.topic, partition, len(value), maxOutputBytes))
	default:
		o.cl.Produce(o.ctx, &kgo.Record{Topic: o.topic, Partition: partition, Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				err = fmt.Errorf("output %s partition %d: %w", o.topic, partition, err)
			}
			o.settle(err)
		})
	}
}

func (o *output) settle(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		if o.err == nil {
			o.err = err
			o.wake()
		}
		return
	}
	o.acked++
	if o.waiting != 0 && o.acked >= o.waiting {
		o.waiting = 0
		o.wake()
	}
}

func (o *output) wake() {
	close(o.changed)
	o.changed = make(chan struct{})
}

func (o *output) mark() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.emitted
}

// failure is the first error of any record.
func (o *output) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// wait until the first n records are acknowledged. One waiter at a time: the checkpoint on its way.
func (o *output) wait(ctx context.Context, n uint64) error {
	for {
		o.mu.Lock()
		err, done, changed := o.err, o.acked >= n, o.changed
		o.waiting = n
		o.mu.Unlock()
		switch {
		case err != nil:
			return err
		case done:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("output %s: not acknowledged in time: %w", o.topic, context.Cause(ctx))
		}
	}
}

func (o *output) close() { o.cl.Close() }
