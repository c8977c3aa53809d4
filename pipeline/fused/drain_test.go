package fused

import (
	"fmt"
	"testing"
)

// All that changed leaves in the end without further input: a partition that is full takes none before it has.
func TestEverythingLeavesWithoutInput(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	for i := range 20 {
		p.line(fmt.Sprintf("enter u=u%d view=v%d room=r%d at=5 exp=x:A", i, i, i))
	}
	for range 60 { // two coarse turns at least
		p.flush(true)
	}
	if n := p.task.Stats().DirtyCells; n != 0 {
		t.Errorf("%d cells wait for input that may not come", n)
	}
}
