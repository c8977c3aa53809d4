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
