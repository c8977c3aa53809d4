package fused

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A wider horizon in the middle of a log: what is remembered must not depend on when checkpoints came (sweep runs in Snapshot).
func TestHorizonRaisedDoesNotDependOnCheckpoints(t *testing.T) {
	for name, script := range map[string]string{
		"view":  "enter at=0 view=a u=u1;wm 7h;CP;set horizon=720h;heartbeat at=7h view=a u=u1 watch=20",
		"scope": "enter at=0 view=a u=u1;wm 9d;CP;set horizon=720h;heartbeat at=9d view=b u=u1 watch=20",
		"touch": "enter at=0 view=a u=u1 click=k1 room=r9;wm 38d;CP;set horizon=720h;order order=o1 state=paid v=1 paid=5 items=1:p:1:5 at=29d recv=38d u=u1 room=- click=k1",
	} {
		t.Run(name, func(t *testing.T) {
			play := func(saves int, restart bool) string {
				p := newPlayer(t, NewRun(0, nil))
				for l := range strings.SplitSeq(script, ";") {
					if l == "CP" {
						for range saves {
							p.save()
						}
						if restart {
							p.restart()
						}
						continue
					}
					p.line(l)
				}
				p.line("wm 50d")
				for range 60 {
					p.flush(true)
				}
				return p.store.text()
			}
			never, often := play(0, false), play(70, false)
			if d := cmp.Diff(strings.Split(never, "\n"), strings.Split(often, "\n")); d != "" {
				t.Errorf("without and with checkpoints differ:\n%.1500s", d)
			}
			if d := cmp.Diff(strings.Split(never, "\n"), strings.Split(play(0, true), "\n")); d != "" {
				t.Errorf("without and with a restart differ:\n%.1500s", d)
			}
		})
	}
}

// One viewer, one room. After the horizon was widened, an old record of a viewer who was counted there is loaded:
// the window has one viewer, or says by beyond_horizon that its viewers can't be trusted. No checkpoint or restart is needed.
func TestWidenedHorizonCountsNobodyTwice(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	for _, l := range []string{"heartbeat at=0 view=a u=u1 watch=1", "wm 8h", "heartbeat at=8h view=a u=u1 watch=1", "set horizon=720h", "heartbeat at=1 recv=8h view=a u=u1 watch=1", "wm 20h"} {
		p.line(l)
	}
	for range 60 {
		p.flush(true)
	}
	text := p.store.text()
	if !strings.Contains(text, "room_measures 1h 24 12:00:00 r1 beyond_horizon=1 events=2 viewers=1") {
		t.Errorf("no hour of one viewer whose second event came beyond the horizon:\n%s", text)
	}
	for l := range strings.Lines(text) {
		if strings.Contains(l, "viewers=2") {
			t.Errorf("one viewer is two: %s", l)
		}
	}
}

// A longer dedupe horizon in the middle of a log: whatever checkpoints came, and whether a restart was before the change or after it.
func TestDedupeRaisedDoesNotDependOnCheckpoints(t *testing.T) {
	play := func(saves int, before, after bool) string {
		p := newPlayer(t, NewRun(0, nil))
		for _, l := range []string{"like at=0 id=a u=u1", "like at=0 id=c u=u2", "like at=5m id=d u=u2", "wm 5m"} {
			p.line(l)
		}
		if before || after { // u2 is saved with both ids, and remembers one later
			p.save()
		}
		p.line("wm 14m")
		for range saves {
			p.save()
		}
		if before {
			p.restart()
		}
		p.line("set dedupe=1h")
		if after {
			p.restart()
		}
		p.line("like at=14m id=a u=u1")
		p.line("like at=14m id=c u=u2")
		p.line("wm 9h")
		for range 60 {
			p.flush(true)
		}
		return p.store.text()
	}
	want := play(0, false, false)
	for name, got := range map[string]string{"many checkpoints": play(70, false, false), "a restart before": play(0, true, false), "a restart after": play(0, false, true)} {
		if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); d != "" {
			t.Errorf("%s differs:\n%.1500s", name, d)
		}
	}
}

// The hour in which the horizon ends keeps what was done in it before that: who comes again there, just within the horizon, is one viewer of the hour.
func TestHourInWhichTheHorizonEnds(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	for _, l := range []string{"heartbeat at=300 u=u1 watch=1", "wm 23400", "heartbeat at=23400 u=u1 watch=1", "heartbeat at=2400 u=u1 watch=1", "wm 40000"} {
		p.line(l)
	}
	for range 60 {
		p.flush(true)
	}
	p.store.show = []string{"room_measures 1h 24 12:00:00"}
	if got := p.store.text(); !strings.HasPrefix(got, "room_measures 1h 24 12:00:00 r1 events=2 viewers=1 ") {
		t.Errorf("%q, want two events of one viewer", got)
	}
}
