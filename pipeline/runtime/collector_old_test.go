package runtime

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// A producer whose timestamps are seconds is told of: its records count, in 1970, of which nothing is kept.
func TestCollectorTellsOfWhatNobodyWillSee(t *testing.T) {
	w := newCollectorWorld(t)
	cfg := w.config()
	for g := range cfg.Settings.TTLDays {
		cfg.Settings.TTLDays[g] = uint16(1 + g)
	}
	p, l := w.start(cfg), w.readLog()
	now := time.Now()
	kept := now.Add(-4*24*time.Hour - 23*time.Hour) // of five days
	for i, at := range []time.Time{time.UnixMilli(now.Unix()), kept, now, time.UnixMilli(now.Unix() + 1)} {
		r := &kgo.Record{Topic: "raw.viewer", Partition: 0, Value: []byte(w.record(event.TopicViewer, i)), Timestamp: at}
		if err := w.cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	id := eventlog.SourceID{TopicID: w.ids["raw.viewer"], Partition: 0}
	l.until("all four", func() bool { return len(l.seen[id]) == 4 })
	if got := gather(t, p.reg)["livemeter_collector_past_ttl_records_total"]; got != 2 {
		t.Errorf("%v records past their TTL, want 2", got)
	}
	if told := w.logs.FilterMessageSnippet("timestamp in milliseconds?").All(); len(told) != 1 || told[0].ContextMap()["offset"] != int64(0) {
		t.Errorf("told %v", told)
	}
	p.stop()
	cfg.Settings.TTLDays[2] = 0
	if s := (&collectorSession{cfg: &cfg}); s.keptFrom() > 0 {
		t.Errorf("kept from %d where hours are kept for ever", s.keptFrom())
	}
}
