package fused

import (
	"strings"
	"testing"
)

// An hour's updated_at is the same as the sum of its minutes and as a row of its own: not that of what only lit a pane of a minute.
func TestUpdatedStaysWhenAnHourIsTold(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	p.store.times = true
	hour := func() string {
		for l := range strings.Lines(p.store.text()) {
			if strings.HasPrefix(l, "room_measures 1h") && strings.Contains(l, " events=1 ") {
				return l[strings.Index(l, "updated="):]
			}
		}
		return ""
	}
	for _, l := range []string{"enter at=3500 view=a u=u1", "heartbeat at=3510 view=a u=u1 watch=1", "heartbeat at=3700 view=b u=u2 watch=1", "heartbeat at=3595 recv=3900 view=a u=u1 watch=1", "wm 4000"} {
		p.line(l)
	}
	for range 10 {
		p.flush(true)
	}
	before := hour()
	p.line("wm 7300")
	for range 10 {
		p.flush(true)
	}
	if after := hour(); strings.Fields(after)[0] != strings.Fields(before)[0] {
		t.Errorf("%q, then %q though nothing came", before, after)
	}
}
