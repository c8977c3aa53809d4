package kafka

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Records go when their time is over, without being asked for, until the broker is closed.
func TestRetentionIsAppliedEverySoOften(t *testing.T) {
	f, err := startFake(Tell{}, t.TempDir(), "127.0.0.1:0", 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := kgo.NewClient(kgo.SeedBrokers(f.Brokers()...))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	a, retention := kadm.NewClient(c), "3600000"
	if _, err := a.CreateTopic(ctx, 1, 1, map[string]*string{"retention.ms": &retention}, "orders"); err != nil {
		t.Fatal(err)
	}
	if err := c.ProduceSync(ctx, &kgo.Record{Topic: "orders", Timestamp: time.Now().Add(-2 * time.Hour)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for start := int64(0); start != 1; {
		all, err := a.ListStartOffsets(ctx, "orders")
		if err != nil {
			t.Fatal("the record did not go: ", err)
		}
		o, _ := all.Lookup("orders", 0)
		start = o.Offset
	}
}
