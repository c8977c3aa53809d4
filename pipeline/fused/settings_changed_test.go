package fused

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const flushes = "flush\nflush\nflush\nflush\nflush\n"

// What was final is corrected by what comes, whatever lateness and gap are told meanwhile, and nothing is provisional again.
func TestFinalStaysFinalWhateverTheSettings(t *testing.T) {
	for name, in := range map[string]string{
		"raised":                  "set lateness=60\nheartbeat at=10 view=a u=u1 watch=1\nwm 130\nflush\nflush\nflush\nflush\nflush\nset lateness=1h\nheartbeat at=15 recv=131 view=a u=u1 watch=1\nwm 132\nflush\nflush\nflush\nflush\nflush\nset lateness=60\nwm 133\nflush\nflush\nflush\nflush\nflush\nwm 20000",
		"alternating":             "set lateness=60\nheartbeat at=10 view=a u=u1 watch=1\nwm 130\nflush\nflush\nflush\nflush\nflush\nset lateness=1h\nheartbeat at=15 recv=131 view=a u=u1 watch=1\nset lateness=60\nwm 133\nflush\nflush\nflush\nflush\nflush\nwm 20000",
		"raised hour":             "set lateness=60\nheartbeat at=10 view=a u=u1 watch=1\nwm 3670\nflush\nflush\nflush\nflush\nflush\nset lateness=1h\nheartbeat at=15 recv=3671 view=a u=u1 watch=1\nwm 3672\nflush\nflush\nflush\nflush\nflush\nwm 20000",
		"raised before a restart": "set lateness=60\nheartbeat at=10 view=a u=u1 watch=1\nwm 130\nflush\nflush\nflush\nflush\nflush\nset lateness=1h\nrestart\nwm 132\nflush\nflush\nflush\nflush\nflush\nwm 20000",
		"lowered":                 "set lateness=1h\nheartbeat at=10 view=a u=u1 watch=1\nwm 130\nset lateness=60\nflush\nflush\nflush\nflush\nflush\nheartbeat at=15 recv=131 view=a u=u1 watch=1\nwm 132\nflush\nflush\nflush\nflush\nflush\nwm 20000",
		"raised after a crash": "heartbeat at=100 view=a u=u1 watch=1\nwm 120\n" + flushes + "save\nwm 200\n" + flushes + "crash and flush\nset lateness=600\nwm 201\n" + flushes +
			"heartbeat at=105 recv=202 view=a u=u1 watch=1\nwm 203\n" + flushes + "wm 20000",
		"an hour raised after a crash": "heartbeat at=100 view=a u=u1 watch=1\nwm 3500\n" + flushes + "save\nwm 3665\n" + flushes + "crash and flush\nset lateness=1h\nwm 3666\n" + flushes +
			"heartbeat at=105 recv=3667 view=a u=u1 watch=1\nwm 3668\n" + flushes + "wm 20000",
		"lowered while the watermark stands": "set lateness=180\nproduct_click sku=p at=555 recv=600\nwm 600\n" + strings.Repeat("flush\n", 34) + "product_click sku=p at=555 recv=600\nset lateness=10\n" + flushes + flushes,
		"gap":                                "set gap=1h\nheartbeat at=10 view=a u=u1 watch=1\nset gap=10\nwm 130\nflush\nflush\nflush\nflush\nflush\nheartbeat at=135 recv=135 view=a u=u1 watch=1\nwm 160\nflush\nflush\nflush\nflush\nflush\nset gap=1h\nheartbeat at=161 recv=161 view=a u=u1 watch=1\nwm 20000",
	} {
		for _, behind := range []bool{false, true} {
			t.Run(name, func(t *testing.T) { keepsPromise(t, startPlayer(t, "run"), in, behind, 1000) })
		}
	}
}

// A lateness counts in whole seconds, like the times at which windows close: an hour is not final before it is told.
func TestFinalStaysFinalWithAFractionOfASecond(t *testing.T) {
	keepsPromise(t, startPlayerWith(t, "run", 1500), "heartbeat at=10 view=a u=u1 watch=1\nwm 3601.5\n"+flushes+flushes+"heartbeat at=15 recv=3601.6 view=a u=u1 watch=1\n"+flushes+flushes+"wm 3602\n"+flushes, false, 1000)
}

