package fused

import (
	"fmt"
	goruntime "runtime"
	"runtime/debug"

	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// Skip makes an entry of the record at offset invalid, reason internal.
func (t *Task) Skip(offset int64, entry int) {
	if t.enricher != nil {
		t.enricher.Skip(offset, entry)
	}
}

// Isolate applies a record entry by entry. What an aggregator of its own panics over has no entry that it knows: it panics again.
func (t *Task) Isolate(offset int64, value []byte) (poison *runtime.Poison, err error) {
	defer goruntime.KeepAlive(t)
	t.step(true)
	defer t.step(false)
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		cause := fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		entry := t.culprit()
		if entry < 0 {
			panic(cause)
		}
		n, source, topic := t.enricher.Entry(entry)
		poison = &runtime.Poison{Offset: offset, Entry: entry, Source: source, Topic: topic, SourceOffset: n.Offset, Recv: n.Recv, Marker: n.Kind == eventlog.Reject || n.OriginalIndex >= 0, Cause: cause}
	}()
	return nil, t.Apply(offset, value)
}

func (t *Task) step(on bool) {
	if t.enricher != nil {
		t.enricher.Step(on)
	}
	if t.agg != nil {
		t.agg.Step(on)
	}
}

// culprit is the entry that is being applied, −1 where none is.
func (t *Task) culprit() int {
	switch {
	case t.enricher == nil:
		return -1
	case t.enricher.At() >= 0 || t.agg == nil:
		return t.enricher.At()
	}
	return t.enricher.EntryOf(t.agg.At())
}

// Faults make tasks panic, for tests: over an entry when it has had its effects, over a change when it has been added.
type Faults struct {
	Entry  func(n *eventlog.Entry)
	Change func(c *change.Change)
}

// In makes the tasks of a kind have the faults.
func (f Faults) In(kind func(int32, runtime.Output) runtime.Task) func(int32, runtime.Output) runtime.Task {
	return func(partition int32, out runtime.Output) runtime.Task {
		t := kind(partition, out).(*Task)
		if t.enricher != nil {
			t.enricher.Fault = f.Entry
		}
		if t.agg != nil {
			t.agg.Fault = f.Change
		}
		return t
	}
}
