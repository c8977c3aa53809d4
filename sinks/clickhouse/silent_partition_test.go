package clickhouse_test

import (
	"context"
	"testing"

	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// A partition of `events` that has never told its watermark holds every window open.
func TestSilentPartitionHoldsWindowsOpen(t *testing.T) {
	e := openWith(t, func(c *clickhouse.Config) { c.TakeOver = true })
	for _, partitions := range []int{1, 2} { // the epoch is there already, without what this is about
		var err error
		if e.epoch, err = e.EnsureEpoch(context.Background(), [16]byte{2}, partitions); err != nil {
			t.Fatal(err)
		}
	}
	e.write(row{Room: "a", Window: start, Part: 0, Version: 5, Value: 1})
	tell := func(part uint16) string {
		e.watermarks(rollup.Watermark{Part: part, Version: 1, WM: start + 1000*hour})
		return e.query("SELECT status FROM $db.room_measures WHERE grain = '1m'")
	}
	if got := tell(0); got != "provisional" {
		t.Errorf("the minute is %s while partition 1 has told no watermark, want provisional", got)
	}
	if got := tell(1); got != "final" {
		t.Errorf("the minute is %s when all partitions have passed it, want final", got)
	}
}
