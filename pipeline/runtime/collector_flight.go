package runtime

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// collectorBatch is what goes to Kafka together: records for partitions of the log and for events.rejected, in order per partition.
//
// One batch is under way while the next one is built. Nothing is handed to the producer before all of the batch before it is acknowledged,
// and a batch is handed over whole before any of it is sent (the client flushes by hand): when a record fails, the client fails all that it
// holds behind it in the same partition, and there is nothing else that could still slip past. With a free-running producer a record
// handed over between a failure and the news of it would be written, and the hole before it hidden for ever by provenance.
type collectorBatch struct {
	records []*kgo.Record // records[:n] are in use
	n       int
	bytes   int
	blocks  [][]byte // buffers of this session to use again once acknowledged
}

func (b *collectorBatch) add(topic string, partition int32, key, value []byte) *kgo.Record {
	if b.n == len(b.records) {
		b.records = append(b.records, new(kgo.Record))
	}
	r := b.records[b.n]
	*r = kgo.Record{Topic: topic, Partition: partition, Key: key, Value: value}
	b.n++
	b.bytes += len(key) + len(value)
	return r
}

// reset empties the batch and moves its buffers to spare.
func (b *collectorBatch) reset(spare [][]byte) [][]byte {
	for i, buf := range b.blocks {
		if len(spare) < collectorMaxSpare && cap(buf) <= collectorMaxSpareBytes {
			spare = append(spare, buf)
		}
		b.blocks[i] = nil
	}
	for _, r := range b.records[:b.n] {
		*r = kgo.Record{}
	}
	b.n, b.bytes, b.blocks = 0, 0, b.blocks[:0]
	return spare
}

const (
	collectorMaxSpare      = 512
	collectorMaxSpareBytes = 64 << 10
)

// collectorSender is the goroutine that talks to the producer, one batch at a time.
type collectorSender struct {
	client *kgo.Client
	in     chan *collectorBatch
	out    chan error // one for each batch
}

func (c *collectorSender) run(ctx context.Context, wake func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case b := <-c.in:
			c.out <- c.send(ctx, b)
			wake()
		}
	}
}

// send returns nil when every record of the batch is acknowledged by all in-sync replicas.
func (c *collectorSender) send(ctx context.Context, b *collectorBatch) error {
	var (
		pending sync.WaitGroup
		mu      sync.Mutex
		first   error
	)
	pending.Add(b.n)
	promise := func(r *kgo.Record, err error) {
		if err != nil {
			mu.Lock()
			if first == nil {
				first = fmt.Errorf("produce to %s/%d: %w", r.Topic, r.Partition, err)
			}
			mu.Unlock()
		}
		pending.Done()
	}
	for _, r := range b.records[:b.n] {
		c.client.Produce(context.Background(), r, promise) // not ctx: a record whose fate is open must not be given up one by one
	}
	if err := c.client.Flush(ctx); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	pending.Wait()
	return first
}

// collectorMetadataMinAge is how soon a client asks again where a partition's leader is; the library's 5 s are what a moved leader would cost.
const collectorMetadataMinAge = 250 * time.Millisecond

func collectorProducerOpts(s *collectorSession) []kgo.Opt {
	return slices.Concat([]kgo.Opt{kgo.MetadataMinAge(collectorMetadataMinAge)}, s.cfg.KafkaOpts, []kgo.Opt{ // ours last: exactness rests on them
		kgo.SeedBrokers(s.cfg.Brokers...),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.StopProducerOnDataLossDetected(),
		kgo.ProducerBatchCompression(kgo.NoCompression()), // blocks are packed: they are written and read once each
		kgo.ManualFlushing(),
		kgo.MaxBufferedRecords(1 << 30), // the session bounds what is under way, in bytes
		kgo.ProducerBatchMaxBytesFn(s.batchLimit),
	})
}
