package fused

import (
	"testing"

	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// A session gap that changes in the middle of a log: the session's status must not depend on which acknowledgements came before it.
func TestGapChangeDoesNotDependOnAcks(t *testing.T) {
	play := func(restart bool, gap int64) string {
		p := newPlayer(t, NewRun(0, nil))
		p.line("heartbeat at=0 watch=1")
		p.line("wm 3700")
		for range 30 {
			p.flush(!restart)
		}
		if restart {
			p.restart()
		}
		p.settings.SessionGapMS = gap
		p.apply(eventlog.AppendSettings(nil, &p.settings))
		for range 30 {
			p.flush(true)
		}
		p.line("heartbeat at=5000 watch=1")
		p.line("wm 30h")
		for range 60 {
			p.flush(true)
		}
		p.store.show = []string{"room_measures session"}
		return p.store.text()
	}
	for _, gap := range []int64{600_000, 2 * 3600_000} {
		if a, b := play(false, gap), play(true, gap); a != b {
			t.Errorf("gap %d s:\nacknowledged before: %snot: %s", gap/1000, a, b)
		}
	}
}
