package fused

import (
	"bytes"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// A log whose beginning retention has taken counts from the first settings on that it still has, also when a restart comes between.
func TestLogWithoutItsBeginning(t *testing.T) {
	for name, start := range tasks {
		t.Run(name, func(t *testing.T) {
			p := newPlayer(t, start())
			p.start = start
			p.line("enter at=0 u=gone")
			p.task = start() // which reads from here on
			p.line("enter at=1 u=before")
			p.restart()
			p.line("enter at=2 u=before2")
			p.apply(eventlog.AppendSettings(nil, &p.settings))
			p.sources("1")
			p.line("enter at=3 u=counts")
			p.restart()
			p.line("enter at=4 u=counts2")
			p.line("wm 600")
			for range 30 { // whatever has its turn
				p.flush(true)
			}
			text := p.store.text()
			for _, want := range []string{"views=2", "viewers=2"} {
				if !strings.Contains(text, want) {
					t.Errorf("no %s in\n%s", want, text)
				}
			}
		})
	}
}

// The beginning of a log that is there must be a collector's.
func TestLogThatNoCollectorBegan(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	p.line("enter at=0")
	for name, start := range map[string]func() runtime.Task{"run": func() runtime.Task { return NewRun(0, nil) }, "enricher": func() runtime.Task { return NewEnricher(0, &services{}) }} {
		if err := start().Apply(0, bytes.Clone(p.block)); err == nil || !strings.Contains(err.Error(), "before the settings") {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

// An aggregator that begins in the middle of its topic waits for the settings, too.
func TestEnrichedWithoutItsBeginning(t *testing.T) {
	var sent emitted
	p := newPlayer(t, NewEnricher(0, &sent))
	p.line("enter at=0")
	first := len(sent) // the settings are before it
	p.line("enter at=1")
	again := len(sent)
	p.apply(eventlog.AppendSettings(nil, &p.settings))
	p.line("enter at=2")
	task := NewAggregator(0, nil)
	rows := func(values emitted) int {
		for _, v := range values {
			if err := task.Apply(100, v); err != nil {
				t.Fatal(err)
			}
		}
		var b rollup.Batch
		for range 30 { // whatever has its turn
			task.Flush(&b, false)
		}
		return len(b.Cells)
	}
	if n := rows(sent[first:again]); n != 0 {
		t.Errorf("rows of %d cubes before the settings", n)
	}
	if n := rows(sent[again:]); n == 0 {
		t.Error("no rows after the settings")
	}
}

type emitted [][]byte

func (e *emitted) Emit(_ int32, value []byte) { *e = append(*e, bytes.Clone(value)) }
