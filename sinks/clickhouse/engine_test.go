package clickhouse_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/deploy/embedded/testengine"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/sinks/clickhouse"
	"github.com/livemeter/livemeter/sinks/conformance"
)

// engine is a sink on a database of its own, with its schema and one epoch.
type engine struct {
	*clickhouse.Sink
	t     testing.TB
	addr  string
	db    string
	epoch uint16
	cfg   clickhouse.Config

	wmVersion uint64 // of the newest watermark written
	hours     int64  // hours before this are told by their own rows
}

// allHours has every hour read from its own row, whatever the watermark: most tests are about something else.
const allHours = 4_000_000_000_000

func open(t testing.TB) *engine { return openWith(t, func(*clickhouse.Config) {}) }

// openWith keeps rows for ever unless change says otherwise: the windows of tests are fixed, their age is not.
func openWith(t testing.TB, change func(*clickhouse.Config)) *engine {
	t.Helper()
	addr, db := testengine.ClickHouse(t)
	cfg := clickhouse.Config{Addr: []string{addr}, Database: db, TTLDays: []int{0, 0, 0, 0, 0}}
	change(&cfg)
	s, err := clickhouse.New(cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Apply(context.Background()); err != nil {
		t.Fatal(err)
	}
	epoch, err := s.EnsureEpoch(context.Background(), [16]byte{1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{Sink: s, t: t, addr: addr, db: db, epoch: epoch, cfg: cfg, hours: allHours}
	e.watermarks(rollup.Watermark{WM: 1, HoursTold: e.hours})
	return e
}

// watermarks are of a log with a lateness of one minute where they do not say what is final.
func (e *engine) watermarks(rows ...rollup.Watermark) {
	e.t.Helper()
	for i := range rows {
		if rows[i].FinalBefore == 0 {
			rows[i].FinalBefore = max(0, rows[i].WM-minute)
		}
	}
	if err := e.Write(context.Background(), &rollup.Batch{Epoch: e.epoch, Watermarks: rows}); err != nil {
		e.t.Fatal(err)
	}
}

// query runs SQL with $db in place of the database and returns TabSeparated without the last newline.
func (e *engine) query(sql string, args ...any) string {
	e.t.Helper()
	sql = strings.ReplaceAll(fmt.Sprintf(sql, args...), "$db", e.db)
	return strings.TrimSuffix(testengine.Exec(e.t, e.addr, sql), "\n")
}

func (e *engine) number(sql string, args ...any) int64 {
	e.t.Helper()
	var n int64
	if out := e.query(sql, args...); out != "" {
		if _, err := fmt.Sscan(out, &n); err != nil {
			e.t.Fatalf("%s: %q is no number", sql, out)
		}
	}
	return n
}

func (e *engine) write(rows ...conformance.Row) {
	e.t.Helper()
	if err := e.Write(context.Background(), &rollup.Batch{Epoch: e.epoch, Cells: []*rollup.Cells{conformance.Cells(rows...)}}); err != nil {
		e.t.Fatal(err)
	}
}

// watermark is that of all partitions from now on.
func (e *engine) watermark(wm int64) {
	e.t.Helper()
	e.wmVersion++
	e.query("TRUNCATE TABLE $db.watermarks_rows") // a test may go back, a pipeline cannot
	e.watermarks(rollup.Watermark{Part: 0, Version: e.wmVersion, WM: wm + hour, HoursTold: e.hours + hour}, rollup.Watermark{Part: 1, Version: e.wmVersion, WM: wm, HoursTold: e.hours})
}
