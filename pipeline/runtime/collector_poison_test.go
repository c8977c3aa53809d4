package runtime

import (
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/livemeter/livemeter/pipeline/collect"
	"github.com/livemeter/livemeter/pipeline/event"
)

// A record over which the collector panics is rejected as internal, with its bytes; all others count, once.
func TestCollectorIsolatesPoison(t *testing.T) {
	w := newCollectorWorld(t)
	decoded := func(r *collect.Record) bool {
		return r.Topic == event.TopicViewer && r.Partition == 1 && r.Offset == 40
	}
	packed := func(r *collect.Record) bool {
		return r.Topic == event.TopicViewer && r.Partition == 2 && (r.Offset == 30 || r.Offset == 70)
	}
	panics := func(over func(*collect.Record) bool) func(*collect.Record) {
		return func(r *collect.Record) {
			if over(r) {
				panic("poison")
			}
		}
	}
	cfg := w.config()
	cfg.Fault, cfg.FaultPacked = panics(decoded), panics(packed)
	w.send(600)
	w.start(cfg)
	l := w.readLog()
	l.until("all records", l.all)
	l.check()
	ends, err := w.adm.ListEndOffsets(t.Context(), TopicRejected)
	if err != nil {
		t.Fatal(err)
	}
	letters := 0 // a session that begins again sends some again
	ends.Each(func(o kadm.ListedOffset) { letters += int(o.Offset) })
	var places []string
	for _, r := range w.rejected(letters) {
		h := map[string]string{}
		for _, x := range r.Headers {
			h[x.Key] = string(x.Value)
		}
		if h["reason"] == "internal" {
			places = append(places, h["source_topic"]+"/"+h["source_partition"]+"/"+h["source_offset"])
			if !strings.HasPrefix(string(r.Value), "{") {
				t.Errorf("its bytes: %q", r.Value)
			}
		}
	}
	slices.Sort(places)
	if want := []string{"raw.viewer/1/40", "raw.viewer/2/30", "raw.viewer/2/70"}; !slices.Equal(slices.Compact(places), want) {
		t.Errorf("internal: %v, want %v", places, want)
	}
}
