package runtime

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// BenchmarkCollectorCatchUp moves a backlog of viewer events; one operation is one event. The broker is in the same process and takes part in
// the CPU time.
func BenchmarkCollectorCatchUp(b *testing.B) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MaxBufferedRecords(1<<20))
	if err != nil {
		b.Fatal(err)
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	if err := EnsureTopics(b.Context(), adm, TopicSpec{Replication: 1, RawCreateTime: true, RawRetention: Forever, EventsRetention: Forever}); err != nil {
		b.Fatal(err)
	}
	base := time.Now().Add(-time.Hour).UnixMilli()
	for i := range b.N {
		ts := base + int64(i/50)
		v := fmt.Appendf(nil, `{"event_id":"019b7a52-6a3e-7c11-9f0e-%012x","schema_version":"1-0-0","type":"viewer","platform":"douyin","room_id":"r_%05d","live_session_id":"ls_%05d_20261122","user_id":"u_%06d","view_id":"v_%d","sdk_instance_id":"i_%d","seq":%d,"client_ts":%d,"sent_ts":%d,"device":{"os":"ios","model":"iPhone17,1","app_version":"33.1","network":"5g"},"action":"heartbeat","watch_ms_delta":5000,"foreground":true}`,
			i, i%1000, i%1000, i%50000, i, i%50000, i, ts-100, ts)
		cl.Produce(b.Context(), &kgo.Record{Topic: "raw.viewer", Partition: int32(i % 2), Value: v, Timestamp: time.UnixMilli(ts)}, nil)
	}
	if err := cl.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	cfg := CollectorConfig{Brokers: c.ListenAddrs(), Group: "c", PseudonymKey: make([]byte, 16), Settings: eventlog.Settings{Partitions: 2, Zone: "UTC"}, CommitEvery: 10 * time.Millisecond}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	b.ReportAllocs()
	cpu := cpuTime()
	b.ResetTimer()
	go func() { done <- RunCollector(ctx, cfg, zap.NewNop(), nil) }()
	for at := int64(0); at < int64(b.N); {
		time.Sleep(5 * time.Millisecond) // a benchmark's clock, not a test's
		o, err := adm.FetchOffsets(b.Context(), "c.raw.viewer")
		if err != nil {
			continue
		}
		at = 0
		o.Each(func(r kadm.OffsetResponse) { at += r.At })
	}
	b.ReportMetric(float64((cpuTime()-cpu).Nanoseconds())/float64(b.N), "cpu-ns/event")
	b.StopTimer()
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
