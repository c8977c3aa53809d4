package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livemeter/livemeter/bench/ledger"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// TestVerifyDoubtsTheDatabase: where nothing of a ledger is there, the database is the wrong one, or nobody fills it.
func TestVerifyDoubtsTheDatabase(t *testing.T) {
	file := ledgerOf(t, time.Now().UnixMilli())
	addr, database := testengine.ClickHouse(t)
	where := []string{"--clickhouse-addr", addr, "--clickhouse-database", database}
	applySchema(t, where)
	code, out, errOut := livemeter(t, "", append([]string{"verify", "--ledger", file}, where...)...)
	if code != exitFail || !strings.Contains(errOut, "database "+database+" has none of it. Is --clickhouse-database right?") {
		t.Errorf("exit code %d, want 1 and a hint: %s\n%s", code, errOut, out)
	}
	if some := hints(ledger.Counts{Compared: 1, Equal: 1, Missing: 2}, "d"); len(some) != 0 {
		t.Errorf("some rows are there, and yet: %q", some)
	}
}

// TestVerifyTooEarly: while the pipeline has not passed the end of the ledger and of its views, differences say little, and verify says so.
func TestVerifyTooEarly(t *testing.T) {
	const newest = 1_795_000_000_000
	file := ledgerOf(t, newest)
	addr, database := testengine.ClickHouse(t)
	where := []string{"--clickhouse-addr", addr, "--clickhouse-database", database}
	applySchema(t, where)
	p := &pipeline{t: t, addr: addr, db: database}
	for _, sql := range []string{"INSERT INTO epochs (epoch, events_topic_id, active, created_at) VALUES (1, generateUUIDv4(), 1, 1)",
		"INSERT INTO watermarks_rows (epoch, part, version, watermark) VALUES (1, 0, 1, fromUnixTimestamp64Milli(1795000031000)), (1, 1, 1, fromUnixTimestamp64Milli(1795000030999))"} {
		if out, err := p.ask(sql); err != nil {
			t.Fatal(out, err)
		}
	}
	verify := func() string {
		t.Helper()
		code, _, errOut := livemeter(t, "", append([]string{"verify", "--ledger", file}, where...)...)
		if code != exitFail {
			t.Errorf("exit code %d, want 1", code)
		}
		return errOut
	}
	if said := verify(); !strings.Contains(said, "has come to 2026-11-18 11:07:10 UTC, the ledger ends at 2026-11-18 11:06:40 UTC and views settle 31 s later: --wait 2m waits for that") {
		t.Errorf("the pipeline is behind, and verify says %s", said)
	}
	if out, err := p.ask("INSERT INTO watermarks_rows (epoch, part, version, watermark) VALUES (1, 1, 2, fromUnixTimestamp64Milli(1795000031000))"); err != nil {
		t.Fatal(out, err)
	}
	if said := verify(); strings.Contains(said, "too early") {
		t.Errorf("the pipeline has passed it all, and verify says %s", said)
	}
}

// ledgerOf writes a ledger of one event.
func ledgerOf(t *testing.T, received int64) (file string) {
	t.Helper()
	l, err := ledger.New(ledger.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	l.Add("raw.viewer", 0, 0, nil, []byte(enter), received)
	truth, err := l.Finish()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "run.ledger")
	if err := truth.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	return file
}
