package runtime

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/event"
)

// A group whose offset was set by hand to the end (kafka-consumer-groups --reset-offsets --to-latest, which is the high watermark), while a transaction is open: nothing was cut off.
func TestOffsetBehindAnOpenTransactionIsNotCutOff(t *testing.T) {
	w := newCollectorWorld(t)
	w.send(100)
	group, name := RawGroup("c", event.TopicViewer), event.TopicNames[event.TopicViewer]
	tx, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.TransactionalID("tx"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	if err := tx.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := tx.ProduceSync(t.Context(), &kgo.Record{Topic: name, Partition: 0, Value: []byte("{}"), Timestamp: time.Now()}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	ends, err := w.adm.ListEndOffsets(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	end, _ := ends.Lookup(name, 0)
	offsets := kadm.Offsets{}
	offsets.AddOffset(name, 0, end.Offset, -1)
	if err := w.adm.CommitAllOffsets(t.Context(), group, offsets); err != nil {
		t.Fatal(err)
	}
	cfg, health := w.config(), &CollectorHealth{}
	cfg.Health = health
	w.start(cfg)
	eventually(t, "the collector works", func() (bool, string) { err := health.Ready(); return err == nil, fmt.Sprint(err) })
	if err := tx.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Error(err)
	}
}
