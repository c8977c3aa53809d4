package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/event"
)

// floorResult is what it costs to consume, decode and validate the raw topics, and nothing else.
type floorResult struct {
	Events int64
	CPU    time.Duration
}

func floor(ctx context.Context, brokers []string, prefix string) (floorResult, error) {
	var r floorResult
	err := ask(ctx, &r, "floor", "--brokers", strings.Join(brokers, ","), "--prefix", prefix)
	return r, err
}

func floorMain(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("floor", flag.ContinueOnError)
	brokers, prefix := f.String("brokers", "", ""), f.String("prefix", "", "")
	if err := f.Parse(args); err != nil {
		return err
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(*brokers, ",")...), kgo.ConsumeTopics(rawTopics(*prefix)...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxBytes(16<<20))
	if err != nil {
		return err
	}
	defer client.Close()
	want, err := recordsIn(ctx, strings.Split(*brokers, ","), rawTopics(*prefix))
	if err != nil {
		return err
	}
	r, err := consume(ctx, client, *prefix, want)
	if err != nil {
		return err
	}
	return tell(r)
}

func consume(ctx context.Context, client *kgo.Client, prefix string, want int64) (floorResult, error) {
	topics := map[string]event.Topic{}
	for t, name := range event.Arrivals {
		topics[prefix+name] = event.Topic(t)
	}
	decoder := event.NewDecoder()
	var ev event.Event
	var r floorResult
	cpu := ownCPU()
	for r.Events < want {
		fetches := client.PollRecords(ctx, 8192)
		if err := fetches.Err0(); err != nil {
			return r, err
		}
		for _, e := range fetches.Errors() {
			return r, fmt.Errorf("%s/%d: %w", e.Topic, e.Partition, e.Err)
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			topic := topics[p.Topic]
			for _, rec := range p.Records {
				decoder.Decode(topic, rec.Value, &ev)
			}
			r.Events += int64(len(p.Records))
		})
	}
	r.CPU = ownCPU() - cpu
	return r, nil
}

// rawTopics of a prefix.
func rawTopics(prefix string) []string {
	var out []string
	for _, n := range event.Arrivals {
		out = append(out, prefix+n)
	}
	return out
}

// recordsIn counts the records of topics that nothing was deleted from and no transaction wrote. A client of its own knows of no topic that
// was there before and is another now.
func recordsIn(ctx context.Context, brokers, topics []string) (int64, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topics...)
	if err == nil {
		err = ends.Error()
	}
	var n int64
	ends.Each(func(o kadm.ListedOffset) { n += o.Offset })
	return n, err
}
