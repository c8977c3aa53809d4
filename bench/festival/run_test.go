package festival

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
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

// others is the key of records that the festival did not produce.
const others = "others"

// reread makes a second ledger of the festival's records as they stand in Kafka.
func reread(t *testing.T, brokers []string, prefix string, n int64) *ledger.Truth {
	t.Helper()
	l, err := ledger.New(ledger.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(Topics(prefix)...))
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
			if string(r.Key) == others {
				return
			}
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

// What the ledger heard is what a consumer finds in Kafka, also when the run is cut short and brokers fail in between.
func TestLedgerIsWhatKafkaHas(t *testing.T) {
	t.Run("as acknowledged", func(t *testing.T) { ledgerIsWhatKafkaHas(t, kafka(t, "t.")) })
	t.Run("as read back", func(t *testing.T) { ledgerIsWhatKafkaHas(t, stamped(t, "t.")) })
}

func ledgerIsWhatKafkaHas(t *testing.T, c *kfake.Cluster) {
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
	compareWithKafka(t, l, c.ListenAddrs(), "t.")
}

// compareWithKafka holds each row of a ledger, and each minute of receive time, against what a consumer finds.
func compareWithKafka(t *testing.T, l *ledger.Ledger, brokers []string, prefix string) {
	t.Helper()
	n := l.Records()
	truth, err := l.Finish()
	if err != nil {
		t.Fatal(err)
	}
	mine, theirs := lines(truth), lines(reread(t, brokers, prefix, n))
	if len(truth.Outcomes) == 0 || len(truth.Tables[0].Rows) == 0 {
		t.Fatalf("%d lines of outcomes, %d rows of %s", len(truth.Outcomes), len(truth.Tables[0].Rows), truth.Tables[0].Name)
	}
	differ := 0
	for k := range union(mine, theirs) {
		if mine[k] == theirs[k] {
			continue
		}
		if differ++; differ <= 5 {
			t.Errorf("%s: %q in the ledger, %q in Kafka", k, mine[k], theirs[k])
		}
	}
	if differ > 0 {
		t.Errorf("%d of %d lines differ", differ, len(theirs))
	}
}

// lines are a truth without the numbers that it gives to places and the like.
func lines(truth *ledger.Truth) map[string]string {
	out := map[string]string{}
	for k, n := range truth.Outcomes {
		out[fmt.Sprint("outcome ", k)] = fmt.Sprint(n)
	}
	for _, tab := range truth.Tables {
		for i, r := range tab.Rows {
			k := fmt.Sprint(tab.Name, r.Grain, " ", r.Window, truth.Places[r.Place], truth.Subs[r.Sub])
			out[k] = fmt.Sprint(tab.Values[i*len(tab.Measures) : (i+1)*len(tab.Measures)])
		}
	}
	for _, o := range truth.Orders {
		out[fmt.Sprint("order ", o.Platform, " ", o.OrderID)] = fmt.Sprint(o)
	}
	return out
}

func union(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
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
	l := newLedger(t)
	defer l.Close()
	for _, of := range []*ledger.Ledger{nil, l} {
		stats, err := Run(context.Background(), Config{Seed: 3, Start: start}, RunOptions{Brokers: addrs, Events: 10, Grace: 200 * time.Millisecond, Ledger: of})
		if !errors.Is(err, ErrUnknown) || stats.Acked != 0 {
			t.Fatalf("%+v, %v; want ErrUnknown", stats, err)
		}
		if strings.Contains(err.Error(), "ledger") != (of != nil) {
			t.Errorf("with a ledger: %v; says %v", of != nil, err)
		}
	}
}

// Who interrupts a run while Kafka does not answer is told what is waited for, and at the end one cause.
func TestInterruptedRunSaysWhatItWaitsFor(t *testing.T) {
	c := kafka(t, "")
	addrs := c.ListenAddrs()
	c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var waited int64
	stats, err := Run(ctx, Config{Seed: 3, Start: start}, RunOptions{Brokers: addrs, Grace: 200 * time.Millisecond, Progress: func(Stats) { cancel() },
		Waiting: func(n int64, grace time.Duration) {
			if waited = n; grace != 200*time.Millisecond {
				t.Errorf("waits for %v", grace)
			}
		}})
	if waited == 0 || waited != stats.Sent {
		t.Errorf("waited for %d acknowledgements of %d", waited, stats.Sent)
	}
	if want := fmt.Sprintf("festival: %d of %d records are without an acknowledgement: no acknowledgement within 200ms", waited, waited); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A full buffer is waited for only as long as the run goes on.
func TestRoomInTheBuffer(t *testing.T) {
	p := &production{settled: make(chan struct{}, 1), sent: maxBuffered}
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan bool)
	go func() { got <- p.room(ctx) }()
	p.done(&kgo.Record{}, nil)
	if !<-got {
		t.Error("no room after an acknowledgement")
	}
	p.sent++
	go func() { got <- p.room(ctx) }()
	cancel()
	if <-got {
		t.Error("room in a full buffer")
	}
}

// TestBatchesHaveABound, also at a rate that nobody keeps: between them progress is told.
func TestBatchesHaveABound(t *testing.T) {
	p := &production{opt: RunOptions{Rate: MaxRate}, sent: 20_000}
	for since, want := range map[time.Duration]int64{2 * time.Millisecond: 0, 3 * time.Millisecond: 10_000, time.Hour: maxBuffered} {
		if n := p.due(since); n != want {
			t.Errorf("after %v %d are due, want %d", since, n, want)
		}
	}
	for _, rate := range []float64{MaxRate * 2, 1e99, math.Inf(1), math.NaN(), -1} {
		if _, err := New(Config{Rate: rate}); err == nil {
			t.Errorf("a festival of %v events a second", rate)
		}
	}
}
