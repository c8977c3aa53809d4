//go:build synctests

package exact

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/livemeter/livemeter/pipeline/runtime"
)

// rawConfig is that of the raw topics: the sender sets the receive time.
var rawConfig = map[string]*string{"message.timestamp.type": kadm.StringPtr("CreateTime")}

// trim takes from the topics' beginnings what has been read, as retention does, but for the last record: of a partition without any kfake says, after its
// leader has moved, that it ended at 0.
func (w *world) trim(ctx context.Context) {
	w.judged.read(ctx, w) // what it has not seen it would miss
	gone := kadm.Offsets{}
	for group, topic := range w.groups() {
		at, err := w.adm.FetchOffsets(ctx, group)
		if err != nil {
			return // nobody has committed, or the coordinator is moving
		}
		ends, err := w.adm.ListEndOffsets(ctx, topic)
		if err != nil {
			return
		}
		for _, o := range at.Offsets().Sorted() {
			if topic == runtime.TopicEvents {
				o.At = min(o.At, w.judged.next[o.Partition])
			}
			end, _ := ends.Lookup(topic, o.Partition)
			if o.At = min(o.At, end.Offset-1); o.At > 0 {
				gone.Add(o)
			}
		}
	}
	if _, err := w.adm.DeleteRecords(ctx, gone); err == nil { // a leader that moves refuses: then its stay
		w.trims++
	}
}

// groups are those whose offsets say what has been read of a topic.
func (w *world) groups() map[string]string {
	groups := map[string]string{"run": runtime.TopicEvents}
	if w.services {
		groups = map[string]string{"enricher": runtime.TopicEvents, "aggregator": runtime.TopicEnriched}
	}
	for _, topic := range topics {
		groups["collector."+topic.name] = topic.name
	}
	return groups
}

// remake deletes a raw topic and makes it again, when all that was sent is in the log: what is not would be lost.
func (w *world) remake(ctx context.Context) {
	w.sending <- struct{}{}
	defer func() { <-w.sending }()
	for range 100 {
		if ok, _ := w.collected(ctx); ok {
			break
		}
		time.Sleep(50 * time.Millisecond) // simulated
	}
	if ok, _ := w.collected(ctx); !ok {
		return
	}
	topic := topics[w.rng.IntN(len(topics))]
	w.log.Sugar().Infof("FAULT make %s again", topic.name)
	if _, err := w.adm.DeleteTopic(ctx, topic.name); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.adm.CreateTopic(ctx, topic.partitions, 1, rawConfig, topic.name); err != nil {
		w.t.Fatal(err)
	}
	w.client.PurgeTopicsFromClient(topic.name)
	w.remade, w.remakes = append(w.remade, topic.name), w.remakes+1
}
