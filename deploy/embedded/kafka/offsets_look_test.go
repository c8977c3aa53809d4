package kafka_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/deploy/embedded/kafka"
)

func makeTopic(t *testing.T, f *kafka.Fake) {
	t.Helper()
	retention := hour
	if _, err := kadm.NewClient(client(t, f)).CreateTopic(t.Context(), 1, 1, map[string]*string{"retention.ms": &retention}, keptTopic); err != nil {
		t.Fatal(err)
	}
}

// produceOld produces records whose time is over, each in a batch of its own.
func produceOld(t *testing.T, f *kafka.Fake) (last int64) {
	t.Helper()
	c := client(t, f)
	for range oldRecords {
		last = produce(t, c, &kgo.Record{Topic: keptTopic, Value: []byte("old"), Timestamp: time.Now().Add(-2 * time.Hour)})
	}
	return last
}

func produceNew(t *testing.T, f *kafka.Fake, value string) int64 {
	t.Helper()
	return produce(t, client(t, f), &kgo.Record{Topic: keptTopic, Value: []byte(value)})
}

func produce(t *testing.T, c *kgo.Client, r *kgo.Record) int64 {
	t.Helper()
	if err := c.ProduceSync(t.Context(), r).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return r.Offset
}

func sweep(t *testing.T, f *kafka.Fake) {
	t.Helper()
	if err := f.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func deleteUntil(t *testing.T, f *kafka.Fake, offset int64) {
	t.Helper()
	var to kadm.Offsets
	to.AddOffset(keptTopic, 0, offset, -1)
	r, err := kadm.NewClient(client(t, f)).DeleteRecords(t.Context(), to)
	if err == nil {
		err = r.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func wantOffsets(t *testing.T, f *kafka.Fake, start, end int64) {
	t.Helper()
	a := kadm.NewClient(client(t, f))
	if s := offsetOf(t, a.ListStartOffsets); s != start {
		t.Errorf("the partition begins at %d, want %d", s, start)
	}
	if e := offsetOf(t, a.ListEndOffsets); e != end {
		t.Errorf("the partition ends at %d, want %d", e, end)
	}
}

func offsetOf(t *testing.T, list func(context.Context, ...string) (kadm.ListedOffsets, error)) int64 {
	t.Helper()
	all, err := list(t.Context(), keptTopic)
	if err == nil {
		err = all.Error()
	}
	o, ok := all.Lookup(keptTopic, 0)
	if err != nil || !ok {
		t.Fatal("offsets:", err)
	}
	return o.Offset
}

func readAt(t *testing.T, f *kafka.Fake, offset int64) string {
	t.Helper()
	c := client(t, f, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{keptTopic: {0: kgo.NewOffset().At(offset)}}))
	fetches := c.PollFetches(t.Context())
	if err := fetches.Err(); err != nil {
		t.Fatal(err)
	}
	return string(fetches.Records()[0].Value)
}
