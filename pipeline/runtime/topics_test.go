package runtime

import (
	"strings"
	"testing"

	"github.com/livemeter/livemeter/pipeline/event"
)

func TestEnsureTopics(t *testing.T) {
	w := newCollectorWorld(t)
	if err := EnsureTopics(t.Context(), w.adm, w.topics()); err != nil {
		t.Fatalf("the second time: %v", err)
	}
	found, err := w.adm.ListTopics(t.Context(), "raw.viewer", TopicEvents, ChangelogRun, "dim.fx")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"raw.viewer": collectorTestRaw, TopicEvents: collectorTestEvents, ChangelogRun: collectorTestEvents, "dim.fx": 1} {
		if got := len(found[name].Partitions); got != want {
			t.Errorf("%s has %d partitions, want %d", name, got, want)
		}
	}
	spec := w.topics()
	spec.EventsPartitions, spec.RawCreateTime, spec.Log = 8, false, w.log
	if _, err := w.adm.AlterTopicConfigsState(t.Context(), collectorAlter("cleanup.policy", "delete"), "dim.fx"); err != nil {
		t.Fatal(err)
	}
	err = EnsureTopics(t.Context(), w.adm, spec)
	for _, want := range []string{"topic events has 4 partitions, wanted 8", "topic state.run has 4", "topic dim.fx has cleanup.policy=delete, wanted compact", "--add-config cleanup.policy=compact"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	if told := w.logs.FilterMessageSnippet("LogAppendTime").All(); len(told) != 1 || len(told[0].ContextMap()["topics"].([]any)) != int(event.NumTopics) {
		t.Errorf("want one warning with all raw topics, which trust the producer's clock: %v", told)
	}
}
