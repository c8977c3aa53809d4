package fused

import (
	"testing"

	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// A panic over what time changes is no event's, also where a block was applied entry by entry before.
func TestPanicOfATimerBlamesNoEvent(t *testing.T) {
	armed := false
	task := NewRun(0, nil).(*Task)
	task.agg.Fault = func(*change.Change) {
		if armed {
			panic("timer")
		}
	}
	p := newPlayer(t, task)
	in := p.input("enter", map[string]string{"at": "1", "u": "u1", "view": "v1"})
	p.source[goldenSource]++
	in.Offset = p.source[goldenSource]
	p.writer.Add(p.dict.Source(goldenSource), in)
	if poison, err := p.task.Isolate(p.offset, p.writer.Seal(nil)); poison != nil || err != nil {
		t.Fatal(poison, err)
	}
	p.offset++
	armed = true
	rec := eventlog.AppendProgress(nil, &eventlog.Progress{Items: []eventlog.ProgressItem{{Source: goldenSource, Offset: in.Offset, Recv: golden0 + 600_000}}})
	defer func() {
		if recover() == nil {
			t.Error("it did not panic")
		}
	}()
	if poison, _ := p.task.Isolate(p.offset, rec); poison != nil {
		t.Errorf("source offset %d, an accepted event, is blamed", poison.SourceOffset)
	}
}
