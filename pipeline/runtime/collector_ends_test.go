package runtime

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

func TestIdleOnceAllBeforeTheEndIsTaken(t *testing.T) {
	for _, c := range []struct {
		next  int64
		ended collectorEnd
		want  int64
	}{{0, collectorEnd{}, 0}, {5, collectorEnd{5, 1000}, 1000}, {4, collectorEnd{5, 1000}, 0}, {6, collectorEnd{5, 1000}, 1000}} {
		if got := (&collectorSource{next: c.next, ended: c.ended}).idle(); got != c.want {
			t.Errorf("at %d of %+v idle as of %d, want %d", c.next, c.ended, got, c.want)
		}
	}
}

// What stands in an open transaction is there, with its receive time, though nobody can fetch it yet: its partition is not idle.
func TestOpenTransactionIsNotIdle(t *testing.T) {
	w := newCollectorWorld(t)
	open := eventlog.SourceID{TopicID: w.ids["raw.viewer"], Partition: 0}
	other := eventlog.SourceID{TopicID: w.ids["raw.viewer"], Partition: 1}
	cfg := w.config()
	cfg.IdleGrace = time.Millisecond
	w.start(cfg)
	l := w.readLog()
	idleFrom := func(id eventlog.SourceID, ms int64) func() bool {
		return func() bool {
			for i := range l.parts {
				if l.parts[i].promise[id] < ms {
					return false
				}
			}
			return true
		}
	}
	l.until("that the source is idle", idleFrom(open, time.Now().UnixMilli()))
	tx, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID("writer"))
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Close()
	if err := tx.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	r := &kgo.Record{Topic: "raw.viewer", Partition: 0, Value: []byte(w.record(event.TopicViewer, 1)), Timestamp: time.Now()}
	if err := tx.ProduceSync(t.Context(), r).FirstErr(); err != nil {
		t.Fatal(err)
	}
	there := time.Now().UnixMilli()
	l.until("that another one is idle for long", idleFrom(other, there+500))
	for i := range l.parts {
		if got := l.parts[i].promise[open]; got > there {
			t.Errorf("partition %d: the source is called idle %d ms after its record", i, got-there)
		}
	}
	if err := tx.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	l.until("the record", func() bool { return len(l.seen[open]) == 1 })
	l.until("that the source is idle again", idleFrom(open, time.Now().UnixMilli()))
}
