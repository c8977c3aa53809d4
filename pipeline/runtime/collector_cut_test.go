package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// A partition that ends before the group's offset was cut off: its next records would be taken for repetitions. The collector does not skip them, and says so.
func TestCollectorReadsNothingOfALogThatWasCutOff(t *testing.T) {
	w := newCollectorWorld(t)
	w.send(100)
	group, name := RawGroup("c", event.TopicViewer), event.TopicNames[event.TopicViewer]
	end := w.produced()[eventlog.SourceID{TopicID: w.ids[name], Partition: 0}]
	commit := func(at int64) {
		t.Helper()
		offsets := kadm.Offsets{}
		offsets.AddOffset(name, 0, at, -1)
		if err := w.adm.CommitAllOffsets(t.Context(), group, offsets); err != nil {
			t.Fatal(err)
		}
	}
	commit(end + 7)
	cfg, health := w.config(), &CollectorHealth{}
	cfg.Health = health
	p := w.start(cfg)
	eventually(t, "the collector says what is wrong", func() (bool, string) {
		err := health.Ready()
		return err != nil && strings.Contains(err.Error(), "was cut off") && strings.Contains(err.Error(), group), ""
	})
	p.stop()
	commit(0)
	w.start(cfg)
	l := w.readLog()
	l.until("all", l.all)
}

// sessionConfig is what a session alone wants.
func (w *collectorWorld) sessionConfig() (CollectorConfig, *collectorMetrics) {
	w.t.Helper()
	cfg := w.config().WithDefaults()
	m, err := newCollectorMetrics(prometheus.NewRegistry())
	if err = errors.Join(err, cfg.takeKey()); err != nil {
		w.t.Fatal(err)
	}
	return cfg, m
}

// A source that was found cut off for certain is not read by a later session either, though it may be longer by then.
func TestCollectorRemembersWhatWasCutOff(t *testing.T) {
	w := newCollectorWorld(t)
	w.send(100)
	cfg, m := w.sessionConfig()
	found := &collectorCutOffError{text: "was cut off"}
	memory := newCollectorMemory()
	memory.cut[eventlog.SourceID{TopicID: w.ids[event.TopicNames[event.TopicViewer]]}] = found
	if _, err := runCollectorSession(t.Context(), &cfg, w.log, m, memory); !errors.Is(err, found) {
		t.Errorf("the session ended with %v", err)
	}
}

// The epoch that a commit carries ended before its offset: the log was cut off, though it may be longer by now, and no later session reads it.
func TestCollectorSeesThatACommittedEpochWasCutOff(t *testing.T) {
	w := newCollectorWorld(t)
	w.send(100)
	cfg, health := w.config(), &CollectorHealth{}
	cfg.Health = health
	p, l := w.start(cfg), w.readLog()
	l.until("all", l.all)
	p.stop()
	group, name := RawGroup(cfg.Group, event.TopicViewer), event.TopicNames[event.TopicViewer]
	at, err := w.adm.FetchOffsets(t.Context(), group)
	o, ok := at.Lookup(name, 0)
	if err != nil || !ok || o.LeaderEpoch < 0 {
		t.Fatalf("committed %+v, %v: no epoch", o, err)
	}
	var cut atomic.Bool // later answers know nothing of it
	cut.Store(true)
	w.cluster.ControlKey(int16(kmsg.OffsetForLeaderEpoch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		for _, topic := range r.(*kmsg.OffsetForLeaderEpochRequest).Topics {
			for _, part := range topic.Partitions {
				if topic.Topic == name && part.Partition == 0 && cut.Load() {
					return cutAnswer(r.(*kmsg.OffsetForLeaderEpochRequest), name, o.At-3), nil, true
				}
			}
		}
		return nil, nil, false
	})
	var joins atomic.Int32
	w.cluster.ControlKey(int16(kmsg.JoinGroup), func(r kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		if r.(*kmsg.JoinGroupRequest).Group == group {
			joins.Add(1)
		}
		return nil, nil, false
	})
	w.send(100)
	cutOff := func() (bool, string) {
		err := health.Ready()
		return err != nil && strings.Contains(err.Error(), "was cut off"), fmt.Sprint(err)
	}
	w.start(cfg)
	eventually(t, "the collector says what is wrong", cutOff)
	cut.Store(false)
	before := joins.Load()
	eventually(t, "other sessions have begun", func() (bool, string) { return joins.Load() > before+3, "too few" })
	if ok, why := cutOff(); !ok {
		t.Errorf("later it says %s", why)
	}
}

