package fused

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// When a live session's partials had events is a function of the log, whenever rows leave and however often the task starts again.
func TestSessionRuns(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		want   []string // run and state by generation
	}{
		"one run": {"enter at=0\nwm 10\nheartbeat at=100 watch=1\nwm 4000", []string{"1…3700000 late 0 final closed"}},
		"resumed after an hour of silence": {"enter at=0\nwm 5\nwm 4000\nheartbeat at=4100 watch=1\nwm 4200",
			[]string{"1…3600000 late 0 final closed", "4000000…7700000 late 0 provisional"}},
		"late after the end, at once final": {"enter at=0\nwm 5\nwm 4000\nheartbeat at=10 recv=4100 watch=1\nwm 4200",
			[]string{"1…3600000 late 0 final closed", "4000000…3610000 late 4000000 final late"}},
		"late while it goes on": {"enter at=0\nwm 3000\nheartbeat at=3000 watch=1\nwm 5000\nheartbeat at=100 recv=5000 watch=1\nwm 5500",
			[]string{"1…6600000 late 5000000 provisional late"}},
		"late in a fresh run, before the fold": {"wm 8000\nheartbeat at=8000 watch=1\nwm 8100\nheartbeat at=10 recv=8200 watch=1\nwm 8300",
			[]string{"8000000…11600000 late 8100000 provisional late"}},
	} {
		for _, flush := range []int{1, 1000} {
			for _, restart := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/flush=%d/restart=%v", name, flush, restart), func(t *testing.T) {
					if d := cmp.Diff(c.want, sessionRuns(t, c.script, flush, restart)); d != "" {
						t.Errorf("runs (-want +got):\n%s", d)
					}
				})
			}
		}
	}
}

func sessionRuns(t *testing.T, script string, flush int, restart bool) []string {
	p := newPlayer(t, NewRun(0, nil))
	rows := map[uint64]string{}
	read := func() {
		var b rollup.Batch
		token := p.task.Flush(&b, false)
		for _, c := range b.Cells {
			for i, g := range c.Grain {
				if c.Cube == measure.Room && measure.Grain(g) == measure.GrainSession {
					rows[c.Gen[i]] = runText(c.Runs[i], c.State[i])
				}
			}
		}
		p.task.Ack(token)
	}
	for i, line := range strings.Split(script, "\n") {
		p.line(line)
		if i%flush == 0 {
			read()
		}
		if restart {
			p.restart()
		}
	}
	for range 5 {
		read()
	}
	var out []string
	for _, gen := range slices.Sorted(maps.Keys(rows)) {
		out = append(out, rows[gen])
	}
	return out
}

func runText(run []int64, state uint8) string {
	at := func(ms int64) int64 { return max(1, ms-golden0) }
	late := int64(0)
	if run[2] != 0 {
		late = at(run[2])
	}
	s := fmt.Sprintf("%d…%d late %d", at(run[0]), at(run[1]), late)
	if state&rollup.Final != 0 {
		s += " final"
	} else {
		s += " provisional"
	}
	if state&rollup.Late != 0 {
		s += " late"
	}
	if state&rollup.Closed != 0 {
		s += " closed"
	}
	return s
}
