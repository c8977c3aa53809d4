package runtime

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// Where retention has taken the log's first records, the settings that come again tell its zone.
func TestZoneOfRepeatedSettings(t *testing.T) {
	w := newCollectorWorld(t)
	zone := func() string {
		t.Helper()
		zone, err := LogZone(t.Context(), w.cluster.ListenAddrs(), nil, TopicEvents, "c")
		if err != nil {
			t.Fatal(err)
		}
		return zone
	}
	if got := zone(); got != "" {
		t.Errorf("an empty log has the zone %q", got)
	}
	settings := eventlog.AppendRepeated(nil, &eventlog.Settings{Partitions: collectorTestEvents, Zone: "Asia/Tokyo"})
	if err := w.cl.ProduceSync(t.Context(), &kgo.Record{Topic: TopicEvents, Value: settings}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if got := zone(); got != "Asia/Tokyo" {
		t.Errorf("zone %q, want that of the repeated settings", got)
	}
}
