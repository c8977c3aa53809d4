package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/pipeline/enrich"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// ViewsClose is how long after its last event a view without a leave is over, for certain: the last moment at which a row can still change by itself.
const ViewsClose = enrich.ViewCloses + time.Second

// Stoppable lets a stage be ended before the others: stop ends it and waits until it has.
func Stoppable(s Stage) (out Stage, stop func()) {
	asked, ended := make(chan struct{}), make(chan struct{})
	out = Stage{s.Name, func(ctx context.Context) error {
		mine, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() {
			select {
			case <-asked:
				cancel()
			case <-mine.Done():
			}
		}()
		err := s.Run(mine)
		close(ended)
		if err == nil || mine.Err() != nil && ctx.Err() == nil {
			<-ctx.Done() // ended as asked: the others go on
		}
		return err
	}}
	return out, func() { close(asked); <-ended }
}

// RawGroup is the consumer group of a raw topic.
func RawGroup(c *config.Config, t event.Topic) string {
	return runtime.RawGroup(CollectorConfig(c).Group, t)
}

// Behind says how many records of the raw topics have not been taken into the log, and how many dead letters are not in ClickHouse.
func Behind(ctx context.Context, adm *kadm.Client, p *Process) (int64, error) {
	c := p.Config
	var behind int64
	for t, name := range event.TopicNames {
		n, err := lag(ctx, adm, RawGroup(c, event.Topic(t)), c.Kafka.Prefix+name)
		if err != nil {
			return 0, err
		}
		behind += n
	}
	n, err := RejectedBehind(ctx, adm, c)
	return behind + n, err
}

// RejectedBehind says how many dead letters are not in ClickHouse.
func RejectedBehind(ctx context.Context, adm *kadm.Client, c *config.Config) (int64, error) {
	return lag(ctx, adm, c.Kafka.Prefix+groupRejected, c.Kafka.Prefix+runtime.TopicRejected)
}

func lag(ctx context.Context, adm *kadm.Client, group, topic string) (int64, error) {
	committed, err := Committed(ctx, adm, group)
	if err != nil {
		return 0, err
	}
	ends, err := adm.ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return 0, fmt.Errorf("kafka: end of %s: %w", topic, err)
	}
	var n int64
	ends.Each(func(o kadm.ListedOffset) {
		at, _ := committed.Lookup(o.Topic, o.Partition)
		n += o.Offset - max(at.At, 0)
	})
	return n, nil
}

// Committed are the offsets of a group, none where nobody has committed.
func Committed(ctx context.Context, adm *kadm.Client, group string) (kadm.OffsetResponses, error) {
	offsets, err := adm.FetchOffsets(ctx, group)
	if err == nil {
		err = offsets.Error()
	}
	if errors.Is(err, kerr.GroupIDNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("kafka: offsets of group %s: %w", group, err)
	}
	return offsets, nil
}

// KafkaAdmin makes a client for the questions above. Close it.
func (p *Process) KafkaAdmin() (*kadm.Client, error) { return newAdmin(p.Config) }

// Watermark is the lowest of a reader's partitions; zero while one of them has none.
func Watermark(r *runtime.Reader) time.Time {
	var low int64
	first := true
	for _, wm := range r.Watermarks() {
		if first || wm < low {
			low, first = wm, false
		}
	}
	if low == 0 {
		return time.Time{}
	}
	return time.UnixMilli(low)
}
