package fused

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// enricherInChunks plays a script to an enricher whose records leave in chunks; again is what a second life of it sends, with other stamps.
func enricherInChunks(t *testing.T, limit int, lines ...string) (sent, again emitted) {
	for _, out := range []*emitted{&sent, &again} {
		e := NewEnricher(0, out).(*Task)
		e.enriched.limit = limit
		p := newPlayer(t, e)
		for _, l := range lines {
			p.line(l)
		}
	}
	return sent, again
}

func rowsOf(t *testing.T, task runtime.Task) string {
	p := &player{t: t, task: task, store: &memStore{rows: map[string]memRow{}, watermarks: map[uint16]rollup.Watermark{}}}
	for range 30 { // whatever has its turn
		p.flush(true)
	}
	return p.store.text()
}

// Wherever a checkpoint falls among the chunks of a record, and however a second enricher's chunks stand between them, the rows are those of whole records.
func TestChunksOfEnriched(t *testing.T) {
	script := []string{"enter at=0 u=u1 exp=x:A,y:B", "enter at=1 u=u2 room=r2", "like at=2 u=u1", "wm 600", "heartbeat at=601 u=u2 watch=7"}
	whole, _ := enricherInChunks(t, maxEnriched, script...)
	sent, again := enricherInChunks(t, 40, script...)
	if len(sent) < 2*len(whole) {
		t.Fatalf("%d records of %d: nothing is in chunks", len(sent), len(whole))
	}
	plain := NewAggregator(0, nil)
	for i, v := range whole {
		if err := plain.Apply(int64(i), v); err != nil {
			t.Fatal(err)
		}
	}
	want := rowsOf(t, plain)
	if !strings.Contains(want, "viewers=1") {
		t.Fatal(want)
	}
	topics := map[string]emitted{"alone": sent, "twice": nil, "one dies in the middle": nil, "side by side": nil}
	for i := range sent {
		topics["twice"] = append(topics["twice"], sent[i], sent[i])
		topics["side by side"] = append(topics["side by side"], sent[i], again[i])
	}
	topics["one dies in the middle"] = append(slices.Clone(sent[:len(sent)/2]), again...)
	for name, topic := range topics {
		for _, cut := range []int{0, 1, 2, 3, 5, 8, len(topic) / 2, len(topic) - 1} {
			task, log := NewAggregator(0, nil), map[string][]byte{}
			next := 0
			for ; next < cut; next++ {
				if err := task.Apply(int64(next), topic[next]); err != nil {
					t.Fatalf("%s: record %d: %v", name, next, err)
				}
			}
			if cut > 0 { // a checkpoint and a restart
				snapshot(task, func(k, v []byte) {
					if log[string(k)] = v; v == nil {
						delete(log, string(k))
					}
				})
				task = NewAggregator(0, nil)
				for k, v := range log {
					if err := task.Restore([]byte(k), v); err != nil {
						t.Fatal(err)
					}
				}
				n, err := task.RestoreDone()
				if err != nil {
					t.Fatal(err)
				}
				next = int(n)
			}
			for ; next < len(topic); next++ {
				if err := task.Apply(int64(next), topic[next]); err != nil {
					t.Fatalf("%s: record %d after a restart at %d: %v", name, next, cut, err)
				}
				if task.Stats().Waits {
					t.Errorf("%s: record %d after a restart at %d: nothing is missing, and it waits", name, next, cut)
				}
			}
			if d := cmp.Diff(want, rowsOf(t, task)); d != "" {
				t.Errorf("%s, restarted at %d, differs (-whole +chunks):\n%s", name, cut, d)
			}
			if n := len(task.(*Task).enriched.parts); n != 0 {
				t.Errorf("%s, restarted at %d: chunks of %d records are kept", name, cut, n)
			}
		}
	}
}

// What many viewers' watch time is when a watermark that has stood still moves is larger than any broker takes.
func TestEnrichedOfManyViewersFits(t *testing.T) {
	var sent emitted
	p := newPlayer(t, NewEnricher(0, &sent))
	p.line("wm 0")
	for i := range 20_000 {
		p.line(fmt.Sprintf("enter at=0 u=u%[1]d view=v%[1]d", i))
		p.line(fmt.Sprintf("heartbeat at=1 u=u%[1]d view=v%[1]d watch=1", i))
	}
	p.line("wm 40")
	largest, chunks := 0, 0
	for _, v := range sent {
		largest = max(largest, len(v))
		if bytes.HasPrefix(v, []byte{enrichedChunk}) {
			chunks++
		}
	}
	if largest > maxEnriched+64 || chunks < 2 {
		t.Errorf("the largest record has %d bytes, %d are chunks", largest, chunks)
	}
}
