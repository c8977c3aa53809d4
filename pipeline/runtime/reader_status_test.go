package runtime

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// A reader at the end of its log is behind all the same while the receive times in it run faster than the clock.
func TestPursuit(t *testing.T) {
	start := time.UnixMilli(1_700_000_000_000)
	for _, c := range []struct {
		name  string
		speed float64 // receive time gained in a unit of clock
		want  bool
	}{{"catching up", 10, true}, {"live", 1, false}, {"a source that is late", 0.5, false}, {"quiet", 0, false}} {
		t.Run(c.name, func(t *testing.T) {
			var p pursuit
			recv := start.Add(-time.Hour)
			if !p.going(start, recv.UnixMilli()) {
				t.Error("at first sight of an old record it must be taken for a backlog")
			}
			got := false
			for at := time.Duration(0); at <= 5*time.Second; at += 50 * time.Millisecond {
				got = p.going(start.Add(at), recv.Add(time.Duration(c.speed*float64(at))).UnixMilli())
			}
			if got != c.want {
				t.Errorf("after 5 s: %v, want %v", got, c.want)
			}
		})
	}
}

// Records that are missing are told by /readyz where they do not come again within the time that an enricher takes.
func TestNotReadyWhereRecordsAreMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &Reader{log: zap.NewNop(), joined: true, cfg: ReaderConfig{Topic: "events.enriched"}}
		s := &slot{id: 3}
		s.status.phase.Store(running)
		s.status.hole.log = r.log
		r.slots = map[int32]*slot{3: s}
		p := &partition{s: s, r: r, next: 9}
		look := func(after time.Duration, waits, ready bool) {
			t.Helper()
			time.Sleep(after) // simulated
			p.stats.Waits = waits
			p.tellHole()
			if err := r.Ready(); (err == nil) != ready || err != nil && !strings.Contains(err.Error(), "partition 3 of events.enriched: records are missing") {
				t.Errorf("ready: %v", err)
			}
		}
		look(0, false, true)
		look(0, true, true)
		look(holePatience/2, true, true)
		look(holePatience, true, false)
		look(time.Second, false, true)
	})
}
