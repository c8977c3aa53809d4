package fused

import (
	"testing"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// An hour that nothing but online touches, beyond the minutes' retention, has no row.
func TestNoEmptyHour(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	p.line("set horizon=720h ttl=1,1,0,0,0")
	p.line("wm 5d")
	p.line("enter at=3595 recv=5d view=a u=u1 room=r1") // 12:59:55; online till 13:00:20
	p.line("wm 6d")
	rows := 0
	for range 60 {
		var b rollup.Batch
		token, _ := p.task.Flush(&b, false)
		for _, c := range b.Cells {
			for i := range c.Grain {
				rows++
				sum := int64(0)
				for k := range c.Values {
					v := c.Value(k, i)
					sum |= v
				}
				if sum == 0 {
					t.Errorf("cube %d grain %d window +%d s: a row of zeros, updated %d, state %d", c.Cube, c.Grain[i], (c.Window[i]-golden0)/1000, c.Updated[i], c.State[i])
				}
			}
		}
		p.task.Ack(token)
	}
	if rows == 0 {
		t.Error("the hour that the viewer entered in has no row either")
	}
}
