package runtime

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
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

// A source that was found cut off for certain is not read by a later session either, though it may be longer by then.
func TestCollectorRemembersWhatWasCutOff(t *testing.T) {
	w := newCollectorWorld(t)
	w.send(100)
	cfg := w.config().WithDefaults()
	if err := cfg.takeKey(); err != nil {
		t.Fatal(err)
	}
	m, err := newCollectorMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	found := errors.New("was cut off")
	cut := map[eventlog.SourceID]error{{TopicID: w.ids[event.TopicNames[event.TopicViewer]]}: found}
	if _, err := runCollectorSession(t.Context(), &cfg, w.log, m, cut); !errors.Is(err, found) {
		t.Errorf("the session ended with %v", err)
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
	if err := fetched(0); err == nil || !strings.Contains(err.Error(), "began anew at offset 0") {
		t.Errorf("%v", err)
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
