package chdb_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/livemeter/livemeter/deploy/embedded/chdb"
	"github.com/livemeter/livemeter/deploy/embedded/engines"
)

// One engine for all tests: a process can start only one.
var open = sync.OnceValues(func() (*chdb.Engine, error) {
	lib, err := engines.ClickHouse(testContext, nil)
	if err != nil {
		return nil, err
	}
	return chdb.Open(lib, testDir)
})

func conn(t *testing.T, env chdb.Env) *chdb.Conn {
	t.Helper()
	e, err := open()
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Acquire(env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Release(c) })
	return c
}

func query(t *testing.T, c *chdb.Conn, sql string, params ...chdb.Param) string {
	t.Helper()
	out, _, err := c.Query(sql, "TabSeparated", params...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return string(out)
}

func TestOneEngineForAProcess(t *testing.T) {
	conn(t, chdb.Env{})
	if _, err := chdb.Open("other.so", t.TempDir()); err == nil || !strings.Contains(err.Error(), testDir) {
		t.Fatalf("got %v, want an error that names the directory in use", err)
	}
}

func TestQueryTakesParametersAndNUL(t *testing.T) {
	c := conn(t, chdb.Env{})
	if got := query(t, c, "SELECT {a:UInt8}, {s:String}, length('a\x00b')", chdb.Param{Name: "a", Value: "7"}, chdb.Param{Name: "s", Value: ""}); got != "7\t\t3\n" {
		t.Fatalf("got %q", got)
	}
}

func TestStream(t *testing.T) {
	c := conn(t, chdb.Env{})
	rows, err := c.Stream("SELECT number FROM numbers(1000000)", "TabSeparated")
	if err != nil {
		t.Fatal(err)
	}
	lines, pieces := 0, 0
	for {
		piece, err := rows.Next()
		if err != nil {
			t.Fatal(err)
		}
		if piece == nil {
			break
		}
		lines += bytes.Count(piece, []byte("\n"))
		pieces++
	}
	rows.Close()
	if lines != 1_000_000 || pieces < 2 || rows.Stats().ResultRows != 1_000_000 {
		t.Fatalf("%d lines in %d pieces, %+v", lines, pieces, rows.Stats())
	}

	// A stream that is left early frees its connection.
	if rows, err = c.Stream("SELECT number FROM system.numbers", "TabSeparated"); err != nil {
		t.Fatal(err)
	}
	if _, err := rows.Next(); err != nil {
		t.Fatal(err)
	}
	rows.Close()
	if got := query(t, c, "SELECT 1"); got != "1\n" {
		t.Fatalf("got %q", got)
	}
}

func TestInsert(t *testing.T) {
	c := conn(t, chdb.Env{})
	query(t, c, "CREATE TABLE inserts (a UInt64) ENGINE = MergeTree ORDER BY a")
	insert := func(parts ...io.Reader) (chdb.Stats, error) {
		return c.Insert("INSERT INTO inserts", "TabSeparated", io.MultiReader(parts...))
	}
	text := func(s string) io.Reader { return strings.NewReader(s) }
	if stats, err := insert(text("1\n2"), text("0\n3\n")); err != nil || stats.WrittenRows != 3 {
		t.Fatalf("%+v %v", stats, err)
	}
	broken := errors.New("broken")
	if _, err := insert(text("4\n"), iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if _, err := insert(text("5\nx\n")); err == nil || !strings.HasPrefix(err.Error(), "Code: ") {
		t.Fatalf("got %v", err)
	}
	if _, err := insert(text(strings.Repeat("6\n", 1<<20)), text("x\n"), text(strings.Repeat("6\n", 1<<20))); err == nil || !strings.HasPrefix(err.Error(), "Code: ") {
		t.Fatalf("got %v", err)
	}
	if stats, err := insert(); err != nil || stats.WrittenRows != 0 {
		t.Fatalf("%+v %v", stats, err)
	}
	if got := query(t, c, "SELECT arraySort(groupArray(a)) FROM inserts WHERE a != 6"); got != "[1,3,20]\n" {
		t.Fatalf("got %q", got)
	}
	if _, err := c.Insert("INSERT INTO nope", "TabSeparated", text("1\n")); err == nil || !strings.HasPrefix(err.Error(), "Code: 60.") {
		t.Fatalf("got %v", err)
	}
}

func TestEnv(t *testing.T) {
	c := conn(t, chdb.Env{Database: "system", Settings: map[string]string{"max_block_size": "77", "max_threads": "1"}})
	const read = "SELECT currentDatabase(), getSetting('max_block_size'), getSetting('max_threads')"
	if got := query(t, c, read); got != "system\t77\t1\n" {
		t.Fatalf("got %q", got)
	}
	if err := c.Apply(chdb.Env{Settings: map[string]string{"max_threads": "3"}}); err != nil {
		t.Fatal(err)
	}
	if got := query(t, c, read); !strings.HasPrefix(got, "default\t") || strings.Contains(got, "\t77\t") || !strings.HasSuffix(got, "\t3\n") {
		t.Fatalf("got %q", got)
	}
}
