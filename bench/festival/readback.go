package festival

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/bench/ledger"
)

// readback feeds a ledger with the acknowledged records as the topics have them. Where the broker sets the receive time (LogAppendTime) it says so in
// its acknowledgement, but the client does not hand that on: only who reads the record knows its time. It reads while the festival is produced, so
// that little is left to read at the end, and keeps no record: of what is to be read it knows the offsets.
type readback struct {
	client *kgo.Client
	ledger *ledger.Ledger
	cancel context.CancelFunc
	over   chan struct{} // closed when reading has ended
	err    error         // why it ended, once it is over

	mu         sync.Mutex
	partitions map[partition]*acks
	acked      int64
	read       int64
	settled    bool // nothing will be acknowledged any more
}

type partition struct {
	topic  string
	number int32
}

// acks are the acknowledged offsets of a partition that were not read yet, ascending. Other producers' records are the gaps.
type acks struct {
	spans []span
	end   int64 // behind the last acknowledged
}

type span struct{ from, to int64 }

// brokerStamps says whether a raw topic may store another time than the producer's. Who may not ask is on the safe side with yes.
func brokerStamps(ctx context.Context, client *kgo.Client, prefix string) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	topics := Topics(prefix)
	configs, err := kadm.NewClient(client).DescribeTopicConfigs(ctx, topics...)
	if err != nil {
		return true
	}
	for _, topic := range topics {
		c, err := configs.On(topic, nil)
		if err != nil || c.Err != nil || !producerStamps(c) {
			return true
		}
	}
	return false
}

func producerStamps(c kadm.ResourceConfig) bool {
	for _, kv := range c.Configs {
		if kv.Key == "message.timestamp.type" {
			return kv.MaybeValue() == "CreateTime"
		}
	}
	return false
}

// startReadback calls fail once if reading ends before its time.
func startReadback(opt RunOptions, fail func(error)) (*readback, error) {
	// The broker collects for a while: an answer for every batch would take the producer's processors. What is fetched ahead bounds the memory.
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(opt.Brokers...), kgo.FetchMinBytes(1 << 20), kgo.FetchMaxWait(250 * time.Millisecond),
		kgo.FetchMaxBytes(8 << 20), kgo.FetchMaxPartitionBytes(2 << 20), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.MetadataMinAge(250 * time.Millisecond)}, opt.Client...)...)
	if err != nil {
		return nil, fmt.Errorf("festival: Kafka client to read back from %v: %w", opt.Brokers, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b := &readback{client: client, ledger: opt.Ledger, cancel: cancel, over: make(chan struct{}), partitions: map[partition]*acks{}}
	go func() {
		defer close(b.over)
		if b.err = b.consume(ctx); b.err != nil {
			fail(b.err)
		}
	}()
	return b, nil
}

// close may be called once. Nothing comes into the ledger afterwards.
func (b *readback) close() {
	b.cancel()
	<-b.over
	b.client.Close()
}

// acknowledged is called in the order of each partition. Reading of a partition begins with its first acknowledged record.
func (b *readback) acknowledged(r *kgo.Record) error {
	at := partition{r.Topic, r.Partition}
	b.mu.Lock()
	a, known := b.partitions[at]
	if !known {
		a = &acks{}
		b.partitions[at] = a
	}
	ok := a.add(r.Offset)
	b.acked++
	b.mu.Unlock()
	if !ok {
		return fmt.Errorf("festival: %s partition %d: offset %d was acknowledged after offset %d: the records can't be found for the ledger; run generate again", at.topic, at.number, r.Offset, a.end-1)
	}
	if !known {
		b.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{at.topic: {at.number: kgo.NewOffset().At(r.Offset)}})
	}
	return nil
}

func (a *acks) add(offset int64) bool {
	if offset < a.end {
		return false
	}
	if n := len(a.spans); n > 0 && a.spans[n-1].to == offset {
		a.spans[n-1].to++
	} else {
		a.spans = append(a.spans, span{offset, offset + 1})
	}
	a.end = offset + 1
	return true
}

// consume reads until ctx is done.
func (b *readback) consume(ctx context.Context) error {
	for {
		fetches := b.client.PollRecords(ctx, 10_000)
		if ctx.Err() != nil {
			return nil
		}
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("festival: the broker sets the receive times, and they cannot be read back for the ledger: %w; may this client read (and describe the settings of) the raw topics?", err)
		}
		for it := fetches.RecordIter(); !it.Done(); {
			if err := b.take(ctx, it.Next()); err != nil {
				return err
			}
		}
	}
}

// take adds a record to the ledger if it is one of ours.
func (b *readback) take(ctx context.Context, r *kgo.Record) error {
	ours, err := b.ours(ctx, r)
	if !ours || err != nil {
		return err
	}
	b.ledger.Add(r.Topic, r.Partition, r.Offset, r.Key, r.Value, r.Timestamp.UnixMilli())
	b.mu.Lock()
	b.read++
	b.mu.Unlock()
	return nil
}

// ours waits where a record was read before its acknowledgement came, or is another producer's: a later acknowledgement of its partition tells, or the end.
func (b *readback) ours(ctx context.Context, r *kgo.Record) (bool, error) {
	for {
		b.mu.Lock()
		a := b.partitions[partition{r.Topic, r.Partition}]
		if r.Offset < a.end || b.settled {
			ours, err := a.next(r)
			b.mu.Unlock()
			return ours, err
		}
		b.mu.Unlock()
		select {
		case <-ctx.Done():
			return false, nil
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func (a *acks) next(r *kgo.Record) (bool, error) {
	if len(a.spans) == 0 || r.Offset < a.spans[0].from {
		return false, nil
	}
	s := &a.spans[0]
	if r.Offset > s.from {
		return false, fmt.Errorf("festival: %s partition %d: offset %d was acknowledged and is not there, offset %d follows: the topic has lost records, and no ledger can be right", r.Topic, r.Partition, s.from, r.Offset)
	}
	if s.from++; s.from == s.to {
		a.spans = a.spans[1:]
	}
	return true, nil
}

// finish waits until all that was acknowledged is in the ledger. It gives up when for the time of grace not one record came.
func (b *readback) finish(grace time.Duration) error {
	b.mu.Lock()
	b.settled = true
	b.mu.Unlock()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	before, since := int64(-1), time.Now()
	for {
		read, acked := b.counts()
		if read == acked {
			return nil
		}
		if read != before {
			before, since = read, time.Now()
		}
		if time.Since(since) > grace {
			return fmt.Errorf("festival: %d of %d acknowledged records were read back for the ledger, and no more came within %v; is a broker down?", read, acked, grace)
		}
		select {
		case <-b.over:
			return b.err
		case <-again.C:
		}
	}
}

func (b *readback) counts() (read, acked int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.read, b.acked
}
