package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livemeter/livemeter/bench/ledger"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
	"github.com/livemeter/livemeter/sinks/clickhouse"
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
	for _, c := range []struct {
		total ledger.Counts
		begin string
	}{
		{ledger.Counts{Compared: 1, Equal: 1, Missing: 2}, ""}, {ledger.Counts{Missing: 2, Extra: 1}, "missing: "}, {ledger.Counts{Compared: 1, Equal: 1, Extra: 1}, "extra: "},
	} {
		if got := hint(c.total, "d"); !strings.HasPrefix(got, c.begin) || (got == "") != (c.begin == "") {
			t.Errorf("%+v: %q, want %q…", c.total, got, c.begin)
		}
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

// TestVerifyWaitsForClickHouse: within --wait a server that does not answer is asked again, and there is a line after two seconds and then at least every three; at the end the
// error is that of the last time. Without --wait, and where waiting mends nothing, it is told at once.
func TestVerifyWaitsForClickHouse(t *testing.T) {
	away := errors.New("ClickHouse does not answer")
	wrong := fmt.Errorf("ClickHouse: %w", &clickhouse.PermanentError{Err: errors.New("wrong password")})
	equal := &ledger.Report{}
	differs := &ledger.Report{Total: ledger.Counts{Compared: 5, Missing: 2}}
	for name, c := range map[string]struct {
		wait    time.Duration
		answers []any // the last one stays
		want    error
		tries   int
		said    []string
	}{
		"it comes": {time.Minute, []any{away, away, differs, equal}, nil, 4, []string{"ClickHouse does not answer; trying again for 55s", "still at try 2, for 8 s", "still at try 3, for 11 s",
			"still at try 3, for 14 s", "2 of 5 rows are not equal yet; trying again for 45s", "still at try 4, for 18 s"}},
		"it stays away": {12 * time.Second, []any{away}, away, 3, []string{"ClickHouse does not answer; trying again for 7s", "still at try 2, for 8 s", "still at try 3, for 11 s",
			"still at try 3, for 14 s"}},
		"nobody waits":    {0, []any{away}, away, 1, nil},
		"nothing to mend": {time.Minute, []any{wrong}, wrong, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said []string
				tries := 0
				_, err := verifyCmd{Wait: c.wait}.compare(t.Context(), func(now func(string)) (*ledger.Report, error) {
					now(fmt.Sprintf("at try %d", tries+1))
					time.Sleep(4900 * time.Millisecond) // in the bubble of synctest: its clock jumps, nobody waits
					answer := c.answers[min(tries, len(c.answers)-1)]
					tries++
					if err, ok := answer.(error); ok {
						return nil, err
					}
					return answer.(*ledger.Report), nil
				}, func(s string) { said = append(said, s) })
				said = slices.DeleteFunc(said, func(s string) bool { return strings.HasSuffix(s, ", for 2 s") })
				if err != c.want || tries != c.tries || !slices.Equal(said, c.said) {
					t.Errorf("%v after %d tries, said\n%s", err, tries, strings.Join(said, "\n"))
				}
			})
		})
	}
}

// TestVerifyAsksAgain: the server is asked again by the command itself, which ends with why it has no answer.
func TestVerifyAsksAgain(t *testing.T) {
	code, _, errOut := livemeter(t, "", "verify", "--ledger", ledgerOf(t, time.Now().UnixMilli()), "--clickhouse-addr", "127.0.0.1:1", "--wait", "1s")
	if code != exitFail || strings.Count(errOut, "127.0.0.1:1 (clickhouse.addr, --clickhouse-addr) does not answer") != 2 || !strings.Contains(errOut, "connection refused; trying again for 1s") {
		t.Errorf("exit code %d, want 1, after a second try, and:\n%s", code, errOut)
	}
}
