package fused

import (
	"fmt"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// Of more click touches than are kept the oldest goes.
func TestOldestTouchGoes(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	for i := range 102 {
		p.line(fmt.Sprintf("enter at=%d view=v%d room=r%d click=c%d", i, i, i, i))
	}
	for n, click := range []int{1, 2, 100} {
		p.line(fmt.Sprintf("order u=u1 order=o%d state=paid at=200 room=- click=c%d paid=1", n, click))
	}
	got := p.shown("orders")
	for _, want := range []string{"orders o0 paid v1 '' ", "orders o1 paid v1 r2 ", "orders o2 paid v1 r100 "} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// An order that changes while its row is on its way leaves again.
func TestOrderChangesWhileItsRowIsOnItsWay(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	p.line("order u=u1 order=o1 state=created v=1 at=0 goods=9")
	batches, tokens := make([]rollup.Batch, 5), make([]uint64, 5)
	for i := range batches { // whatever has its turn
		tokens[i], _ = p.task.Flush(&batches[i], false)
	}
	p.line("order u=u1 order=o1 state=paid v=2 at=1 paid=9 items=1:p:1:9")
	for i := range batches {
		p.store.write(&batches[i])
		p.task.Ack(tokens[i])
	}
	if got := p.shown("orders"); !strings.Contains(got, "orders o1 paid v2") {
		t.Errorf("%s", got)
	}
}
