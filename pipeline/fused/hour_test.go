package fused

import (
	"fmt"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// An hour that takes a minute in is saved, also where its row has left already and the minute's cell stands in another bucket of the checkpoint.
func TestHourIsSavedWithWhatItTookIn(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	p.line("heartbeat at=1 watch=1")
	p.others("2") // between the hour and its second minute
	p.line("heartbeat at=61 watch=2")
	p.line("wm 125") // the first minute is over, and with it all that would be saved beside the hour
	for range 10 {
		p.flush(true)
	}
	p.save()
	p.line("wm 200") // the second
	for range 10 {
		p.flush(true)
	}
	p.restart()
	p.line("heartbeat at=201 watch=4")
	for range 10 {
		p.flush(true)
	}
	p.store.show = []string{"room_measures 1h 24 12:00:00 r1"}
	if got := p.store.text(); !strings.Contains(got, " watch_ms=7 ") {
		t.Errorf("the hour is %q, want watch_ms=7", got)
	}
}

// A minute whose row left without the panes that are still to come leaves again with what comes meanwhile.
func TestRowDoesNotWaitForPanesAhead(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	for i, line := range []string{"enter at=1", "like at=2", "like at=3"} { // online reaches 30 s ahead
		p.line(line)
		var b rollup.Batch
		token, _ := p.task.Flush(&b, false)
		p.store.write(&b)
		p.task.Ack(token)
		rows := 0
		for _, c := range b.Cells {
			for k := range c.Grain {
				if c.Cube == measure.Room && measure.Grain(c.Grain[k]) == measure.Grain1m && c.Value(0, k) == int64(i+1) {
					rows++
				}
			}
		}
		if rows != 1 {
			t.Errorf("after %q the minute left %d times with %d in its first column, want once", line, rows, i+1)
		}
	}
}

// Panes that had not begun when their minute's row left follow by themselves once they begin, without an event and before the minute closes.
func TestPanesAheadFollow(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	p.line("enter at=1") // online until 30
	p.store.show = []string{"room_measures 10s 24 12:00:10", "room_measures 10s 24 12:00:20"}
	for i, wm := range []string{"wm 2", "wm 12", "wm 22"} {
		p.line(wm)
		for range 5 {
			p.flush(true)
		}
		if n := strings.Count(p.store.text(), "online=1"); n != i {
			t.Errorf("after %q %d panes are shown, want %d:\n%s", wm, n, i, p.store.text())
		}
	}
}

// All rooms' panes begin at the same moment. Rows that wait for that alone leave over the four seconds that follow: no flush has them all, and each has left
// before its pane is final, also where the clock jumps.
func TestPanesAheadAreSpread(t *testing.T) {
	for name, clock := range map[string][]string{"step by step": {"wm 10", "wm 11", "wm 12", "wm 13", "wm 14.096"}, "a jump": {"wm 10", "wm 80"}} {
		p := newPlayer(t, NewRun(0, nil))
		const rooms = 4000
		for i := range rooms {
			p.line(fmt.Sprintf("enter at=1 room=r%d view=v%[1]d u=u%[1]d", i)) // online until 30
		}
		p.flush(true)
		left := map[string]bool{}
		for _, wm := range clock {
			p.line(wm)
			var b rollup.Batch
			token, _ := p.task.Flush(&b, false)
			p.task.Ack(token)
			n := 0
			for _, c := range b.Cells {
				if c.Cube == measure.Room {
					n += len(c.Room)
					for _, room := range c.Room {
						left[room] = true
					}
				}
			}
			if n > rooms/2 && len(clock) > 2 {
				t.Errorf("%s, %s: %d of %d rooms' rows leave in one flush", name, wm, n, rooms)
			}
		}
		if len(left) != rooms {
			t.Errorf("%s: the rows of %d rooms have left, want %d", name, len(left), rooms)
		}
	}
}

// A minute with nothing but who is online has left before its first pane is told final, without any lateness.
func TestOnlineAloneLeavesBeforeItIsFinal(t *testing.T) {
	p := newPlayerWith(t, NewRun(0, nil), 0)
	const rooms = 4000
	for i := range rooms {
		p.line(fmt.Sprintf("enter at=45 room=r%d view=v%[1]d u=u%[1]d", i)) // online until 75
	}
	p.line("wm 46")
	p.flush(true)
	final := false
	left := map[string]bool{}
	for n := range 100 {
		if n%5 == 0 { // a watermark leaves with every fifth flush
			p.line(fmt.Sprintf("wm %d", 60+n/5*2))
		}
		var b rollup.Batch
		token, _ := p.task.Flush(&b, false)
		p.task.Ack(token)
		for _, c := range b.Cells {
			for i, room := range c.Room {
				if c.Cube == measure.Room && c.Window[i] == golden0+60_000 {
					left[room] = true
				}
			}
		}
		if len(b.Watermarks) > 0 && b.Watermarks[0].WM >= golden0+70_000 {
			final = true
			break
		}
	}
	if !final || len(left) != rooms {
		t.Errorf("the pane is final: %v, and the rows of %d rooms have left, want %d", final, len(left), rooms)
	}
}

// An hour that is over leaves at once, also while behind, though a minute of it is kept open for stragglers: its row holds the watermark back.
func TestHourLeavesThoughAMinuteStaysOpen(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	for _, line := range []string{"wm 3000", "heartbeat at=3480 watch=1", "wm 3605", "heartbeat at=3485 recv=3605 watch=1", "wm 3670"} {
		p.line(line)
	}
	var b rollup.Batch
	p.task.Flush(&b, true)
	hours := 0
	for _, c := range b.Cells {
		for _, g := range c.Grain {
			if measure.Grain(g) == measure.Grain1h {
				hours++
			}
		}
	}
	if hours != 1 || len(b.Watermarks) != 1 || b.Watermarks[0].WM < golden0+3600_000 {
		t.Errorf("%d hours leave, watermarks %v; want one, and a watermark of 3600 s or later", hours, b.Watermarks)
	}
}
