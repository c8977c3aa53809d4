package festival

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// topicsStampedBy makes raw topics whose receive time is the broker's (LogAppendTime) or the producer's (CreateTime).
func topicsStampedBy(t *testing.T, client *kgo.Client, stamp, prefix string) {
	t.Helper()
	created, err := kadm.NewClient(client).CreateTopics(t.Context(), 3, 1, map[string]*string{"message.timestamp.type": &stamp}, Topics(prefix)...)
	if err = errors.Join(err, created.Error()); err != nil {
		t.Fatal(err)
	}
}

func newClient(t *testing.T, brokers []string) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// disturb sends records of another producer to all partitions until the test ends it.
func disturb(ctx context.Context, client *kgo.Client, prefix string) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			for _, topic := range Topics(prefix) {
				r := &kgo.Record{Topic: topic, Key: []byte(others), Value: []byte("{}")}
				if err := client.ProduceSync(context.WithoutCancel(ctx), r).FirstErr(); err != nil {
					done <- err
					return
				}
			}
		}
		done <- nil
	}()
	return func() error { cancel(); return <-done }
}

// The ledger has the receive times that stand in the topics, whoever set them, and no record of another producer. The festival's clock lies in the
// past, so that no row is the same by the producer's time and by the broker's. kfake stores the producer's always.
func TestLedgerHasTheReceiveTimesOfTheTopics(t *testing.T) {
	for _, stamp := range []string{"LogAppendTime", "CreateTime"} {
		t.Run(stamp, func(t *testing.T) {
			brokers, prefix := testengine.ApacheKafka(t), testengine.Prefix()
			client := newClient(t, brokers)
			topicsStampedBy(t, client, stamp, prefix)
			stop := disturb(t.Context(), client, prefix)
			l := newLedger(t)
			stats, err := Run(t.Context(), Config{Seed: 4, Start: time.Now().Add(-time.Hour), Faults: true, Prefix: prefix}, RunOptions{Brokers: brokers, Rate: 5_000, Events: 20_000, Ledger: l})
			if err = errors.Join(err, stop()); err != nil {
				t.Fatal(err)
			}
			if stats.Acked != 20_000 || l.Records() != stats.Acked {
				t.Fatalf("%d acknowledged, %d in the ledger", stats.Acked, l.Records())
			}
			compareWithKafka(t, l, brokers, prefix)
		})
	}
}

// stamped is a fake whose topics say that the broker sets the time.
func stamped(t *testing.T, prefix string) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	topicsStampedBy(t, newClient(t, c.ListenAddrs()), "LogAppendTime", prefix)
	return c
}

// A record that is acknowledged and not to be read makes the ledger as worthless as one without acknowledgement.
func TestLedgerThatCannotBeReadBackIsAnError(t *testing.T) {
	for name, one := range map[string]struct {
		fetch func(*kmsg.FetchRequest) (kmsg.Response, error)
		want  string
	}{
		"no permission": {func(req *kmsg.FetchRequest) (kmsg.Response, error) { return refuse(req), nil }, kerr.TopicAuthorizationFailed.Message},
		"no answer":     {func(*kmsg.FetchRequest) (kmsg.Response, error) { return nil, errors.New("hang up") }, "0 of 500 acknowledged records"},
	} {
		t.Run(name, func(t *testing.T) {
			c := stamped(t, "")
			c.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				resp, err := one.fetch(req.(*kmsg.FetchRequest))
				return resp, err, true
			})
			l := newLedger(t)
			defer l.Close()
			_, err := Run(context.Background(), Config{Seed: 5, Start: start}, RunOptions{Brokers: c.ListenAddrs(), Events: 500, Ledger: l, Grace: 2 * time.Second})
			if err == nil || !strings.Contains(err.Error(), one.want) || errors.Is(err, ErrUnknown) {
				t.Errorf("%v; want %q", err, one.want)
			}
		})
	}
}

func refuse(req *kmsg.FetchRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.FetchResponse)
	for _, topic := range req.Topics {
		rt := kmsg.NewFetchResponseTopic()
		rt.Topic, rt.TopicID = topic.Topic, topic.TopicID
		for _, p := range topic.Partitions {
			rp := kmsg.NewFetchResponseTopicPartition()
			rp.Partition, rp.ErrorCode = p.Partition, kerr.TopicAuthorizationFailed.Code
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

// Offsets of ours and of others alternate; what is acknowledged and missing is told from what others sent.
func TestAcknowledgedOffsets(t *testing.T) {
	a := &acks{}
	for _, offset := range []int64{3, 4, 7} {
		if !a.add(offset) {
			t.Fatalf("offset %d was refused", offset)
		}
	}
	if a.add(7) || len(a.spans) != 2 {
		t.Fatalf("spans %v; want two, and no offset twice", a.spans)
	}
	for offset, want := range []bool{2: false, 3: true} {
		if ours, err := a.next(&kgo.Record{Offset: int64(offset)}); ours != want || err != nil {
			t.Errorf("offset %d: %v, %v", offset, ours, err)
		}
	}
	if _, err := a.next(&kgo.Record{Offset: 5}); err == nil || !strings.Contains(err.Error(), "offset 4 was acknowledged and is not there") {
		t.Errorf("offset 4 is missing: %v", err)
	}
}
