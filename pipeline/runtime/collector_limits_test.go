package runtime

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap/zaptest/observer"
)

// Original bytes live seven days at most, whatever was asked for, and a topic that keeps them longer is told of at start.
func TestRejectedBytesLiveSevenDays(t *testing.T) {
	w := newCollectorWorld(t)
	configs, err := w.adm.DescribeTopicConfigs(t.Context(), TopicRejected)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, kv := range configs[0].Configs {
		got[kv.Key] = kv.MaybeValue()
	}
	if got["retention.ms"] != "604800000" || got["segment.ms"] != "21600000" {
		t.Errorf("retention.ms=%s segment.ms=%s", got["retention.ms"], got["segment.ms"])
	}
	const warning = "keeps the original bytes"
	told := func() int {
		return w.logs.Filter(func(e observer.LoggedEntry) bool { return strings.Contains(e.Message, warning) }).Len()
	}
	spec := w.topics()
	spec.Log, spec.RejectedRetention = w.log, Forever
	for i, retention := range []string{"604800000", "-1", "2592000000"} {
		if _, err := w.adm.AlterTopicConfigsState(t.Context(), collectorAlter("retention.ms", retention), TopicRejected); err != nil {
			t.Fatal(err)
		}
		if err := EnsureTopics(t.Context(), w.adm, spec); err != nil {
			t.Fatal(err)
		}
		if told() != i {
			t.Errorf("retention.ms=%s: %d warnings, want %d", retention, told(), i)
		}
	}
}

// A batch that decompresses to more than the bound costs no memory for it. It is not skipped: its source stands still and says why; the others go on.
func TestCollectorIsBoundedByADecompressionBomb(t *testing.T) {
	w := newCollectorWorld(t)
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.ProducerBatchCompression(kgo.ZstdCompression()),
		kgo.ProducerBatchMaxBytes(collectorBatchBytes*2), kgo.BrokerMaxWriteBytes(collectorBatchBytes*2), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	bomb := &kgo.Record{Topic: "raw.cost", Value: make([]byte, collectorBatchBytes+1), Timestamp: time.UnixMilli(w.base)}
	if err := cl.ProduceSync(t.Context(), bomb).FirstErr(); err != nil {
		t.Fatal(err)
	}
	w.send(50)
	p := w.start(w.config())
	l := w.readLog()
	l.until("the other topic", l.all)
	eventually(t, "the bomb is told of", func() (bool, string) {
		for _, e := range w.logs.All() {
			if f := e.ContextMap(); strings.Contains(e.Message, "decompresses to more") && f["topic"] == "raw.cost" && f["offset"] == int64(0) && f["offset_behind_it"] == int64(1) {
				return true, ""
			}
		}
		return false, ""
	})
	p.stop()
	if o, err := w.adm.FetchOffsets(t.Context(), "c.raw.cost"); err != nil {
		t.Fatal(err)
	} else if at, ok := o.Lookup("raw.cost", 0); ok && at.At > 0 {
		t.Errorf("offset %d is committed: the batch was skipped unseen", at.At)
	}
}
