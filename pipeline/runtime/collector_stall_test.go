package runtime

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// A partition whose leader is away for longer than collector.stall_after is told in every partition of the log, alone, and again while it lasts no more often than each minute; when the
// leader is back, all that it holds counts.
func TestCollectorTellsWhatHasStalled(t *testing.T) {
	w := newCollectorWorld(t)
	id := eventlog.SourceID{TopicID: w.ids["raw.viewer"], Partition: 1}
	cfg := w.config()
	cfg.StallAfter = 4 * time.Second // a busy machine answers by then
	p := w.start(cfg)
	l := w.readLog()
	w.send(300)
	l.until("the records", l.all)
	away := w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch, kmsg.ListOffsets}, TopicID: id.TopicID, Partitions: []int32{1}, Err: kerr.LeaderNotAvailable, Count: -1})
	named := w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "raw.viewer", Partitions: []int32{1}, Err: kerr.LeaderNotAvailable, Count: -1})
	l.until("that it has stalled", func() bool {
		for i := range l.parts {
			if l.parts[i].stalled[id] == 0 {
				return false
			}
		}
		return true
	})
	eventually(t, "the metric tells of it", func() (bool, string) { return gather(t, p.reg)["livemeter_collector_stalled"] == 1, "" })
	since := time.Now()
	l.until("that another one is idle meanwhile", l.idleFrom(eventlog.SourceID{TopicID: id.TopicID, Partition: 0}, since.UnixMilli()))
	away.Remove()
	named.Remove()
	l.until("that it is idle again", l.idleFrom(id, since.UnixMilli()))
	w.send(300)
	l.until("all records", l.all)
	l.check()
	for i := range l.parts {
		for other, n := range l.parts[i].stalled {
			if other != id || n != 1 {
				t.Errorf("partition %d: source %x/%d was told %d times", i, other.TopicID, other.Partition, n)
			}
		}
	}
}

// A session that did not run for a while knows nothing of its sources: a process that was suspended tells of none.
func TestASuspendedCollectorCallsNothingStalled(t *testing.T) {
	src := &collectorSource{feed: &collectorFeed{name: "raw.viewer"}}
	s := &collectorSession{cfg: &CollectorConfig{StallAfter: time.Minute, Now: time.Now}, sources: []*collectorSource{src}, build: &collectorBatch{}}
	now := time.Now()
	for at := time.Duration(0); at < 50*time.Second; at += time.Second {
		s.lookStalled(now.Add(at))
	}
	s.lookStalled(now.Add(time.Hour))
	if !src.stalled.IsZero() || s.build.n > 0 {
		t.Error("it was called stalled")
	}
}
