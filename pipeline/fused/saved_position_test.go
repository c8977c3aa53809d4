package fused

import (
	"bytes"
	"testing"

	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// savedDuring is an aggregator restored from a snapshot of another, which applied something before the snapshot was saved.
func savedDuring(t *testing.T, task *Task, values ...[]byte) *Task {
	t.Helper()
	task.Snapshot()
	if err := applyAll(task, 0, values); err != nil { // at which offsets is the same to it
		t.Fatal(err)
	}
	out := NewAggregator(0, nil).(*Task)
	for more := true; more; {
		more = task.Save(func(k, v []byte) {
			if err := out.Restore(bytes.Clone(k), bytes.Clone(v)); err != nil {
				t.Fatal(err)
			}
		})
	}
	if _, err := out.RestoreDone(); err != nil {
		t.Fatal(err)
	}
	return out
}

// What a snapshot says of how far it has come is as it was when it began, as all of it: a record that was applied before it was saved is none of it, and
// is missing where it does not come.
func TestASnapshotKnowsNothingOfWhatCameAfterIt(t *testing.T) {
	var sent emitted
	p := newPlayer(t, NewEnricher(0, &sent))
	for _, at := range []string{"1", "2", "3", "4"} {
		p.line("enter at=" + at + " u=u" + at)
	}
	n := int64(len(sent)) - 3
	full, task := NewAggregator(0, nil).(*Task), NewAggregator(0, nil).(*Task)
	if err := applyAll(full, 0, sent); err != nil {
		t.Fatal(err)
	}
	if err := applyAll(task, 0, sent[:n]); err != nil {
		t.Fatal(err)
	}
	task = savedDuring(t, task, sent[n])
	if task.next != n {
		t.Errorf("it goes on at %d, want %d", task.next, n)
	}
	if err := task.Apply(n, sent[n+1]); err != nil {
		t.Fatal(err)
	}
	if !task.Stats().Waits {
		t.Error("the record that was applied while it was saved is taken for a part of it")
	}
	if err := applyAll(task, n, sent); err != nil {
		t.Fatal(err)
	}
	if want, got := viewsOf(full), viewsOf(task); want != got {
		t.Errorf("%d views, want %d", got, want)
	}
}

// Nor which enricher's state came first after it.
func TestASnapshotOfNothingIsOfNobodysState(t *testing.T) {
	var first, second emitted
	p := newPlayer(t, NewEnricher(0, &first))
	p.line("enter at=1 u=a")
	p.task = NewEnricher(0, &second)
	p.apply(eventlog.AppendRepeated(nil, &p.settings))
	p.sources("1")
	p.line("enter at=2 u=b")
	task := savedDuring(t, NewAggregator(0, nil).(*Task), first...)
	if err := applyAll(task, 0, second); err != nil {
		t.Error(err)
	}
}
