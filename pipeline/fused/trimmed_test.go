package fused

import (
	"bytes"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/pipeline/eventlog"
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
			p.apply(eventlog.AppendRepeated(nil, &p.settings))
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

// Records of events.enriched are differences: an aggregator does not begin among them.
func TestEnrichedWithoutItsBeginning(t *testing.T) {
	var sent emitted
	p := newPlayer(t, NewEnricher(0, &sent))
	p.line("enter at=0")
	first := len(sent) // the settings are before it
	p.line("enter at=1")
	if err := NewAggregator(0, nil).Apply(int64(first), sent[first]); err == nil || !strings.Contains(err.Error(), "is not the first of its enricher") {
		t.Errorf("an aggregator begins in the middle: %v", err)
	}
}

// What is made of a log without its beginning is not added to a database that has rows of it.
func TestAggregatorOfAWholeLog(t *testing.T) {
	var whole, trimmed emitted
	p := newPlayer(t, NewEnricher(0, &whole))
	p.line("enter at=0")
	p.task = NewEnricher(0, &trimmed) // which reads from here on
	p.apply(eventlog.AppendRepeated(nil, &p.settings))
	p.line("enter at=1")
	for name, c := range map[string]struct {
		sent emitted
		err  string
	}{"whole": {whole, ""}, "trimmed": {trimmed, "would be added"}} {
		task := NewAggregator(0, nil)
		task.Stored(1, false)
		var err error
		for i, v := range c.sent {
			if err = task.Apply(int64(i), v); err != nil {
				break
			}
		}
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, want %q", name, err, c.err)
		}
	}
}

// Settings that are told again are for who has none: a collector of before a change does not take the limits back.
func TestRepeatedSettingsChangeNothing(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	p.line("set horizon=720h")
	p.line("wm 100h")
	narrow := p.settings
	narrow.HorizonMS = 6 * 3600_000
	p.apply(eventlog.AppendRepeated(nil, &narrow))
	p.line("enter at=80h recv=100h")
	p.line("wm 200h")
	for range 30 { // whatever has its turn
		p.flush(true)
	}
	if text := p.store.text(); !strings.Contains(text, "viewers=1") || strings.Contains(text, "beyond_horizon") {
		t.Error(text)
	}
}

type emitted [][]byte

func (e *emitted) Emit(_ int32, value []byte) { *e = append(*e, bytes.Clone(value)) }

// Another collector's block may stand between the settings that are told again and the list of sources: what is counted of its source does not depend on
// restarts, and has its topic's name.
func TestOutcomesOfALogWithoutItsBeginning(t *testing.T) {
	var texts [2]string
	for i, restart := range []bool{false, true} {
		p := newPlayer(t, NewRun(0, nil))
		p.line("enter at=0 u=gone")
		p.task = NewRun(0, nil) // which reads from here on
		p.apply(eventlog.AppendRepeated(nil, &p.settings))
		p.line("enter at=1 u=u1")
		p.sources("1")
		if restart {
			p.restart()
		}
		p.line("enter at=62 u=u2")
		p.line("enter at=123 u=u3")
		texts[i] = p.shown("outcomes")
	}
	if texts[0] != texts[1] || texts[0] == "" || strings.Contains(texts[0], "outcomes  ") { // of a topic without a name
		t.Errorf("without a restart:\n%s\nwith one:\n%s", texts[0], texts[1])
	}
}