// A leader tells a session that reads of a loss: what was taken is committed first, so that another process would find it, too.
func TestCollectorCommitsBeforeALossEndsIt(t *testing.T) {
	w := newCollectorWorld(t)
	w.send(100)
	cfg, health := w.config(), &CollectorHealth{}
	cfg.Health, cfg.CommitEvery = health, time.Hour
	w.start(cfg)
	l := w.readLog()
	l.until("all", l.all)
	group, name := RawGroup(cfg.Group, event.TopicViewer), event.TopicNames[event.TopicViewer]
	end := w.produced()[eventlog.SourceID{TopicID: w.ids[name], Partition: 0}]
	w.cluster.ControlKey(int16(kmsg.OffsetForLeaderEpoch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		return cutAnswer(r.(*kmsg.OffsetForLeaderEpochRequest), name, end-3), nil, true
	})
	for node := range int32(2) { // one of which is not its leader
		if err := w.cluster.MoveTopicPartition(name, 0, node); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the collector says what is wrong", func() (bool, string) {
		err := health.Ready()
		return err != nil && strings.Contains(err.Error(), "was cut off"), fmt.Sprint(err)
	})
	at, err := w.adm.FetchOffsets(t.Context(), group)
	if o, _ := at.Lookup(name, 0); err != nil || o.At != end || o.LeaderEpoch < 0 {
		t.Errorf("committed %+v, %v, want %d and its epoch", o, err, end)
	}
}

