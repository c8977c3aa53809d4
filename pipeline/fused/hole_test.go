package fused

import (
	"bytes"
	"slices"
	"testing"

	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// A record that was refused takes some of those behind it with it, and not all: what slipped past is not taken, and all is there when the enricher, restored
// from its checkpoint, has sent it again.
func TestAggregatorTakesNothingBehindAHole(t *testing.T) {
	var sent emitted
	p := newPlayer(t, NewEnricher(0, &sent))
	for _, at := range []string{"1", "2", "3", "4", "5", "6"} {
		p.line("enter at=" + at + " u=u" + at)
	}
	full, holed := NewAggregator(0, nil).(*Task), NewAggregator(0, nil).(*Task)
	at, log := int64(0), map[string][]byte{}
	apply := func(task *Task, i int) {
		if err := task.Apply(at, sent[i]); err != nil {
			t.Fatal(err)
		}
		at++
	}
	n := len(sent)
	for i := range n {
		apply(full, i)
	}
	for i := range n - 3 {
		apply(holed, i)
	}
	holed = restored(t, holed, log)
	apply(holed, n-1) // the two before it failed, it slipped past
	if !holed.Stats().Waits {
		t.Error("nothing says that records are missing")
	}
	if holed = restored(t, holed, log); holed.next != at-1 {
		t.Errorf("a restart goes on at %d and would forget that records are missing before %d", holed.next, at-1)
	}
	for i := n - 3; i < n; i++ { // sent again from the checkpoint
		apply(holed, i)
	}
	if holed.Stats().Waits {
		t.Error("the records are there, and are said to be missing")
	}
	if a, b := viewsOf(full), viewsOf(holed); a != b {
		t.Errorf("%d views, and %d behind the hole, after all was sent again", a, b)
	}
}

// A hole of one record is one.
func TestAHoleOfOneRecord(t *testing.T) {
	var sent emitted
	p := newPlayer(t, NewEnricher(0, &sent))
	for _, at := range []string{"1", "2", "3"} {
		p.line("enter at=" + at + " u=u" + at)
	}
	full, holed, n := NewAggregator(0, nil).(*Task), NewAggregator(0, nil).(*Task), len(sent)
	if err := applyAll(full, 0, sent); err != nil {
		t.Fatal(err)
	}
	if err := applyAll(holed, 0, append(slices.Clone(sent[:n-2]), sent[n-1])); err != nil {
		t.Fatal(err)
	}
	if !holed.Stats().Waits {
		t.Error("nothing says that a record is missing")
	}
	if err := applyAll(holed, int64(n-1), append(slices.Clone(sent[:n-1]), sent[n-2:]...)); err != nil { // the two are sent again
		t.Fatal(err)
	}
	if a, b := viewsOf(full), viewsOf(holed); a != b {
		t.Errorf("%d views, and %d behind the hole, after all was sent again", a, b)
	}
}

// A record whose chunks have a hole is given up: all of it comes again.
func TestChunksWithAHole(t *testing.T) {
	p, value := enrichedChunks{limit: 10}, []byte("what one record of the log changes")
	var chunks [][]byte
	for range 2 {
		p.cut(7, value, func(chunk []byte) { chunks = append(chunks, chunk) })
	}
	n := len(chunks) / 2
	var got []byte
	for at, i := range append([]int{0, 2}, sequence(n, 2*n)...) {
		whole, hole, err := p.join(int64(at), chunks[i], func(int64) bool { return false })
		if err != nil {
			t.Fatal(err)
		}
		if hole != (i == 2) {
			t.Errorf("chunk %d shows a hole: %v", i, hole)
		}
		if whole != nil {
			got = whole
		}
	}
	if string(got) != string(value) || len(p.parts) != 0 {
		t.Errorf("%q, and %d records wait", got, len(p.parts))
	}
}

func sequence(from, to int) (out []int) {
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// restored is the task as its changelog gives it back.
func restored(t *testing.T, task *Task, log map[string][]byte) *Task {
	t.Helper()
	return restoredAs(t, NewAggregator(0, nil).(*Task), task, log)
}

func restoredAs(t *testing.T, out, task *Task, log map[string][]byte) *Task {
	t.Helper()
	task.Snapshot()
	for more := true; more; {
		more = task.Save(func(k, v []byte) { log[string(k)] = bytes.Clone(v) })
	}
	for k, v := range log {
		if v == nil {
			continue
		}
		if err := out.Restore([]byte(k), v); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := out.RestoreDone(); err != nil {
		t.Fatal(err)
	}
	return out
}

// viewsOf adds up a measure over the rows of rooms' minutes.
func viewsOf(task *Task) (n int64) {
	task.Last()
	var b rollup.Batch
	task.Flush(&b, false)
	for _, c := range b.Cells {
		if c.Cube != measure.Room {
			continue
		}
		for i, col := range measure.RowColumns[measure.Room] {
			if col.Name != "views" {
				continue
			}
			for k, v := range c.Values[i] {
				if measure.Grain(c.Grain[k]) == measure.Grain1m {
					n += v
				}
			}
		}
	}
	return n
}

// A log whose beginning is gone is one after a restart, too: what stands before its first settings and sources counts in neither case.
func TestTrimmedLogStaysTrimmed(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	p.line("enter at=0")
	block, settings := bytes.Clone(p.block), eventlog.AppendSettings(nil, &p.settings)
	for name, c := range map[string]struct {
		first int64
		want  uint64
	}{"whole": {0, 1}, "trimmed": {7, 0}} {
		for _, restart := range []bool{false, true} {
			task := NewRun(0, nil).(*Task)
			if err := task.Apply(c.first, settings); err != nil {
				t.Fatal(err)
			}
			if restart {
				task = restoredAs(t, NewRun(0, nil).(*Task), task, map[string][]byte{})
			}
			if err := task.Apply(c.first+1, block); err != nil {
				t.Fatal(err)
			}
			if got := task.Stats().Accepted; got != c.want {
				t.Errorf("%s log, restart %v: %d events count, want %d", name, restart, got, c.want)
			}
		}
	}
}
