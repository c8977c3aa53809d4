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
	l, err := ledger.New(ledger.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	l.Add("raw.viewer", 0, 0, nil, []byte(enter), time.Now().UnixMilli())
	truth, err := l.Finish()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "run.ledger")
	if err := truth.WriteFile(file); err != nil {
		t.Fatal(err)
	}
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
