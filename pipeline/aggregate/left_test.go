package aggregate

import (
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// What has closed and arrived takes no memory, narrow or wide. Slabs lie outside the Go heap: no test of the heap's size sees what they leak.
func TestNothingIsLeft(t *testing.T) {
	keys := cellkey.NewTable()
	a := New(0, keys)
	room := keys.Of(cellkey.Key{Cube: measure.Room, Platform: "p", Room: "r", Session: "s"})
	rec := &change.Record{Settings: &eventlog.Settings{LatenessMS: 60_000, SessionGapMS: hourMS, Zone: "UTC"}}
	for day := range int64(3) {
		for pane := range int64(20) {
			rec.Changes = nil
			for slot := measure.Slot(0); slot <= measure.Slot(pane%10); slot++ {
				rec.Changes = append(rec.Changes, change.Change{TS: day*dayMS + pane*paneMS + 1, Recv: 1, Delta: 1, Key: room, Slot: slot, Mask: change.AllGrains, Flags: change.Own})
			}
			rec.Offset++
			if err := a.Apply(rec); err != nil {
				t.Fatal(err)
			}
		}
		rec.Offset, rec.Changes, rec.Watermark = rec.Offset+1, nil, day*dayMS+2*hourMS
		if err := a.Apply(rec); err != nil {
			t.Fatal(err)
		}
		for range 30 {
			var b rollup.Batch
			token, _ := a.Flush(&b, false)
			a.Ack(token)
		}
		if c, s, l := a.cells.Len(), a.sums.Len(), a.lines.Len(); c+s+l != 0 {
			t.Errorf("%d cells, %d sums, %d lines are left", c, s, l)
		}
	}
}

// A closed cell whose row was acknowledged after the last checkpoint comes back with a restore, sends its row once more, and is gone.
func TestClosedCellGoesAfterRestore(t *testing.T) {
	a := New(0, cellkey.NewTable())
	room := a.keys.Of(cellkey.Key{Cube: measure.Room, Platform: "p", Room: "r", Session: "s"})
	apply := func(a *Aggregator, offset, wm int64, changes ...change.Change) {
		t.Helper()
		if err := a.Apply(&change.Record{Offset: offset, Watermark: wm, Changes: changes, Settings: &eventlog.Settings{LatenessMS: 1500, SessionGapMS: hourMS, Zone: "UTC"}}); err != nil {
			t.Fatal(err)
		}
	}
	flushAll := func(a *Aggregator, ack bool) (rows int) {
		for range 10 {
			var b rollup.Batch
			if token, _ := a.Flush(&b, false); ack {
				a.Ack(token)
			}
			for _, c := range b.Cells {
				rows += len(c.Grain)
			}
		}
		return rows
	}
	apply(a, 1, 1, change.Change{TS: 1, Recv: 1, Delta: 1, Key: room, Mask: change.AllGrains, Flags: change.Own})
	apply(a, 2, minuteMS+1000)
	if open, _, _ := a.Stats(); open != 2 {
		t.Errorf("%d cells are open a second after the minute, want both: lateness is 1.5 s", open)
	}
	apply(a, 3, hourMS+minuteMS+2000)
	if open, _, _ := a.Stats(); open != 0 || a.cells.Len() != 2 {
		t.Errorf("%d of %d cells are open, want 0 of 2", open, a.cells.Len())
	}
	flushAll(a, false)
	log := changelog{}
	log.save(a)
	b := log.mustRestore(t)
	if rows := flushAll(b, true); rows != 2 {
		t.Errorf("%d rows leave after the restore, want 2", rows)
	}
	if _, dirty, _ := b.Stats(); b.cells.Len() != 0 || dirty != 0 {
		t.Errorf("%d cells are left, %d dirty", b.cells.Len(), dirty)
	}
}
