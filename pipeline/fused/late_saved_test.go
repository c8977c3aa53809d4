package fused

import (
	"strings"
	"testing"
)

// A late event makes its hour corrected, also where the hour's row has not left since a change before it, and the task is saved and restored.
func TestLateBitOfHourIsSaved(t *testing.T) {
	for _, restart := range []bool{false, true} {
		p := newPlayer(t, NewRun(0, nil))
		p.line("heartbeat at=3480 watch=1")
		p.others("3481") // between the hour and the minute's second generation
		p.line("wm 3605")
		p.line("heartbeat at=3485 recv=3605 watch=1") // late for the minute only
		p.line("wm 3670")                             // now the hour is final, and waits for the minute
		p.save()
		p.line("heartbeat at=3490 recv=3671 watch=1") // late for the hour
		if restart {
			p.restart()
		}
		p.line("wm 4000")
		for range 10 {
			p.flush(true)
		}
		p.store.show = []string{"room_measures 1h 24 12:00:00 r1"}
		if got := p.store.text(); !strings.Contains(got, "corrected") {
			t.Errorf("restart=%v: the hour is %q, want corrected", restart, got)
		}
	}
}
