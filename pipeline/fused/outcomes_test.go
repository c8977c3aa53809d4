package fused

import (
	"testing"

	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// Every consumed record is in the ledger, also one that was received before the rows of its minute expire.
func TestOutcomesDoNotExpire(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	p.apply(eventlog.AppendSettings(nil, &eventlog.Settings{Partitions: 1, HorizonMS: 6 * 3600_000, LatenessMS: 60_000,
		SessionGapMS: 3600_000, DedupeMS: 600_000, Zone: "Asia/Shanghai", MaxCells: 1 << 20, TTLDays: [5]uint16{14, 90, 1095, 1095, 1095}}))
	p.line("wm 0")
	p.line("enter at=-8640000") // 100 days before
	p.line("enter at=0 u=u2")
	p.line("reject at=-8640000")
	var b rollup.Batch
	for range 5 { // the ledger is not what the show is run by: it leaves with every so many flushes
		p.task.Flush(&b, false)
	}
	records := int64(0)
	for _, o := range b.Outcomes {
		records += o.Records
	}
	if records != 3 {
		t.Errorf("the ledger has %d of 3 records: %+v", records, b.Outcomes)
	}
	for _, c := range b.Cells {
		for i, g := range c.Grain {
			if g < 2 && c.Window[i] < golden0-90*86_400_000 {
				t.Errorf("a row of a window past its retention: grain %d, window %d", g, c.Window[i])
			}
		}
	}
}
