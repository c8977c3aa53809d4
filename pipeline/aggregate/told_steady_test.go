package aggregate

import (
	"fmt"
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// An hour to which something late comes before every flush is told all the same, and neither it nor the watermark is held back.
func TestSteadyStragglersHoldNothingBack(t *testing.T) {
	for _, cube := range []measure.Cube{measure.Room, measure.SKU, measure.Source} {
		for _, others := range []int{0, 2500} {
			if testing.Short() && others > 0 && cube != measure.SKU { // the race detector has nothing to find between them
				continue
			}
			t.Run(fmt.Sprintf("%s/others=%d", measure.CubeTables[cube], others), func(t *testing.T) {
				a := New(0, cellkey.NewTable())
				settings := &eventlog.Settings{LatenessMS: 60_000, SessionGapMS: hourMS, Zone: "UTC", MaxCells: 1 << 20}
				key := func(room string) cellkey.ID {
					return a.keys.Of(cellkey.Key{Cube: cube, Platform: "p", Room: room, Session: "s", Sub: [2]string{"a"}})
				}
				event := func(room string, ts, recv int64) change.Change {
					return change.Change{TS: ts, Recv: recv, Delta: 1, Key: key(room), Mask: change.AllGrains, Flags: change.Own}
				}
				told, sent := int64(0), int64(0)
				wm := hourMS + int64(50_000)
				for n := range int64(600) {
					wm += 200
					rec := &change.Record{Offset: n + 1, Watermark: wm, MaxRecv: wm, Settings: settings, Changes: []change.Change{event("r", hourMS-1000, wm)}}
					for i := range others {
						rec.Changes = append(rec.Changes, event(fmt.Sprint("o", i), wm, wm))
					}
					if err := a.Apply(rec); err != nil {
						t.Fatal(err)
					}
					var b rollup.Batch
					token, _ := a.Flush(&b, false)
					a.Ack(token)
					for _, w := range b.Watermarks {
						told, sent = w.HoursTold, w.WM
					}
				}
				if told != hourMS || wm-sent > 5000 {
					t.Errorf("hours before %d are told, want %d; the watermark that is sent is %d ms behind", told, hourMS, wm-sent)
				}
			})
		}
	}
}
