package clickhouse_test

import (
	"testing"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// Of rows with one watermark the later holds, in whatever order they arrive and however the table is merged: here an INSERT came late, after its retry.
func TestEqualWatermarks(t *testing.T) {
	e := open(t)
	e.query("TRUNCATE TABLE $db.watermarks_rows")
	e.query("SYSTEM STOP MERGES $db.watermarks_rows")
	e.write(row{Room: "a", Window: start, Value: 1}, row{Room: "a", Grain: measure.Grain1h, Window: start, Value: 2, State: closed})
	e.watermarks(rollup.Watermark{Part: 0, Version: 2, WM: start + 2*hour, HoursTold: start + hour, FinalBefore: start + 2*hour - 10_000})
	e.watermarks(rollup.Watermark{Part: 0, Version: 1, WM: start + 2*hour, FinalBefore: start + hour})
	look := func() string { return e.query("SELECT status, events FROM $db.room_measures WHERE grain = '1h'") }
	if got := look(); got != "final\t2" {
		t.Errorf("%q before the merge", got)
	}
	e.query("SYSTEM START MERGES $db.watermarks_rows")
	e.query("OPTIMIZE TABLE $db.watermarks_rows FINAL")
	if got := look(); got != "final\t2" {
		t.Errorf("%q after the merge", got)
	}
}
