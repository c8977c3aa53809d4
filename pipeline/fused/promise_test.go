package fused

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// A window that the store has shown as final stays as it is, or becomes corrected: at no flush may a watermark run ahead of the rows that it
// speaks for. Whole-view measures may move on; events may not.
func TestFinalStaysFinal(t *testing.T) {
	scripts := map[string]string{}
	for f, g := range goldens(t) {
		scripts[filepath.Base(f)] = g.in
	}
	for name, in := range promises {
		scripts[name] = in
	}
	for name, in := range scripts {
		for _, behind := range []bool{false, true} {
			for _, flush := range []int{1, 3, 1000} {
				for _, how := range []string{"run", "pieces"} {
					t.Run(fmt.Sprintf("%s/%s/behind=%v/flush=%d", name, how, behind, flush), func(t *testing.T) {
						keepsPromise(t, startPlayer(t, how), in, behind, flush)
					})
				}
			}
		}
	}
}

// promises are scripts in which a row is held back when its window becomes final.
var promises = map[string]string{
	"session goes on in the next hour": "enter at=3590 view=a u=u1\nwm 3600\nheartbeat at=3610 view=a u=u1 watch=1\nwm 7000\nwm 7199\nwm 7255\nwm 7300\nwm 11000\nwm 20000",
	// 12:00 in Shanghai is 12 h before the day ends
	"late in the day":        "enter at=9h view=a u=u1\nwm 9h+10\nwm 12h-10\nheartbeat at=9h+5 recv=12h-10 view=a u=u1 watch=1\nwm 12h+121\nwm 12h+130\nwm 12h+600\nwm 12h+1200",
	"a restart while behind": "heartbeat at=0 watch=1\nwm 125\nflush\nflush\nflush\nflush\nflush\nrestart\nbehind",
	// The second generation waits for the first, which closed early, and is final before either has left.
	"an answer is lost":                         "heartbeat at=100 watch=1\nwm 185\nflush\nflush\nflush\nflush\nunacked\nwm 186\nbehind",
	"a failure while behind":                    "heartbeat at=0 view=a u=u1 watch=1\nwm 3700\nbehind\nheartbeat at=3600 recv=3700 view=a u=u1 watch=1\nwm 7300\nbehind\nfail\nbehind",
	"a session goes on before its hour is told": "heartbeat at=5 watch=1\nwm 3606\nflush\nflush\nflush\nflush\nflush\nheartbeat at=3610 watch=1\nwm 3611\nflush\nflush\nflush\nflush\nflush",
	"an event ahead of the clock":               "heartbeat at=0 view=a u=u1 watch=1\nwm 3590\nheartbeat at=3680 recv=3595 view=a u=u1 watch=1\nwm 3605\nflush\nflush\nflush\nflush\nflush\nwm 3665\nflush\nflush\nflush\nflush\nflush",
	// The hour's second generation is final while the first, closed early, is still on its way: its own row, which its minutes stand for no more, waits.
	"an hour waits for one closed early": "set cells=4\nenter origin=feed/c1 exp=x:A at=0 recv=0 view=v u=u1 room=r0\nwm 0\nwm 0\nwm 0\nfail\nwm 1\nenter origin=feed/c1 exp=x:A at=0 recv=1 view=v u=u2 room=r0\ngift gift=5 cur=CNY at=5301 recv=9001 view=v u=u2 room=r1\nbehind\nrestart\nwm 9401\nheartbeat watch=1 exp=x:A at=9451 recv=9451 view=v u=u0 room=r1\nflush\nwm 9451\nenter origin=feed/c1 exp=x:A at=18391 recv=18451 view=v u=u0 room=r0\nsave\nlast\nheartbeat watch=1 exp=x:A at=19021 recv=19151 view=v u=u0 room=r1\nflush\nwm 19212\nwm 19212\nproduct_click sku=p at=24512 recv=28212 view=v u=u1 room=r1\nproduct_click sku=p at=31752 recv=31812 view=v u=u2 room=r1\nproduct_click sku=p at=40812 recv=40812 view=v u=u1 room=r1\nlast\nwm 40813\ngift gift=5 cur=CNY at=49683 recv=49813 view=v u=u1 room=r0\nenter origin=feed/c1 exp=x:A at=49822 recv=49822 view=v u=u1 room=r0\ngift gift=5 cur=CNY at=49822 recv=49822 view=v u=u0 room=r1\nfail\nenter origin=feed/c1 exp=x:A at=49831 recv=49831 view=v u=u2 room=r1\nwm 49832\nunacked\ngift gift=5 cur=CNY at=30532 recv=50532 view=v u=u1 room=r0\nunacked\nenter origin=feed/c1 exp=x:A at=50541 recv=50541 view=v u=u1 room=r0\nproduct_click sku=p at=50541 recv=50541 view=v u=u0 room=r1\nflush\nwm 54202\nbehind",
	"closed early and again":             "set cells=1\nheartbeat at=0 view=a u=u1 watch=1\nheartbeat at=10 view=a u=u1 watch=2\nwm 300\nflush\nwm 301\nflush",
}

