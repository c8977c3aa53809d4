package fused

import (
	"strings"
	"testing"
)

// An hour's updated_at is the same as the sum of its minutes and as a row of its own: not that of what only lit a pane of a minute.
func TestUpdatedStaysWhenAnHourIsTold(t *testing.T) {
	for name, script := range map[string]string{
		"lit":       "enter at=3500 view=a u=u1;heartbeat at=3510 view=a u=u1 watch=1;heartbeat at=3700 view=b u=u2 watch=1;heartbeat at=3595 recv=3900 view=a u=u1 watch=1;wm 4000",
		"threshold": "enter at=3500 view=a u=u1;wm 3605;heartbeat at=3630 view=a u=u1 watch=11;wm 3640", // reopens the minute of the enter
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayer(t, NewRun(0, nil))
			p.store.times = true
			hour := func() string {
				for l := range strings.Lines(p.store.text()) {
					if strings.HasPrefix(l, "room_measures 1h 24 12:") {
						return strings.Fields(l[strings.Index(l, "updated="):])[0]
					}
				}
				return ""
			}
			for l := range strings.SplitSeq(script, ";") {
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
			if after := hour(); after == "" || after != before {
				t.Errorf("%q, then %q though nothing came", before, after)
			}
		})
	}
}