// A lateness is lowered while the row of an hour waits that is final by it, and not by the former.
func TestLoweredLatenessWhileAnHourWaits(t *testing.T) {
	for _, lateness := range []int{0, 1, 10, 50, 60, 70} {
		for _, first := range []bool{true, false} {
			t.Run(fmt.Sprint(lateness, first), func(t *testing.T) {
				begin, then := fmt.Sprintf("set lateness=%d\n", lateness), ""
				if !first {
					begin, then = then, begin
				}
				keepsPromise(t, startPlayer(t, "run"), begin+`enter origin=feed/c1 exp=x:A at=3370 recv=3500 view=v u=u1 room=r0
enter origin=feed/c1 exp=x:A at=4200 recv=4200 view=v u=u1 room=r1
wm 4370
behind
`+then+`enter origin=feed/c1 exp=x:A at=7943 recv=7943 view=v u=u1 room=r0
wm 8704
product_click sku=p at=0 recv=8705 view=v u=u2 room=r0
behind
heartbeat watch=1 exp=x:A at=9856 recv=9856 view=v u=u1 room=r1
`, false, 1000)
			})
		}
	}
}

// Like TestFinalStaysFinalOfAnyScript, with a lateness that changes.
func TestFinalStaysFinalWhateverTheLateness(outer *testing.T) {
	rapid.Check(outer, func(t *rapid.T) {
		at, wm := int64(0), int64(0)
		lines := []string{fmt.Sprintf("set cells=%d", rapid.SampledFrom([]int{1 << 20, 1 << 20, 4, 1}).Draw(t, "cells"))}
		for range rapid.IntRange(1, 40).Draw(t, "lines") {
			switch rapid.IntRange(0, 11).Draw(t, "kind") {
			case 0, 1, 2, 3:
				at += rapid.SampledFrom([]int64{0, 1, 9, 50, 700, 3500, 3600, 9000}).Draw(t, "step")
				late := min(at, rapid.SampledFrom([]int64{0, 0, 0, 5, 60, 130, 3700, 20_000}).Draw(t, "late"))
				if hour := wm - wm%3600; at-late < hour && at-late >= hour-3600 {
					late = 0 // a known limit: see DESIGN.md, a session's run of an hour
				}
				wm = max(wm, at)
				what := rapid.SampledFrom([]string{"enter origin=feed/c1 exp=x:A", "heartbeat watch=1 exp=x:A", "product_click sku=p", "gift gift=5 cur=CNY"}).Draw(t, "event")
				lines = append(lines, fmt.Sprintf("%s at=%d recv=%d view=v u=u%d room=r%d", what, at-late, at, rapid.IntRange(0, 2).Draw(t, "viewer"), rapid.IntRange(0, 1).Draw(t, "room")))
			case 4, 5:
				at += rapid.SampledFrom([]int64{0, 1, 59, 61, 119, 400, 3599, 3661}).Draw(t, "silence")
				wm = max(wm, at)
				lines = append(lines, fmt.Sprintf("wm %d", wm))
			case 6, 7:
				lines = append(lines, fmt.Sprintf("set lateness=%d", rapid.SampledFrom([]int{0, 10, 60, 180, 1800, 4000}).Draw(t, "lateness")))
			default:
				lines = append(lines, rapid.SampledFrom([]string{"flush", "flush", "behind", "behind", "fail", "unacked", "restart", "save", "crash", "crash and flush", "last"}).Draw(t, "flush"))
			}
		}
		begin := rapid.SampledFrom([]int64{0, 1500, 10_000, 60_000}).Draw(t, "begin")
		keepsPromise(t, startPlayerWith(outer, rapid.SampledFrom([]string{"run", "pieces"}).Draw(t, "how"), begin), strings.Join(lines, "\n"), false, 1000)
	})
}
