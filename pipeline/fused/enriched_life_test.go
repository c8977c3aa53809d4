package fused

import (
	"bytes"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// reborn is a new task with the state of another.
func reborn(t *testing.T, of, task runtime.Task) (runtime.Task, int64) {
	t.Helper()
	log := map[string][]byte{}
	snapshot(of, func(k, v []byte) { log[string(k)] = bytes.Clone(v) })
	for k, v := range log {
		if err := task.Restore([]byte(k), v); err != nil {
			t.Fatal(err)
		}
	}
	next, err := task.RestoreDone()
	if err != nil {
		t.Fatal(err)
	}
	return task, next
}

// applyAll gives the first error.
func applyAll(task runtime.Task, from int64, values emitted) error {
	for i := from; i < int64(len(values)); i++ {
		if err := task.Apply(i, values[i]); err != nil {
			return err
		}
	}
	return nil
}

func wantRefused(t *testing.T, err error, why string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("ended with %v, want %q", err, why)
	}
}

// An enricher that has lost its state counts what the log still holds again: an aggregator that has counted it does not add it.
func TestEnricherThatBeginsAnewIsRefused(t *testing.T) {
	var first, second emitted
	p := newPlayer(t, NewEnricher(0, &first))
	p.line("order at=1 u=a order=o1 state=paid paid=100 items=1:sku1:1:100")
	p.task = NewEnricher(0, &second)
	p.apply(eventlog.AppendRepeated(nil, &p.settings))
	p.sources("1")
	p.line("order at=3 u=a order=o1 v=2 state=paid paid=100 items=1:sku1:1:100")
	agg := NewAggregator(0, nil)
	if err := applyAll(agg, 0, first); err != nil {
		t.Fatal(err)
	}
	again, _ := reborn(t, agg, NewAggregator(0, nil))
	for _, task := range []runtime.Task{agg, again} {
		wantRefused(t, applyAll(task, 0, second), "the enricher's state was lost")
	}
}

// What an enricher says after a restart is what is different since: who has not heard what was before cannot begin there.
func TestAggregatorInTheMiddleOfAnEnrichersLifeIsRefused(t *testing.T) {
	var first, second emitted
	p := newPlayer(t, NewEnricher(0, &first))
	p.line("order at=1 u=a order=o1 state=paid paid=100 items=1:sku1:1:100")
	p.task, _ = reborn(t, p.task, NewEnricher(0, &second))
	p.line("order at=3 u=a order=o1 v=2 state=paid paid=40 items=1:sku1:1:40")
	wantRefused(t, applyAll(NewAggregator(0, nil), 0, second), "is not the first of its enricher")
}

// The first checkpoint may be of a record before the settings: its aggregator goes on, though the database has rows by then.
func TestAggregatorOfATrimmedLogGoesOnAfterACrash(t *testing.T) {
	var sent emitted
	p := newPlayer(t, NewRun(0, nil))
	p.line("enter at=0")
	p.task = NewEnricher(0, &sent)
	p.line("enter at=1 u=before")
	p.apply(eventlog.AppendRepeated(nil, &p.settings))
	p.sources("1")
	p.line("enter at=2 u=a")
	p.line("wm 100")
	agg := NewAggregator(0, nil)
	if err := agg.Apply(0, sent[0]); err != nil {
		t.Fatal(err)
	}
	again, next := reborn(t, agg, NewAggregator(0, nil))
	again.Stored(1, false)
	if err := applyAll(agg, 1, sent); err != nil {
		t.Fatal(err)
	}
	if err := applyAll(again, next, sent); err != nil {
		t.Fatal(err)
	}
	if want, got := rowsOf(t, agg), rowsOf(t, again); want != got || !strings.Contains(want, "viewers=1") {
		t.Errorf("after the crash\n%s\nwant\n%s", got, want)
	}
}
