package runtime

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A collector with another key, or another zone, writes nothing: neither when the log still has its first records nor when only the commits tell.
func TestCollectorRefusesAnotherKey(t *testing.T) {
	for name, trim := range map[string]bool{"the log tells": false, "the commits tell": true} {
		t.Run(name, func(t *testing.T) {
			w := newCollectorWorld(t)
			if trim { // without records there is no commit
				w.send(100)
			}
			first := w.start(w.config())
			if trim {
				l := w.readLog()
				l.until("the backlog", l.all)
			} else {
				w.waitForLog()
			}
			first.stop()
			if trim {
				w.trimLog()
			}
			before := w.logEnds()
			cfg := w.config()
			cfg.PseudonymKey = []byte("another-key-16-b")
			w.refused(cfg, "give this collector the key of the log")
			cfg = w.config()
			cfg.Settings.Zone = "Europe/Berlin"
			w.refused(cfg, "was begun with days of UTC")
			if after := w.logEnds(); after != before {
				t.Errorf("it wrote into the log: its ends were %d, are %d", before, after)
			}
			again := w.start(w.config()) // the right one goes on
			w.waitForLog()
			again.stop()
		})
	}
}

// refused runs a collector that ends with an error that says why.
func (w *collectorWorld) refused(cfg CollectorConfig, why string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	if err := RunCollector(ctx, cfg, w.log, prometheus.NewRegistry()); err == nil || !strings.Contains(err.Error(), why) {
		w.t.Fatalf("the collector ended with %v, want %q", err, why)
	}
}

// waitForLog returns once a collector has begun to write.
func (w *collectorWorld) waitForLog() {
	w.t.Helper()
	before := w.logEnds()
	again, limit := time.NewTicker(5*time.Millisecond), time.After(20*time.Second)
	defer again.Stop()
	for w.logEnds() == before {
		select {
		case <-again.C:
		case <-limit:
			w.t.Fatal("the collector writes nothing")
		}
	}
}

// logEnds is the sum of the end offsets of the log.
func (w *collectorWorld) logEnds() (sum int64) {
	w.t.Helper()
	for p := range int32(collectorTestEvents) {
		sum += w.cluster.PartitionInfo(TopicEvents, p).HighWatermark
	}
	return sum
}

// trimLog removes all records of the log, as retention does in time.
func (w *collectorWorld) trimLog() {
	w.t.Helper()
	ends, err := w.adm.ListEndOffsets(w.t.Context(), TopicEvents)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.adm.DeleteRecords(w.t.Context(), ends.Offsets()); err != nil {
		w.t.Fatal(err)
	}
}