// cutAnswer says that the epochs that are asked for ended there in partition 0 of a topic, and nothing of the others.
func cutAnswer(r *kmsg.OffsetForLeaderEpochRequest, name string, end int64) kmsg.Response {
	resp := r.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
	for _, t := range r.Topics {
		topic := kmsg.NewOffsetForLeaderEpochResponseTopic()
		topic.Topic = t.Topic
		for _, p := range t.Partitions {
			part := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			part.Partition, part.LeaderEpoch, part.EndOffset = p.Partition, p.LeaderEpoch, end
			if t.Topic != name || p.Partition != 0 {
				part.EndOffset = -1
			}
			topic.Partitions = append(topic.Partitions, part)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

// A leader that does not know that it was deposed ends before what was read: the next answer decides anew.
func TestCollectorForgetsWhatOneLeaderSaid(t *testing.T) {
	w := newCollectorWorld(t)
	w.send(100)
	cfg, health := w.config(), &CollectorHealth{}
	cfg.Health = health
	p, l := w.start(cfg), w.readLog()
	l.until("all", l.all)
	p.stop()
	name := event.TopicNames[event.TopicViewer]
	var lies atomic.Bool
	lies.Store(true)
	w.cluster.ControlKey(int16(kmsg.ListOffsets), func(r kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		if req := r.(*kmsg.ListOffsetsRequest); lies.Load() && slices.ContainsFunc(req.Topics, func(t kmsg.ListOffsetsRequestTopic) bool { return t.Topic == name }) {
			return emptyLogs(req), nil, true
		}
		return nil, nil, false
	})
	w.start(cfg)
	eventually(t, "the collector says what is wrong", func() (bool, string) {
		err := health.Ready()
		return err != nil && strings.Contains(err.Error(), "was cut off"), fmt.Sprint(err)
	})
	lies.Store(false)
	w.send(100)
	l.until("all that came", l.all)
}

// emptyLogs says that all that is asked for ends, and begins, at 0.
func emptyLogs(r *kmsg.ListOffsetsRequest) kmsg.Response {
	resp := refusedEnds(r).(*kmsg.ListOffsetsResponse)
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			resp.Topics[i].Partitions[j].ErrorCode, resp.Topics[i].Partitions[j].Offset = 0, 0
		}
	}
	return resp
}

// Retention takes some of what was not read: reading goes on behind it, and what is gone is told once, by its number.
func TestCollectorGoesOnBehindWhatRetentionTook(t *testing.T) {
	w := newCollectorWorld(t)
	id := eventlog.SourceID{TopicID: w.ids["raw.viewer"], Partition: 0}
	cfg := w.config()
	cfg.IdleGrace = time.Millisecond
	p, l := w.start(cfg), w.readLog()
	l.until("that the source is idle", l.idleFrom(id, time.Now().UnixMilli()))
	w.expireOfTen(l, 6)
	l.until("what was left", func() bool { return len(l.seen[id]) == 4 })
	told := w.logs.FilterMessageSnippet("retention of a raw topic removed records")
	if told.Len() != 1 || told.All()[0].ContextMap()["offsets"] != int64(6) {
		t.Errorf("told %v", told.All())
	}
	if got := gather(t, p.reg)["livemeter_collector_expired_offsets_total"]; got != 6 {
		t.Errorf("%v expired offsets, want 6", got)
	}
}

// A commit carries the epoch of the record before it, or none.
func TestPositionHasTheEpochOfItsLastRecord(t *testing.T) {
	s := &collectorSource{epoch: 3, epochFrom: 9, acked: 10} // as assigned at a commit with an epoch
	want := func(epoch int32) {
		t.Helper()
		if got := s.position(s.acked); got != (kgo.EpochOffset{Epoch: epoch, Offset: s.acked}) {
			t.Errorf("%+v, want epoch %d", got, epoch)
		}
	}
	want(3)
	s.took(&kgo.Record{Offset: 10, LeaderEpoch: 3})
	s.took(&kgo.Record{Offset: 11, LeaderEpoch: 5})
	s.acked = 11 // the record of the newer epoch is not acknowledged yet
	want(-1)
	s.acked = 12
	want(5)
	s.acked, s.epochFrom = 20, 20 // retention took what stood before
	want(-1)
	s.push(&kgo.FetchPartition{Records: []*kgo.Record{{Offset: 20, LeaderEpoch: 6}, {Offset: 21, LeaderEpoch: 6}}})
	s.took(s.queue[0][0])
	s.flying = s.next
	memory := newCollectorMemory()
	memory.note(s)
	if got := memory.of(s.id); got != (kgo.EpochOffset{Epoch: 6, Offset: 21}) {
		t.Errorf("read to %+v", got)
	}
}

// What a former session of the process has read, committed or not, is looked for: its leader knows where that epoch ended, or how long the log is.
func TestCollectorRemembersHowFarItHasRead(t *testing.T) {
	w := newCollectorWorld(t)
	w.send(100)
	cfg, m := w.sessionConfig()
	id := eventlog.SourceID{TopicID: w.ids[event.TopicNames[event.TopicViewer]]}
	end := w.produced()[id]
	for name, c := range map[string]struct {
		read       kgo.EpochOffset
		cut, doubt bool
	}{
		"all there":                  {read: kgo.EpochOffset{Epoch: 0, Offset: end}},
		"its epoch ended before":     {read: kgo.EpochOffset{Epoch: 0, Offset: end + 1}, cut: true},
		"an epoch that is not known": {read: kgo.EpochOffset{Epoch: 9, Offset: end + 1}, cut: true, doubt: true},
		"no epoch":                   {read: kgo.EpochOffset{Epoch: -1, Offset: end + 1}, cut: true, doubt: true},
		"no epoch, all there":        {read: kgo.EpochOffset{Epoch: -1, Offset: end}},
	} {
		memory := newCollectorMemory()
		memory.note(&collectorSource{id: id, flying: c.read.Offset, next: c.read.Offset + 9, epoch: c.read.Epoch})
		memory.note(&collectorSource{id: id, flying: c.read.Offset - 1, epoch: 7}) // of a session that began before
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		health := &CollectorHealth{}
		cfg.Health = health
		done := make(chan error, 1)
		go func() { _, err := runCollectorSession(ctx, &cfg, w.log, m, memory); done <- err }()
		if !c.cut {
			eventually(t, "the collector reads", func() (bool, string) { err := health.Ready(); return err == nil, fmt.Sprint(err) })
			cancel()
		}
		found := (*collectorCutOffError)(nil)
		if err := <-done; errors.As(err, &found) != c.cut || c.cut && found.doubt != c.doubt {
			t.Errorf("%s: the session ended with %v", name, err)
		}
		cancel()
	}
}

// What comes at offsets that were read already ends the session: the client may have been told of a loss that is none, so it is not remembered.
func TestCollectorSeesAReaderThatBeganAnew(t *testing.T) {
	id := eventlog.SourceID{TopicID: [16]byte{7}}
	s := &collectorSession{}
	f := &collectorFeed{s: s, name: "raw.viewer", group: "c.raw.viewer"}
	s.sources = []*collectorSource{{feed: f, id: id, handed: 3}}
	fetched := func(offset int64) error {
		return s.enqueue(f, kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: "raw.viewer", Partitions: []kgo.FetchPartition{{HighWatermark: offset + 1, Records: []*kgo.Record{{Offset: offset}}}}}}}})
	}
	if err := fetched(3); err != nil {
		t.Error(err)
	}
	err := fetched(0)
	if err == nil || !strings.Contains(err.Error(), "began anew at offset 0") {
		t.Errorf("%v", err)
	}
	if loss := (collectorLossError{}); !errors.As(err, &loss) {
		t.Errorf("%v is no loss: what was taken would not be committed", err)
	}
}

// A leader that was deposed may say so for a moment; when all answers have said so for long, the session ends.
func TestCollectorBelievesASteadyEnd(t *testing.T) {
	id := eventlog.SourceID{TopicID: [16]byte{7}}
	s := &collectorSession{endsFail: failing{log: zap.NewNop()}}
	src := &collectorSource{feed: &collectorFeed{s: s, name: "raw.viewer"}, id: id, next: 5, handed: 5, reached: 5}
	s.sources = []*collectorSource{src}
	began := time.Now()
	for _, step := range []struct {
		at   time.Duration
		end  int64
		want bool
	}{{0, 3, false}, {collectorCutOff - 1, 3, false}, {collectorCutOff, 5, false}, {collectorCutOff + 1, 3, false}, {2 * collectorCutOff, 3, false}, {2*collectorCutOff + 1, 3, true}} {
		_, _, err := s.takeEnds(&collectorEnds{asked: 1000, ends: collectorOffsets{{0: step.end}}, ids: [event.NumTopics][16]byte{id.TopicID}}, began.Add(step.at))
		if (err != nil) != step.want {
			t.Errorf("after %v, end %d: %v", step.at, step.end, err)
		}
	}
}
