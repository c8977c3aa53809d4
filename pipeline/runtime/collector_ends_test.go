package runtime

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

func TestIdleOnceAllBeforeTheEndIsTaken(t *testing.T) {
	for _, c := range []struct {
		next  int64
		ended collectorEnd
		want  int64
	}{{0, collectorEnd{}, 0}, {5, collectorEnd{5, 1000}, 1000}, {4, collectorEnd{5, 1000}, 0}, {6, collectorEnd{5, 1000}, 1000},
		{5, collectorEnd{5, 2001}, 0}} { // the clock was ahead
		src := &collectorSource{next: c.next, ended: c.ended}
		if got := src.idle(2000); got != c.want {
			t.Errorf("at %d of %+v idle as of %d, want %d", c.next, c.ended, got, c.want)
		}
		if got := src.idle(3000); got != c.want {
			t.Errorf("at %d of %+v idle as of %d later on, want %d", c.next, c.ended, got, c.want)
		}
	}
}

// Ends that are not those of what is read say nothing, and what retention has taken ends the session.
func TestEndsOfAnotherLog(t *testing.T) {
	id := [16]byte{7}
	for name, c := range map[string]struct {
		topic      [16]byte
		end, start int64
		reached    int64
		next       int64
		want       collectorEnd
		expired    bool
	}{
		"its own":               {topic: id, end: 9, next: 5, want: collectorEnd{9, 1000}},
		"of a topic made again": {topic: [16]byte{8}, end: 9, next: 5},
		"cut off":               {topic: id, end: 9, reached: 10, next: 5},
		"retention of all":      {topic: id, end: 9, start: 9, next: 5, want: collectorEnd{9, 1000}, expired: true},
		"retention of some":     {topic: id, end: 9, start: 8, next: 5, want: collectorEnd{9, 1000}},
		"retention of the read": {topic: id, end: 9, start: 9, next: 9, want: collectorEnd{9, 1000}},
	} {
		src := &collectorSource{feed: &collectorFeed{name: "raw.viewer"}, id: eventlog.SourceID{TopicID: id}, next: c.next, handed: c.next, reached: c.reached}
		s := &collectorSession{sources: []*collectorSource{src}, endsFail: failing{log: zap.NewNop()}}
		a := &collectorEnds{asked: 1000, ends: collectorOffsets{{0: c.end}}, starts: collectorOffsets{{0: c.start}}, ids: [event.NumTopics][16]byte{c.topic}}
		if expired, _, err := s.takeEnds(a, time.Now()); err != nil || (expired == src) != c.expired || src.ended != c.want {
			t.Errorf("%s: ended %+v, expired %v; want %+v", name, src.ended, expired == src, c.want)
		}
	}
}

// Retention removes what was not read, and nothing comes after it: the source is idle again.
func TestIdleAfterAnExpiredTail(t *testing.T) {
	w := newCollectorWorld(t)
	id := eventlog.SourceID{TopicID: w.ids["raw.viewer"], Partition: 0}
	cfg := w.config()
	cfg.IdleGrace = time.Millisecond
	w.start(cfg)
	l := w.readLog()
	l.until("that the source is idle", l.idleFrom(id, time.Now().UnixMilli()))
	w.expireOfTen(l, 10)
	l.until("that the source is idle again", l.idleFrom(id, time.Now().UnixMilli()))
	l.until("that the group's offset is behind what is gone", func() bool { // so that nobody tells of it again
		at, err := w.adm.FetchOffsets(t.Context(), RawGroup(cfg.Group, event.TopicViewer))
		o, _ := at.Lookup("raw.viewer", 0)
		return err == nil && o.At == 10
	})
	if told := w.logs.FilterMessageSnippet("retention of a raw topic removed records").Len(); told != 1 {
		t.Errorf("told %d times", told)
	}
}

// expireOfTen sends ten records to an empty partition of viewers' events, of which retention takes the first n before they can be fetched.
func (w *collectorWorld) expireOfTen(l *collectorLog, n int64) {
	w.t.Helper()
	back := w.unfetchable(l)
	for i := range 10 {
		r := &kgo.Record{Topic: "raw.viewer", Partition: 0, Value: []byte(w.record(event.TopicViewer, i)), Timestamp: time.Now()}
		if err := w.cl.ProduceSync(w.t.Context(), r).FirstErr(); err != nil {
			w.t.Fatal(err)
		}
	}
	var gone kadm.Offsets
	gone.Add(kadm.Offset{Topic: "raw.viewer", Partition: 0, At: n})
	if deleted, err := w.adm.DeleteRecords(w.t.Context(), gone); err != nil || deleted.Error() != nil {
		w.t.Fatal(err, deleted.Error())
	}
	back()
}

