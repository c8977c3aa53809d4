package fused

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// When a live session's hours had events is a function of the log, whenever rows leave and however often the task starts again.
func TestSessionRuns(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		want   []string // run and state by hour and generation
	}{
		"one run": {"enter at=0\nwm 10\nheartbeat at=100 watch=1\nwm 4000", []string{"0h 1…3700000 late 0 closed"}},
		"resumed after an hour of silence": {"enter at=0\nwm 5\nwm 4000\nheartbeat at=4100 watch=1\nwm 20000",
			[]string{"0h 1…3600000 late 0 closed", "1h 4000000…7700000 late 0 closed"}},
		"late after the end": {"enter at=0\nwm 5\nwm 4000\nheartbeat at=10 recv=4100 watch=1\nwm 20000",
			[]string{"0h 1…3600000 late 0 closed", "0h 4000000…3610000 late 4000000, after its hour closed"}},
		"late while it goes on": {"enter at=0\nwm 3000\nheartbeat at=3000 watch=1\nwm 5000\nheartbeat at=100 recv=5000 watch=1\nwm 20000",
			[]string{"0h 1…6600000 late 0 closed", "0h 5000000…3700000 late 5000000, after its hour closed"}},
		"late in a fresh run": {"wm 8000\nheartbeat at=8000 watch=1\nwm 8100\nheartbeat at=10 recv=8200 watch=1\nwm 20000",
			[]string{"0h 8100000…3610000 late 8100000, after its hour closed", "2h 8000000…11600000 late 0 closed"}},
		"late in a fresh run's hour, before the fold": {"wm 3620\nheartbeat at=3595 recv=3620 watch=1\nwm 3655\nheartbeat at=10 recv=3655 watch=1\nwm 20000",
			[]string{"0h 3620000…7195000 late 3655000 closed"}},
		"a late minute closes before the one that began the run": {"wm 5\nenter at=570\nwm 575\nheartbeat at=530 recv=575 watch=1\nwm 20000",
			[]string{"0h 5000…4170000 late 0 closed"}},
	} {
		for _, flush := range []int{1, 1000} {
			for _, restart := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/flush=%d/restart=%v", name, flush, restart), func(t *testing.T) {
					if d := gocmp.Diff(c.want, sessionRuns(t, c.script, flush, restart)); d != "" {
						t.Errorf("runs (-want +got):\n%s", d)
					}
				})
			}
		}
	}
}

func sessionRuns(t *testing.T, script string, flush int, restart bool) []string {
	p := newPlayer(t, NewRun(0, nil))
	type partial struct {
		window int64
		gen    uint64
	}
	rows := map[partial]string{}
	read := func() {
		var b rollup.Batch
		token, _ := p.task.Flush(&b, false)
		for _, c := range b.Cells {
			for i, g := range c.Grain {
				if c.Cube == measure.Room && measure.Grain(g) == measure.Grain1h && i < len(c.Runs) && c.Runs[i][0] != 0 {
					rows[partial{c.Window[i], c.Gen[i]}] = fmt.Sprintf("%dh %s", (c.Window[i]-golden0)/3600_000, runText(c.Runs[i], c.State[i]))
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
	for _, k := range slices.SortedFunc(maps.Keys(rows), func(a, b partial) int {
		return cmp.Or(cmp.Compare(a.window, b.window), cmp.Compare(a.gen, b.gen))
	}) {
		out = append(out, rows[k])
	}
	return out
}

func runText(run rollup.Run, state uint8) string {
	at := func(ms int64) int64 { return max(1, ms-golden0) }
	late := int64(0)
	if run[2] != 0 {
		late = at(run[2])
	}
	s := fmt.Sprintf("%d…%d late %d", at(run[0]), at(run[1]), late)
	if state&rollup.Late != 0 {
		s += ", after its hour"
	}
	if state&rollup.Closed != 0 {
		s += " closed"
	}
	return s
}
