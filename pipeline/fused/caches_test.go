package fused

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is remembered to save a look-up is forgotten, or named, when keys are swept: numbers are given to others all the time here.
func TestCachesAndSweeps(t *testing.T) {
	play := func(sweep bool) string {
		p := newPlayer(t, NewRun(0, nil))
		at := 0
		line := func(format string, args ...any) { p.line(fmt.Sprintf(format, args...)) }
		sweeps := func() {
			p.flush(true)
			if sweep {
				p.save()
				p.task.(*Task).sweepKeys()
			}
		}
		for i := range 120 {
			origin := ""
			if i%3 == 2 {
				origin = fmt.Sprintf("origin=f%d/c%d", i, i)
			}
			for k := range i * 5 % 13 {
				line("heartbeat at=%d recv=%[1]d id=e%d_%d view=w u=y%[2]d_%[3]d room=q%[2]d_%[3]d watch=1", at, i, k)
			}
			line("enter at=%d recv=%d id=a%d view=v%d u=u%d room=r%d exp=x%d:A%d,y:B %s click=k%d", at-i%2*8*3600+8*3600, at+8*3600, i, i, i, i, i, i, origin, i)
			line("wm %d", at+8*3600)
			line("heartbeat at=%d recv=%[1]d id=b%d view=v%d u=u%d room=r%d watch=50000", at+8*3600, i, i, i, i)
			line("order order=o%d state=paid v=1 paid=%d items=1:p%d:1:%[2]d goods=9 at=%d recv=%[4]d u=u%[1]d click=k%[1]d", i, i+1, i, at+8*3600)
			line("wm %d", at+9*3600)
			for range 5 {
				sweeps()
			}
			for k := range 3 { // others take what is free
				line("heartbeat at=%d recv=%[1]d id=c%d_%d view=w u=w%[2]d_%[3]d room=o%[2]d_%[3]d watch=1", at+9*3600, i, k)
			}
			line("heartbeat at=%d recv=%[1]d id=d%d view=v%d u=u%d room=r%d watch=50000", at+9*3600, i, i, i, i)
			line("order order=o%d state=refunded v=2 paid=%d refund=f:1:1 items=1:p%d:1:%[2]d goods=9 at=%d recv=%[4]d u=u%[1]d click=k%[1]d", i, i+1, i, at+9*3600)
			line("wm %d", at+10*3600)
			for range 5 {
				sweeps()
			}
			at += 9 * 86400
			line("wm %d", at)
			for range 70 { // of a snapshot that looks through a part of the viewers
				sweeps()
			}
		}
		for range 50 {
			p.flush(true)
		}
		return p.store.text()
	}
	if d := cmp.Diff(strings.Split(play(false), "\n"), strings.Split(play(true), "\n")); d != "" {
		t.Errorf("without and with sweeps differ:\n%.1500s", d)
	}
}
