package fused

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// changelog applies a task's snapshot as a compacted topic would, and says how large its largest record was.
func (c changelog) take(task *Task) (largest int) {
	snapshot(task, func(key, value []byte) {
		largest = max(largest, len(value))
		if value == nil {
			delete(c, string(key))
		} else {
			c[string(key)] = bytes.Clone(value)
		}
	})
	return largest
}

type changelog map[string][]byte

func (c changelog) restore(t *testing.T) *Task {
	t.Helper()
	task := NewRun(0, nil).(*Task)
	for k, v := range c {
		if err := task.Restore([]byte(k), v); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := task.RestoreDone(); err != nil {
		t.Fatal(err)
	}
	return task
}

// A bot sends 200,000 events within ten minutes: its bucket is larger than a broker takes. It is saved in chunks, restored from them, and no chunk is
// left when its ids have been forgotten.
func TestLargeStateIsSavedInChunks(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	rnd := rand.New(rand.NewPCG(1, 2))
	heartbeat := func(n int, at int64) {
		for range n {
			p.source[goldenSource]++
			p.writer.Add(p.dict.Source(goldenSource), &eventlog.Input{Offset: p.source[goldenSource], Recv: golden0 + at, TS: golden0 + at, Platform: "p", Room: "r", Session: "s",
				ViewerHi: 1, ViewerLo: 2, EventFP: rnd.Uint64(), View: 1, Sub: uint8(event.Heartbeat)})
		}
		p.apply(p.writer.Seal(nil))
	}
	for range 200 {
		heartbeat(1000, 0)
	}
	topic, task := changelog{}, p.task.(*Task)
	if largest := topic.take(task); largest > maxChunk || len(topic) < 6 {
		t.Fatalf("largest record %d bytes, %d records; want chunks of at most %d", largest, len(topic), maxChunk)
	}
	want := task.Stats().DedupeEntries
	restored := topic.restore(t)
	if got := restored.Stats().DedupeEntries; got != want || got != 200_000 {
		t.Errorf("%d ids after the restore, %d before it, want 200000", got, want)
	}
	p.task = restored
	p.apply(eventlog.AppendProgress(nil, &eventlog.Progress{Items: []eventlog.ProgressItem{{Source: goldenSource, Offset: p.source[goldenSource], Recv: golden0 + 3_600_000}}}))
	heartbeat(1, 3_600_000)
	topic.take(restored)
	for k := range topic {
		if k[0] == keyChunk {
			t.Errorf("record %q is left", k)
		}
	}
	topic.restore(t)
}
