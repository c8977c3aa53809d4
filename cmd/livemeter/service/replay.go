package service

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// Place is a record of a raw topic.
type Place struct {
	Source eventlog.SourceID
	Offset int64
}

// Replay is what was sent again: the line of outcomes in which the record was invalid.
type Replay struct {
	Topic    string // with prefix
	Received int64  // ms
	Reason   string
}

// PlaceOf is where a rejected record stands.
func PlaceOf(r *rollup.Rejected) Place {
	return Place{eventlog.SourceID{TopicID: r.TopicID, Partition: r.Partition}, r.Offset}
}

// Replayer is raw.replay for a command: what was sent there, which the topic itself says best, and a way to send more.
type Replayer struct {
	topic  string
	cfg    *config.Config
	client *kgo.Client
}

// NewReplayer does not ask Kafka for anything yet.
func NewReplayer(c *config.Config) (*Replayer, error) {
	client, err := newClient(c, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.RecordDeliveryTimeout(replayTimeout))
	if err != nil {
		return nil, err
	}
	return &Replayer{topic: c.Kafka.Prefix + event.TopicNames[event.TopicReplay], cfg: c, client: client}, nil
}

// replayTimeout is how long a record may take to be acknowledged.
const replayTimeout = 30 * time.Second

// Close ends the client.
func (r *Replayer) Close() { r.client.Close() }

// Send returns when all records are acknowledged, in their order; after an error some may be, and to send them again changes nothing.
func (r *Replayer) Send(ctx context.Context, rows []rollup.Rejected) error {
	records := make([]*kgo.Record, len(rows))
	for i := range rows {
		records[i] = runtime.ReplayRecord(r.topic, &rows[i]) // partition 0: one order for all
	}
	if err := r.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("send to %s: %w", r.topic, err)
	}
	return nil
}

// Sent reads what stands in raw.replay by now. tell is called now and then with how many records that were so far.
func (r *Replayer) Sent(ctx context.Context, tell func(records int)) (map[Place]Replay, error) {
	adm := kadm.NewClient(r.client)
	starts, err := adm.ListStartOffsets(ctx, r.topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("where %s begins: %w: livemeter schema apply makes it", r.topic, err)
	}
	ends, err := adm.ListEndOffsets(ctx, r.topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("where %s ends: %w", r.topic, err)
	}
	left, from := map[int32]int64{}, map[int32]kgo.Offset{}
	ends.Each(func(o kadm.ListedOffset) {
		if begin, _ := starts.Lookup(r.topic, o.Partition); o.Offset > begin.Offset {
			left[o.Partition], from[o.Partition] = o.Offset, kgo.NewOffset().At(begin.Offset)
		}
	})
	sent := map[Place]Replay{}
	if len(left) == 0 {
		return sent, nil
	}
	client, err := newClient(r.cfg, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.topic: from}), kgo.KeepControlRecords())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	for n := 0; len(left) > 0; tell(n) {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("read %s: %w", r.topic, err)
		}
		fetches.EachRecord(func(rec *kgo.Record) {
			if row, ok := runtime.Replayed(rec); ok && !rec.Attrs.IsControl() {
				sent[PlaceOf(&row)] = Replay{row.Topic, row.ReceivedTS, row.Reason}
			}
			if end, more := left[rec.Partition]; more && rec.Offset >= end-1 {
				delete(left, rec.Partition)
			}
		})
		n += fetches.NumRecords()
	}
	return sent, nil
}
