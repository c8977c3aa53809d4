package fused

import (
	"strings"
	"testing"
)

// Kills the mutant minuteOf(max(recv, e.wm)) -> minuteOf(recv): the copy of an old record that comes late is a copy.
func TestCopyOfLateRecordIsDuplicate(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	for _, l := range []string{"show outcomes", "wm 5h", "like at=0 recv=0 id=a", "wm 5h", "like at=0 recv=1 id=a"} {
		p.line(l)
	}
	for range 30 {
		p.flush(true)
	}
	if got := p.store.text(); !strings.Contains(got, "duplicate records=1") {
		t.Error(got)
	}
}

// Kills the mutant of refundContributions that returns where there are no refunds, whatever was settled.
func TestSettledWithoutRefunds(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	p.line("order order=o1 state=settled v=1 at=0 u=u1 room=r1 paid=7")
	for range 30 {
		p.flush(true)
	}
	if got := p.store.text(); !strings.Contains(got, "settled_minor=7") {
		t.Error(got)
	}
}