// Any script, with failing flushes, restarts and a pace that changes. Where events come after their hour has ended, sessions are not looked at: see DESIGN.md's
// limits, a session's run of an hour.
func TestFinalStaysFinalOfAnyScript(outer *testing.T) {
	rapid.Check(outer, func(t *rapid.T) {
		at, wm := int64(0), int64(0)
		sessions := rapid.Bool().Draw(t, "sessions")
		draw := func(name string, low, high int64) int64 { return rapid.Int64Range(low, high).Draw(t, name) }
		lines := []string{fmt.Sprintf("set cells=%d", rapid.SampledFrom([]int{1 << 20, 1 << 20, 4, 1}).Draw(t, "cells"))}
		for range rapid.IntRange(1, 40).Draw(t, "lines") {
			switch rapid.IntRange(0, 9).Draw(t, "kind") {
			case 0, 1, 2, 3:
				at += rapid.SampledFrom([]int64{0, 1, 9, 50, 700, 3500, 3600, 9000}).Draw(t, "step")
				late := min(at, rapid.SampledFrom([]int64{0, 0, 0, 5, 60, 130, 3700, 20_000}).Draw(t, "late"))
				if sessions && at-late < wm-wm%3600 {
					late = 0
				}
				wm = max(wm, at) // what is received moves it, too
				what := rapid.SampledFrom([]string{"enter origin=feed/c1 exp=x:A", "heartbeat watch=1 exp=x:A", "product_click sku=p", "gift gift=5 cur=CNY"}).Draw(t, "event")
				lines = append(lines, fmt.Sprintf("%s at=%d recv=%d view=v u=u%d room=r%d", what, at-late, at, draw("viewer", 0, 2), draw("room", 0, 1)))
			case 4, 5:
				at += rapid.SampledFrom([]int64{0, 1, 59, 61, 119, 400, 3599, 3661}).Draw(t, "silence")
				wm = max(wm, at)
				lines = append(lines, fmt.Sprintf("wm %d", wm))
			default:
				lines = append(lines, rapid.SampledFrom([]string{"flush", "flush", "behind", "behind", "fail", "unacked", "restart", "save", "crash", "crash and flush", "last"}).Draw(t, "flush"))
			}
		}
		start := startPlayer(outer, rapid.SampledFrom([]string{"run", "pieces"}).Draw(t, "how"))
		keepsPromiseOf(t, start, strings.Join(lines, "\n"), false, 1000, func(key string) bool { return sessions || !strings.Contains(key, " session ") })
	})
}

// startPlayer begins with one of the tasks.
func startPlayer(t testing.TB, how string) func() *player { return startPlayerWith(t, how, 60_000) }

func startPlayerWith(t testing.TB, how string, lateness int64) func() *player {
	return func() *player {
		p := newPlayerWith(t, tasks[how](), lateness)
		p.start = tasks[how]
		return p
	}
}

// tb is what a *testing.T and a *rapid.T have in common here.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
}

func keepsPromise(t tb, start func() *player, script string, behind bool, flush int) {
	keepsPromiseOf(t, start, script, behind, flush, func(string) bool { return true })
}

// keepsPromiseOf looks at the rows of some keys.
func keepsPromiseOf(t tb, start func() *player, script string, behind bool, flush int, looks func(key string) bool) {
	p := start()
	p.store.months = true
	shown := map[string][2]string{}
	at := ""
	read := func(behind bool, how string) {
		var b rollup.Batch
		token, more := p.task.Flush(&b, behind)
		p.more = more
		if how != "fail" {
			p.store.write(&b)
		}
		switch how {
		case "fail":
			p.task.Nack(token)
			return
		case "unacked": // stored, but the answer is lost
			p.task.Nack(token)
		default:
			p.task.Ack(token)
		}
		show := p.store.show
		p.store.show = nil
		for line := range strings.Lines(p.store.text()) {
			key, events, status := shownLine(line)
			if status == "" || !looks(key) {
				continue
			}
			if was := shown[key]; was[1] == "final" && status != "corrected" && was != [2]string{events, status} {
				t.Errorf("after %q: %s was final with %q, and is %s with %q", at, key, was[0], status, events)
			}
			shown[key] = [2]string{events, status}
		}
		p.store.show = show
	}
	n := 0
	for line := range strings.Lines(script) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		at = fmt.Sprint(n, " ", line)
		n++
		switch line {
		case "flush", "behind", "fail", "unacked":
			read(behind || line == "behind", line)
			continue
		case "save":
			p.save()
			continue
		case "last":
			p.task.Last()
			continue
		case "restart":
			p.restart()
			continue
		case "crash": // back to what was saved last
			p.crash(func() {})
			continue
		case "crash and flush":
			p.crash(func() { read(behind, "flush") })
			continue
		}
		p.line(line)
		if n%flush == 0 {
			read(behind, "flush")
		}
	}
	for range 10 {
		read(false, "flush")
		for p.more {
			read(false, "flush")
		}
	}
}

// shownLine takes a line of the store's text apart: its key, its events and its status.
func shownLine(line string) (key, events, status string) {
	var words []string
	for _, w := range strings.Fields(line) {
		switch {
		case w == "final" || w == "provisional" || w == "corrected":
			status = w
		case strings.HasPrefix(w, "events="):
			events = w
		case !strings.Contains(w, "="):
			words = append(words, w)
		}
	}
	return strings.Join(words, " "), events, status
}
