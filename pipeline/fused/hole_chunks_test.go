package fused

import (
	"slices"
	"testing"
)

// partly is a topic of records in chunks: what an enricher sends, where in it the chunks of its last record begin, and what another life of it sends.
func partly(t *testing.T) (sent, again emitted, last int) {
	script := []string{"enter at=0 u=u1", "enter at=1 u=u2", "enter at=2 u=u3"}
	before, _ := enricherInChunks(t, 40, script[:2]...)
	sent, again = enricherInChunks(t, 40, script...)
	if last = len(before); len(sent) < last+3 {
		t.Fatalf("%d chunks in all, the last record's begin at %d", len(sent), last)
	}
	return sent, again, last
}

func wantsRest(t *testing.T, when string, task *Task, waits, unfinished bool) {
	t.Helper()
	if s := task.Stats(); s.Waits != waits || s.Unfinished != unfinished {
		t.Errorf("%s: records are missing: %v, want %v; one is there in part: %v, want %v", when, s.Waits, waits, s.Unfinished, unfinished)
	}
}

// A record of which chunks were refused is missing until all of it has come again, also for a restart in between.
func TestARecordIsMissingWhoseChunksWereRefused(t *testing.T) {
	sent, again, last := partly(t)
	whole := NewAggregator(0, nil).(*Task)
	if err := applyAll(whole, 0, sent); err != nil {
		t.Fatal(err)
	}
	want := viewsOf(whole)
	for name, refused := range map[string]int{"the first": last, "the second": last + 1, "the last but one": len(sent) - 2} {
		topic := slices.Delete(slices.Clone(sent), refused, refused+1)
		task := NewAggregator(0, nil).(*Task)
		if err := applyAll(task, 0, topic); err != nil {
			t.Fatal(err)
		}
		wantsRest(t, name, task, true, false)
		task = restored(t, task, map[string][]byte{})
		if err := applyAll(task, task.next, topic); err != nil {
			t.Fatal(err)
		}
		wantsRest(t, name+", after a restart", task, true, false)
		topic = append(topic, again...)
		if err := applyAll(task, task.next, topic); err != nil {
			t.Fatal(err)
		}
		wantsRest(t, name+", sent again", task, false, false)
		if got := viewsOf(task); got != want {
			t.Errorf("%s: %d views, want %d", name, got, want)
		}
	}
}

// A record of which the rest is to come is none that is missing, and not all either. Where the rest never comes, since an enricher that died in the middle sends
// all of it again, what was there of it is forgotten.
func TestARecordIsUnfinishedUntilItsLastChunk(t *testing.T) {
	sent, again, last := partly(t)
	task := NewAggregator(0, nil).(*Task)
	if err := applyAll(task, 0, sent[:last]); err != nil {
		t.Fatal(err)
	}
	wantsRest(t, "before its chunks", task, false, false)
	topic := sent[:len(sent)-1]
	if err := applyAll(task, int64(last), topic); err != nil {
		t.Fatal(err)
	}
	wantsRest(t, "without its last chunk", task, false, true)
	if err := applyAll(task, task.next, slices.Concat(topic, again)); err != nil {
		t.Fatal(err)
	}
	wantsRest(t, "sent again", task, false, false)
}
