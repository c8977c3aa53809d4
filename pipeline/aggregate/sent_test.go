package aggregate

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// Where so much changes that cubes and their parts leave in turns, no watermark is sent that a changed cell's row has not left with; also when flushes
// fail. And the turns are taken: with the tenth flush after a change its row has left.
func TestSentWatermarkIsBehindWhatWaits(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	a := New(0, cellkey.NewTable())
	var keys []cellkey.ID
	for i := range 6000 {
		cube := measure.Cube(rng.IntN(int(measure.NumCubes)))
		if i < 4000 {
			cube = measure.Source
		}
		keys = append(keys, a.keys.Of(cellkey.Key{Cube: cube, Platform: "p", Room: fmt.Sprint("r", i), Session: "s", Sub: [2]string{fmt.Sprint(i), "b"}}))
	}
	settings := &eventlog.Settings{LatenessMS: 60_000, SessionGapMS: hourMS, Zone: "UTC", MaxCells: 1 << 20}
	now, most, sent := int64(1_000_000), 0, int64(0)
	changedAt := map[uint32]uint64{} // the flush after which a cell became dirty
	for step := range 400 {
		now += int64(rng.IntN(300))
		rec := &change.Record{Offset: int64(step + 1), Watermark: now, MaxRecv: now, Settings: settings}
		for range 900 {
			rec.Changes = append(rec.Changes, change.Change{TS: now, Recv: now, Delta: 1, Key: keys[rng.IntN(len(keys))], Mask: change.AllGrains, Flags: change.Own})
		}
		if err := a.Apply(rec); err != nil {
			t.Fatal(err)
		}
		var b rollup.Batch
		token, more := a.Flush(&b, false)
		if more {
			t.Fatal("a round in pieces")
		}
		for _, w := range b.Watermarks {
			if w.WM < sent {
				t.Fatalf("step %d: the watermark goes back from %d to %d", step, sent, w.WM)
			}
			sent = w.WM
		}
		dirty := 0
		for i := uint32(1); i < a.cells.Cap(); i++ {
			c := a.cells.At(i)
			if !c.dirty {
				delete(changedAt, i)
				continue
			}
			dirty++
			if c.since < sent {
				t.Fatalf("step %d: the watermark %d is sent, and a cell that changed at %d has not left", step, sent, c.since)
			}
			if _, ok := changedAt[i]; !ok {
				changedAt[i] = a.flushes
			}
			if a.flushes-changedAt[i] > slowEvery {
				t.Fatalf("step %d: a cell waits for %d flushes", step, a.flushes-changedAt[i])
			}
		}
		most = max(most, dirty)
		if rng.IntN(10) == 0 {
			a.Nack(token)
			sent = min(sent, a.told.wm) // what was sent with it did not arrive
			clear(changedAt)
		} else {
			a.Ack(token)
		}
	}
	if most <= manyCells {
		t.Errorf("%d cells wait at most: no turns are taken", most)
	}
	if sent < now-20*300 {
		t.Errorf("the watermark that is sent is %d ms behind", now-sent)
	}
}
