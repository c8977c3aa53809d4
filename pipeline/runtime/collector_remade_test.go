package runtime

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// A topic that was deleted and made again begins at its own start. The group's offset of the old one may still be there: brokers remove it later or,
// where a commit was on its way, not at all.
func TestCollectorBeginsATopicMadeAgainAtItsStart(t *testing.T) {
	for name, alive := range map[string]bool{"before a start": false, "under a collector": true} {
		t.Run(name, func(t *testing.T) {
			w := newCollectorWorld(t)
			cfg := w.config()
			cfg.MetadataEvery = 50 * time.Millisecond
			first, l := w.start(cfg), w.readLog()
			w.send(200)
			l.until("all", l.all)
			eventually(t, "all is committed", w.allCommitted)
			if !alive {
				first.stop()
			}
			old, err := w.adm.FetchOffsets(t.Context(), RawGroup("c", event.TopicViewer))
			if err != nil {
				t.Fatal(err)
			}
			w.remake(event.TopicViewer)
			w.send(2000) // more than there were
			if !alive {
				if err := w.adm.CommitAllOffsets(t.Context(), RawGroup("c", event.TopicViewer), old.Offsets()); err != nil {
					t.Fatal(err)
				}
				w.start(cfg)
			}
			l.until("all, of the new topic too", l.all)
			l.check()
		})
	}
}

// allCommitted says whether the group's offsets are behind all that was produced.
func (w *collectorWorld) allCommitted() (bool, string) {
	for t := range event.NumTopics {
		name := event.TopicNames[t]
		at, err := w.adm.FetchOffsets(w.t.Context(), RawGroup("c", event.Topic(t)))
		if err != nil {
			return false, err.Error()
		}
		for part := range int32(collectorTestRaw) {
			o, _ := at.Lookup(name, part)
			if n := w.produced()[eventlog.SourceID{TopicID: w.ids[name], Partition: part}]; n > 0 && o.At < n {
				return false, fmt.Sprintf("%s/%d: committed up to %d of %d", name, part, o.At, n)
			}
		}
	}
	return true, ""
}

// remake deletes a topic and makes it again.
func (w *collectorWorld) remake(topic event.Topic) {
	w.t.Helper()
	name, ctx := event.TopicNames[topic], w.t.Context()
	if _, err := w.adm.DeleteTopic(ctx, name); err != nil {
		w.t.Fatal(err)
	}
	w.cl.PurgeTopicsFromClient(name)
	made, err := w.adm.CreateTopic(ctx, collectorTestRaw, 1, map[string]*string{"message.timestamp.type": kadm.StringPtr("CreateTime"), "retention.ms": kadm.StringPtr("-1")}, name)
	if err != nil || made.ID == w.ids[name] {
		w.t.Fatalf("%s was not made again: %v", name, err)
	}
	w.ids[name] = made.ID
}