// unfetchable keeps the raw topics from being fetched until back is called.
func (w *collectorWorld) unfetchable(l *collectorLog) (back func()) {
	var away atomic.Int32
	away.Store(1)
	w.cluster.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		if r.(*kmsg.FetchRequest).IsolationLevel == 1 && away.Load() > 0 { // a request of a fetch session does not say of which topic it is
			away.Add(1)
			return nil, errors.New("away"), true
		}
		return nil, nil, false
	})
	l.until("that it cannot be fetched", func() bool { return away.Load() > 10 }) // and that what was on its way is over
	return func() { away.Store(0) }
}

// idleFrom: in every partition the source has been called idle at that time or later.
func (l *collectorLog) idleFrom(id eventlog.SourceID, ms int64) func() bool {
	return func() bool {
		for i := range l.parts {
			if l.parts[i].promise[id] < ms {
				return false
			}
		}
		return true
	}
}

// neverIdleAfter: no partition has it that the source was idle later than that.
func (l *collectorLog) neverIdleAfter(id eventlog.SourceID, ms int64) {
	l.w.t.Helper()
	for i := range l.parts {
		if got := l.parts[i].promise[id]; got > ms {
			l.w.t.Errorf("partition %d: the source is called idle %d ms after its record", i, got-ms)
		}
	}
}

// heldConn waits before it hands over what it has read.
type heldConn struct {
	net.Conn
	hold func()
}

func (c *heldConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.hold()
	return n, err
}

func refusedEnds(r *kmsg.ListOffsetsRequest) kmsg.Response {
	resp := r.ResponseKind().(*kmsg.ListOffsetsResponse)
	for _, t := range r.Topics {
		topic := kmsg.NewListOffsetsResponseTopic()
		topic.Topic = t.Topic
		for _, p := range t.Partitions {
			part := kmsg.NewListOffsetsResponseTopicPartition()
			part.Partition, part.ErrorCode = p.Partition, kerr.UnknownServerError.Code
			topic.Partitions = append(topic.Partitions, part)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

// An answer says what was true when it was asked for: a record that came while it was on its way is not behind the claim that it makes.
func TestIdleAsOfTheQuestion(t *testing.T) {
	w := newCollectorWorld(t)
	move := func(topic string, partition, node int32) {
		if err := w.cluster.MoveTopicPartition(topic, partition, node); err != nil {
			t.Fatal(err)
		}
	}
	for p := range int32(collectorTestRaw) {
		move("raw.viewer", p, min(p, 1))
	}
	for p := range int32(collectorTestEvents) {
		move(TopicEvents, p, 1)
	}
	slow := eventlog.SourceID{TopicID: w.ids["raw.viewer"], Partition: 0}
	other := eventlog.SourceID{TopicID: w.ids["raw.viewer"], Partition: 1}
	cfg := w.config()
	cfg.IdleGrace = time.Millisecond
	var holding atomic.Bool
	asked, answers, fetches := make(chan struct{}), make(chan struct{}), make(chan struct{})
	cfg.KafkaOpts = []kgo.Opt{kgo.Dialer(func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		return &heldConn{c, func() {
			if holding.Load() && addr == w.cluster.ListenAddrs()[0] {
				<-answers
			}
		}}, err
	})}
	w.start(cfg)
	l := w.readLog()
	l.until("that the source is idle", l.idleFrom(slow, time.Now().UnixMilli()))
	questions := 0
	w.cluster.Control(func(r kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		if holding.Load() && w.cluster.CurrentNode() == 0 {
			switch r := r.(type) {
			case *kmsg.ListOffsetsRequest:
				if r.IsolationLevel != 0 || r.Topics[0].Partitions[0].Timestamp != -1 {
					return nil, nil, false // asked at an assignment
				}
				if questions++; questions > 1 {
					return refusedEnds(r), nil, true
				}
				close(asked) // it is answered now: nothing is there
			case *kmsg.FetchRequest:
				w.cluster.SleepControl(func() { <-fetches })
			}
		}
		return nil, nil, false
	})
	holding.Store(true)
	<-asked
	r := &kgo.Record{Topic: "raw.viewer", Partition: 0, Value: []byte(w.record(event.TopicViewer, 1)), Timestamp: time.Now()}
	if err := w.cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
		t.Fatal(err)
	}
	came := time.Now().UnixMilli()
	l.until("that time passes", func() bool { return time.Now().UnixMilli() > came+200 })
	close(answers)
	l.until("that another one is idle for long", l.idleFrom(other, came+500))
	l.neverIdleAfter(slow, came)
	close(fetches)
	l.until("the record", func() bool { return len(l.seen[slow]) == 1 })
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
	l.until("that the source is idle", l.idleFrom(open, time.Now().UnixMilli()))
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
	l.until("that another one is idle for long", l.idleFrom(other, there+500))
	l.neverIdleAfter(open, there)
	if err := tx.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	l.until("the record", func() bool { return len(l.seen[open]) == 1 })
	l.until("that the source is idle again", l.idleFrom(open, time.Now().UnixMilli()))
}
