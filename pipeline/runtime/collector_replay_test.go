package runtime

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// A record of raw.replay is judged as what its headers name, at its time of then, and the log names it. One whose headers do not say is rejected as itself; one that
// is still invalid leaves nothing, and its offset is committed all the same. The old receive times hold nobody up: promises go by when the replay came.
func TestCollectorReplays(t *testing.T) {
	w := newCollectorWorld(t)
	long := time.Now().Add(-6 * 24 * time.Hour).UnixMilli()
	row := rollup.Rejected{Topic: "raw.viewer", TopicID: w.ids["raw.viewer"], Partition: 2, Offset: 1234, ReceivedTS: long, Reason: "bad_enum", Original: []byte(w.record(event.TopicViewer, 1))}
	with := func(header, value string) *kgo.Record {
		r := ReplayRecord("raw.replay", &row)
		r.Headers = slices.DeleteFunc(r.Headers, func(h kgo.RecordHeader) bool { return h.Key == header })
		if value != "" {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: header, Value: []byte(value)})
		}
		return r
	}
	still := ReplayRecord("raw.replay", &row)
	still.Value = []byte("{}")
	records := []*kgo.Record{ReplayRecord("raw.replay", &row), with("reason", ""), with("reason", "ugly"), with("source_topic", "raw.replay"), with("source_partition", "-1"), with("source_offset", "1e3"),
		with("source_topic_id", uuid.Nil.String()), with("received_ts", "yesterday"), still}
	sent := time.Now()
	for _, r := range records {
		r.Timestamp = sent
	}
	if err := w.cl.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	p := w.start(w.config())
	var wrong []string
	for _, r := range w.rejected(7) {
		h := map[string]string{}
		for _, x := range r.Headers {
			h[x.Key] = string(x.Value)
		}
		wrong = append(wrong, h["reason"]+" "+h["field"]+" "+h["source_topic"]+"@"+h["source_offset"])
	}
	if want := "missing_field reason raw.replay@1, bad_value reason raw.replay@2, bad_value source_topic raw.replay@3, bad_value source_partition raw.replay@4, bad_value source_offset raw.replay@5, " +
		"bad_value source_topic_id raw.replay@6, bad_value received_ts raw.replay@7"; strings.Join(wrong, ", ") != want {
		t.Errorf("rejected\n%s, want\n%s", strings.Join(wrong, ", "), want)
	}
	source := eventlog.SourceID{TopicID: w.ids["raw.replay"]}
	l := w.readLog()
	w.sent[source] = 8 // but for the last
	l.until("what was replayed", l.all)
	l.until("a promise by the time of the replay", func() bool { return l.parts[0].promise[source] >= sent.UnixMilli() })
	eventually(t, "all offsets are committed", func() (bool, string) {
		at, err := w.adm.FetchOffsets(t.Context(), RawGroup("c", event.TopicReplay))
		o, _ := at.Lookup("raw.replay", 0)
		return err == nil && o.At == int64(len(records)), fmt.Sprint(o.At, err)
	})
	got := replayedEntries(t, l.values)
	if want := fmt.Sprintf("raw.viewer/2@1234 bad_enum received %d", long); len(got) != 1 || got[0] != want {
		t.Errorf("in the log: %q, want %q", got, want)
	}
	if _, ok := gather(t, p.reg)["livemeter_collector_replayed_invalid_total"]; !ok {
		t.Error("no metric tells that one is still invalid")
	}
}

func replayedEntries(t *testing.T, values [][]byte) (out []string) {
	var b eventlog.Block
	for _, v := range values {
		if v[0] != eventlog.RecordBlock {
			continue
		}
		if err := eventlog.Decode(v, &b); err != nil {
			t.Fatal(err)
		}
		for _, e := range b.Entries {
			if e.OriginalIndex >= 0 {
				o := b.Originals[e.OriginalIndex]
				out = append(out, fmt.Sprintf("%s/%d@%d %s received %d", b.Strings[o.Topic], o.Source.Partition, o.Offset, o.Reason, e.Recv))
			}
		}
	}
	return out
}
