package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// A topic of dead letters that is deleted, and made again later, is read on from its start without a restart.
func TestRejectedOfATopicMadeAgain(t *testing.T) {
	w := newWorld(t)
	const topic = "events.rejected"
	send := func(n int) {
		t.Helper()
		if err := w.cluster.CreateTopic(topic, 1, nil); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if err := w.cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte{byte(n), byte(i)}}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got atomic.Int64
	done := make(chan error, 1)
	cfg := RejectedConfig{Brokers: w.cluster.ListenAddrs(), Topic: topic, Group: "rejected", SessionTimeout: 2 * time.Second}
	go func() {
		done <- RunRejected(ctx, cfg, func(_ context.Context, rows []rollup.Rejected) error { got.Add(int64(len(rows))); return nil })
	}()
	written := func(n int64) func() (bool, string) {
		return func() (bool, string) { return got.Load() >= n, fmt.Sprintf("%d written", got.Load()) }
	}
	eventually(t, "the first topic's are written", written(2))
	if _, err := kadm.NewClient(w.cl).DeleteTopic(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	w.cl.PurgeTopicsFromClient(topic)
	send(5)
	eventually(t, "the second topic's are written", written(7))
	cancel()
	if err := <-done; err != nil || got.Load() != 7 {
		t.Errorf("ended with %v, %d written", err, got.Load())
	}
}

func TestRejectedAreWrittenOnceTheStoreTakesThem(t *testing.T) {
	w := newWorld(t)
	if err := w.cluster.CreateTopic("events.rejected", 1, nil); err != nil {
		t.Fatal(err)
	}
	id := [16]byte{1, 2, 3}
	headers := func(pairs ...string) (hs []kgo.RecordHeader) {
		for i := 0; i < len(pairs); i += 2 {
			hs = append(hs, kgo.RecordHeader{Key: pairs[i], Value: []byte(pairs[i+1])})
		}
		return hs
	}
	full := &kgo.Record{Topic: "events.rejected", Value: []byte("{bad"), Headers: headers("reason", "not_json", "field", "", "source_topic", "raw.viewer",
		"source_topic_id", string(id[:]), "source_partition", "3", "source_offset", "77", "received_ts", "1795312800123", "cut_value_bytes", "3000000")}
	stranger := &kgo.Record{Topic: "events.rejected", Value: []byte("who?"), Timestamp: time.UnixMilli(5000)}
	if err := w.cl.ProduceSync(t.Context(), full, stranger).FirstErr(); err != nil {
		t.Fatal(err)
	}
	want := []rollup.Rejected{
		{Topic: "raw.viewer", TopicID: id, Partition: 3, Offset: 77, ReceivedTS: 1795312800123, Reason: "not_json", Original: []byte("{bad"), Length: 3_000_000},
		{Topic: "events.rejected", Partition: 0, Offset: 1, ReceivedTS: 5000, Original: []byte("who?"), Length: 4},
	}
	cfg := RejectedConfig{Brokers: w.cluster.ListenAddrs(), Topic: "events.rejected", Group: "rejected", SessionTimeout: 2 * time.Second}
	var got []rollup.Rejected
	collect := func(stop func(n int) bool) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		tries := 0
		err := RunRejected(ctx, cfg, func(_ context.Context, rows []rollup.Rejected) error {
			if tries++; tries == 1 {
				return errors.New("the store is away")
			}
			got = append(got, rows...)
			if stop(len(got)) {
				cancel()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	collect(func(n int) bool { return n == 2 })
	reg := prometheus.NewPedanticRegistry()
	cfg.Metrics = reg
	third := &kgo.Record{Topic: "events.rejected", Value: []byte("3"), Timestamp: time.UnixMilli(6000), Headers: headers("received_ts", "9223372036854775807")}
	if err := w.cl.ProduceSync(t.Context(), third).FirstErr(); err != nil {
		t.Fatal(err)
	}
	collect(func(n int) bool { return n >= 3 })
	want = append(want, rollup.Rejected{Topic: "events.rejected", Offset: 2, ReceivedTS: maxRejectedTS, Original: []byte("3"), Length: 1})
	if len(got) != len(want) {
		t.Fatalf("got %d rows, want %d: what was committed must not come again", len(got), len(want))
	}
	if got[1].TopicID == ([16]byte{}) || got[1].TopicID != got[2].TopicID {
		t.Errorf("records without a topic id have ids %x and %x, want one made of the name", got[1].TopicID, got[2].TopicID)
	}
	sums := gather(t, reg)
	for name, want := range map[string]float64{"livemeter_rejected_records_total": 1, "livemeter_rejected_bytes_total": 1, "livemeter_rejected_lag_records": 0, "livemeter_rejected_write_failures_total": 1} {
		if got, ok := sums[name]; !ok || got != want {
			t.Errorf("%s = %v (%v), want %v", name, got, ok, want)
		}
	}
	want[1].TopicID, want[2].TopicID = got[1].TopicID, got[1].TopicID
	for i := range want {
		g, w := got[i], want[i]
		if string(g.Original) != string(w.Original) {
			t.Errorf("row %d: original %q, want %q", i, g.Original, w.Original)
		}
		g.Original, w.Original = nil, nil
		if g.Topic != w.Topic || g.TopicID != w.TopicID || g.Partition != w.Partition || g.Offset != w.Offset || g.ReceivedTS != w.ReceivedTS || g.Reason != w.Reason {
			t.Errorf("row %d: got %+v, want %+v", i, g, w)
		}
	}
}

// Records that come end the outage of those that did not, where it is not just now.
func TestRejectedThatAreReadEndTheirOutage(t *testing.T) {
	w := newWorld(t)
	const topic = "events.rejected"
	if err := w.cluster.CreateTopic(topic, 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := w.cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	cfg := RejectedConfig{Brokers: w.cluster.ListenAddrs(), Topic: topic, Group: "rejected"}
	cfg.defaults()
	m, err := newRejectedMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := &rejectedSession{cfg: &cfg, asker: w.cl, metrics: m, writing: failing{log: cfg.Log}, fetching: failing{log: cfg.Log, apart: time.Minute},
		write: func(context.Context, []rollup.Rejected) error { cancel(); return nil }}
	failed := time.Now().Add(-40 * time.Second)
	s.fetching.err, s.fetching.since, s.fetching.last = errors.New("away"), failed, failed
	if err := s.run(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := s.fetching.now(); err != nil {
		t.Errorf("still %v", err)
	}
}
