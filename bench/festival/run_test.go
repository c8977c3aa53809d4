package festival

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/livemeter/livemeter/bench/ledger"
)

func kafka(t *testing.T, prefix string) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, Topics(prefix)...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// reread makes a second ledger of what stands in Kafka.
func reread(t *testing.T, c *kfake.Cluster, prefix string, n int64) *ledger.Truth {
	t.Helper()
	l, err := ledger.New(ledger.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics(Topics(prefix)...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for seen := int64(0); seen < n; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d of %d records: %v", seen, n, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			seen++
			l.Add(r.Topic, r.Partition, r.Offset, r.Key, r.Value, r.Timestamp.UnixMilli())
		})
	}
	truth, err := l.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return truth
}

func newLedger(t *testing.T) *ledger.Ledger {
	t.Helper()
	l, err := ledger.New(ledger.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// What the ledger heard from acknowledgements is what a consumer finds in Kafka, also when the run is cut short and brokers fail in between.
func TestLedgerIsWhatKafkaHas(t *testing.T) {
	c := kafka(t, "t.")
	failures := 0
	c.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if failures++; failures != 2 && failures != 5 {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range req.(*kmsg.ProduceRequest).Topics {
			rt := kmsg.NewProduceResponseTopic()
			rt.Topic, rt.TopicID = topic.Topic, topic.TopicID
			for _, p := range topic.Partitions {
				rp := kmsg.NewProduceResponseTopicPartition()
				rp.Partition, rp.ErrorCode = p.Partition, kerr.NotLeaderForPartition.Code
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil, true
	})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l := newLedger(t)
	stats, err := Run(ctx, Config{Seed: 1, Faults: true, Prefix: "t."}, RunOptions{Brokers: c.ListenAddrs(), Rate: 20_000, Ledger: l, Progress: func(s Stats) {
		if s.Acked > 5_000 {
			cancel()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if stats.Acked != stats.Sent || stats.Acked < 5_000 || l.Records() != stats.Acked {
		t.Fatalf("sent %d, acknowledged %d, in the ledger %d", stats.Sent, stats.Acked, l.Records())
	}
	mine, err := l.Finish()
	if err != nil {
		t.Fatal(err)
	}
	theirs := reread(t, c, "t.", stats.Acked)
	if len(mine.Outcomes) == 0 || len(mine.Outcomes) != len(theirs.Outcomes) {
		t.Fatalf("%d and %d lines of outcomes", len(mine.Outcomes), len(theirs.Outcomes))
	}
	for k, n := range mine.Outcomes {
		if theirs.Outcomes[k] != n {
			t.Errorf("%s: %d by acknowledgement, %d in Kafka", k, n, theirs.Outcomes[k])
		}
	}
	for i, tab := range mine.Tables {
		if len(tab.Rows) != len(theirs.Tables[i].Rows) || sum(tab.Values) != sum(theirs.Tables[i].Values) {
			t.Errorf("%s: %d rows, sum %d by acknowledgement; %d rows, sum %d in Kafka", tab.Name, len(tab.Rows), sum(tab.Values), len(theirs.Tables[i].Rows), sum(theirs.Tables[i].Values))
		}
	}
}

func sum(values []int64) (n int64) {
	for _, v := range values {
		n += v
	}
	return n
}

func TestRunStopsAtItsEvents(t *testing.T) {
	c := kafka(t, "")
	l := newLedger(t)
	defer l.Close()
	stats, err := Run(context.Background(), Config{Seed: 2, Start: start}, RunOptions{Brokers: c.ListenAddrs(), Events: 20_000, Ledger: l})
	if err != nil || stats.Acked != 20_000 || l.Records() != 20_000 {
		t.Fatalf("%+v, %d in the ledger, %v", stats, l.Records(), err)
	}
	if want := start.Add(time.Second); stats.Now.Before(want.Add(-10*time.Millisecond)) || stats.Now.After(want) {
		t.Errorf("the clock stands at %v, want about %v", stats.Now, want)
	}
}

// A record that Kafka does not acknowledge makes the ledger worthless: Run says so instead of returning it as the truth.
func TestRunWithoutAcknowledgementsIsAnError(t *testing.T) {
	c := kafka(t, "")
	addrs := c.ListenAddrs()
	c.Close()
	stats, err := Run(context.Background(), Config{Seed: 3, Start: start}, RunOptions{Brokers: addrs, Events: 10, Grace: 200 * time.Millisecond})
	if !errors.Is(err, ErrUnknown) || stats.Acked != 0 {
		t.Errorf("%+v, %v; want ErrUnknown", stats, err)
	}
}
