package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// memoryResult is what viewers take of the resident memory of `livemeter run`.
type memoryResult struct {
	events    int64
	few, many caughtUp
}

const (
	metricViewers = "livemeter_reader_viewers"
	metricHeap    = "go_memstats_heap_inuse_bytes"
	metricCells   = "livemeter_reader_cells"
)

func (r memoryResult) more(metric string) float64 {
	return r.many.metrics[metric] - r.few.metrics[metric]
}

func (r memoryResult) perViewer() float64 {
	return float64(r.many.resident-r.few.resident) / r.more(metricViewers)
}

// memoryRooms is small, so that cells take little and as much both times.
const (
	memoryRooms  = 100
	memoryEvents = 4 // of each viewer: an enter and heartbeats
	memoryFew    = 10_000
)

// memory compares a process that has followed few viewers with one that has followed many, through as many events of the same rooms: what a
// backlog leaves in buffers is in both.
func (b *bed) memory(ctx context.Context) (out memoryResult, err error) {
	out.events = memoryEvents * int64(b.o.viewers)
	if out.few, err = b.follow(ctx, "few.", memoryFew, out.events); err != nil {
		return out, err
	}
	out.many, err = b.follow(ctx, "many.", b.o.viewers, out.events)
	return out, err
}

// follow lets the pipeline catch up with viewers who are all in a room at the end, one heartbeat each five seconds.
func (b *bed) follow(ctx context.Context, prefix string, viewers int, events int64) (out caughtUp, err error) {
	if err := b.topics(ctx, prefix); err != nil {
		return out, err
	}
	b.say("generating %d events of %d viewers", events, viewers)
	client, err := kgo.NewClient(kgo.SeedBrokers(b.kafka.Brokers()...), kgo.ProducerLinger(5*time.Millisecond), kgo.MaxBufferedRecords(100_000),
		kgo.DefaultProduceTopic(prefix+"raw.viewer"))
	if err != nil {
		return out, err
	}
	defer client.Close()
	const span = 20 * time.Second
	start := time.Now().Add(-span).UnixMilli()
	failed := make(chan error, 1)
	for i := range events {
		at := start + i*span.Milliseconds()/events
		client.Produce(ctx, watching(int(i)%viewers, int(i)/viewers, at), func(_ *kgo.Record, err error) {
			if err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		})
	}
	if err := client.Flush(ctx); err != nil {
		return out, err
	}
	select {
	case err := <-failed:
		return out, err
	default:
	}
	if out, err = b.catchUp(ctx, prefix, events); err != nil {
		return out, err
	}
	return out, b.drop(ctx, prefix)
}

// watching is the n-th event of a viewer.
func watching(viewer, n int, at int64) *kgo.Record {
	action := `"enter","entry_source":"search"`
	if n > 0 {
		action = `"heartbeat","watch_ms_delta":5000`
	}
	user := fmt.Sprintf("u_%d", viewer)
	value := fmt.Appendf(nil, `{"event_id":"e_%d_%d","schema_version":"1-0-0","type":"viewer","platform":"douyin","room_id":"r_%d","live_session_id":"s","user_id":"%s",`+
		`"view_id":"v_%d","sdk_instance_id":"i_%d","seq":%d,"client_ts":%d,"sent_ts":%d,"action":%s}`, viewer, n, viewer%memoryRooms, user, viewer, viewer, n+1, at, at, action)
	return &kgo.Record{Key: []byte(user), Value: value, Timestamp: time.UnixMilli(at)}
}
