package runtime

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// refuseHighWatermark answers the first question for where partition 0 of a topic ends, and others of its leader, with an error of each.
func (w *collectorWorld) refuseHighWatermark(topic string) {
	refused := false
	w.cluster.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		r := req.(*kmsg.ListOffsetsRequest)
		first := func(p kmsg.ListOffsetsRequestTopicPartition) bool { return p.Partition == 0 && p.Timestamp == -1 }
		if refused || r.IsolationLevel != 0 || r.Topics[0].Topic != topic || !slices.ContainsFunc(r.Topics[0].Partitions, first) {
			return nil, nil, false
		}
		refused = true
		resp := r.ResponseKind().(*kmsg.ListOffsetsResponse)
		for _, rt := range r.Topics {
			st := kmsg.NewListOffsetsResponseTopic()
			st.Topic = rt.Topic
			for _, rp := range rt.Partitions {
				sp := kmsg.NewListOffsetsResponseTopicPartition()
				sp.Partition, sp.ErrorCode = rp.Partition, kerr.UnsupportedForMessageFormat.Code
				st.Partitions = append(st.Partitions, sp)
			}
			resp.Topics = append(resp.Topics, st)
		}
		return resp, nil, true
	})
}

// A high watermark that Kafka does not tell is asked for again, and not taken for one below the group's offset.
func TestAnEndThatIsNotToldIsNoCut(t *testing.T) {
	w := newCollectorWorld(t)
	w.send(100)
	name := event.TopicNames[event.TopicViewer]
	offsets := kadm.Offsets{}
	offsets.AddOffset(name, 0, w.produced()[eventlog.SourceID{TopicID: w.ids[name], Partition: 0}]+7, -1)
	if err := w.adm.CommitAllOffsets(t.Context(), RawGroup("c", event.TopicViewer), offsets); err != nil {
		t.Fatal(err)
	}
	w.refuseHighWatermark(name)
	cfg, health := w.config(), &CollectorHealth{}
	cfg.Health = health
	w.start(cfg)
	eventually(t, "the collector knows that the log was cut off", func() (bool, string) {
		err := health.Ready()
		return err != nil && strings.Contains(err.Error(), "was cut off"), fmt.Sprint(err)
	})
	ended := w.logs.FilterMessageSnippet("collector session ended").All()
	if len(ended) == 0 || !strings.Contains(fmt.Sprint(ended[0].ContextMap()), "high watermark of raw.viewer/0 is not to be had") {
		t.Errorf("the first session ended with %v", ended)
	}
}
