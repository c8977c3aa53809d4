package chhttp_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/livemeter/livemeter/deploy/embedded/engines"
)

type row struct {
	ID    uint64            `ch:"id"`
	Name  string            `ch:"name"`
	At    time.Time         `ch:"at"`
	Tags  []string          `ch:"tags"`
	Maybe *float64          `ch:"maybe"`
	Map   map[string]uint64 `ch:"map"`
}

func TestClickHouseGo(t *testing.T) {
	for name, compression := range map[string]*clickhouse.Compression{
		"plain": nil, "lz4": {Method: clickhouse.CompressionLZ4}, "zstd": {Method: clickhouse.CompressionZSTD},
		"gzip": {Method: clickhouse.CompressionGZIP, Level: 3}, "deflate": {Method: clickhouse.CompressionDeflate, Level: 3}, "br": {Method: clickhouse.CompressionBrotli, Level: 3},
	} {
		t.Run(name, func(t *testing.T) { useClickHouseGo(t, compression) })
	}
}

func useClickHouseGo(t *testing.T, compression *clickhouse.Compression) {
	s := start(t)
	ctx := t.Context()
	c, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{s.addr}, Protocol: clickhouse.HTTP, Auth: clickhouse.Auth{Database: s.db, Username: "default"}, Compression: compression,
		Settings: clickhouse.Settings{"max_execution_time": 60},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	err = c.Exec(ctx, `CREATE TABLE t (id UInt64, name LowCardinality(String), at DateTime64(3, 'Asia/Shanghai'), tags Array(LowCardinality(String)),
		maybe Nullable(Float64), map Map(String, UInt64)) ENGINE = MergeTree ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	const n = 20_000
	half, at := 0.5, time.UnixMilli(1_795_312_800_123).UTC()
	want := func(i int) row {
		r := row{ID: uint64(i), Name: "name", At: at, Tags: []string{"a", "b"}, Map: map[string]uint64{"k": uint64(i)}}
		if i%2 == 0 {
			r.Maybe = &half
		}
		return r
	}

	byRow, err := c.PrepareBatch(ctx, "INSERT INTO t")
	if err != nil {
		t.Fatal(err)
	}
	byColumn, err := c.PrepareBatch(ctx, "INSERT INTO t (id, name, at, tags, maybe, map)")
	if err != nil {
		t.Fatal(err)
	}
	var columns struct {
		id    []uint64
		name  []string
		at    []time.Time
		tags  [][]string
		maybe []*float64
		maps  []map[string]uint64
	}
	for i := range n {
		r := want(i)
		if err := byRow.AppendStruct(&r); err != nil {
			t.Fatal(err)
		}
		r = want(n + i)
		columns.id, columns.name, columns.at = append(columns.id, r.ID), append(columns.name, r.Name), append(columns.at, r.At)
		columns.tags, columns.maybe, columns.maps = append(columns.tags, r.Tags), append(columns.maybe, r.Maybe), append(columns.maps, r.Map)
	}
	for i, column := range []any{columns.id, columns.name, columns.at, columns.tags, columns.maybe, columns.maps} {
		if err := byColumn.Column(i).Append(column); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(byRow.Send(), byColumn.Send()); err != nil {
		t.Fatal(err)
	}

	rows, err := c.Query(ctx, "SELECT * FROM t WHERE id < {most:UInt64} ORDER BY id", clickhouse.Named("most", "1000000"))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	i := 0
	for ; rows.Next(); i++ {
		var got row
		if err := rows.ScanStruct(&got); err != nil {
			t.Fatal(err)
		}
		w := want(i)
		if got.ID != w.ID || got.Name != w.Name || !got.At.Equal(w.At) || !slices.Equal(got.Tags, w.Tags) || got.Map["k"] != w.Map["k"] || (got.Maybe == nil) != (w.Maybe == nil) {
			t.Fatalf("row %d is %+v, want %+v", i, got, w)
		}
	}
	if rows.Err() != nil || i != 2*n {
		t.Fatalf("%d rows of %d, %v", i, 2*n, rows.Err())
	}
	empty, err := c.Query(ctx, "SELECT id, name AS label FROM t WHERE id = ? FORMAT Native", uint64(1<<60))
	if err != nil || !slices.Equal(empty.Columns(), []string{"id", "label"}) || empty.Next() || empty.Err() != nil {
		t.Fatalf("empty result: %v, columns %v", err, empty.Columns())
	}
	goExceptions(t, c)
}

// goExceptions wants the code of an error, both of one before the result and of one inside it.
func goExceptions(t *testing.T, c clickhouse.Conn) {
	t.Helper()
	var exception *clickhouse.Exception
	if _, err := c.Query(t.Context(), "SELECT * FROM nope"); !errors.As(err, &exception) || exception.Code != 60 {
		t.Errorf("got %v, want code 60", err)
	}
	rows, err := c.Query(t.Context(), "SELECT number, throwIf(number = 3000000) FROM numbers(4000000)")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
	}
	if !errors.As(rows.Err(), &exception) || exception.Code != 395 {
		t.Errorf("got %v, want code 395", rows.Err())
	}
}

// clickHouseConnect is the Python client, pinned.
const clickHouseConnect = "clickhouse-connect==0.8.18"

const pythonTest = `
import sys, datetime, clickhouse_connect
from clickhouse_connect.driver.exceptions import DatabaseError
host, port, database = sys.argv[1:]
for compress in (False, 'lz4', 'zstd', 'gzip'):
    c = clickhouse_connect.get_client(host=host, port=int(port), database=database, compress=compress)
    c.command('DROP TABLE IF EXISTS p')
    c.command('CREATE TABLE p (id UInt64, name LowCardinality(String), at DateTime, d Decimal(18, 2), tags Array(String), n Nullable(Int32)) ENGINE = MergeTree ORDER BY id')
    at = datetime.datetime(2026, 11, 24, 1, 2, 3)
    rows = [[i, 'n%d' % (i % 10), at, i, ['a', str(i)], None if i % 2 else i] for i in range(50000)]
    summary = c.insert('p', rows, column_names=['id', 'name', 'at', 'd', 'tags', 'n'])
    assert summary.written_rows == 50000, summary.summary
    got = c.query('SELECT * FROM p ORDER BY id').result_rows
    assert len(got) == 50000 and list(got[7]) == rows[7], got[7]
    assert len(set(r[0] for r in got)) == 50000
    assert c.query('SELECT count() FROM p WHERE name = {name:String} AND id IN {ids:Array(UInt64)}', parameters={'name': 'n7', 'ids': [7, 17, 18]}).first_row == (2,)
    empty = c.query('SELECT id, name FROM p WHERE id > 1000000')
    assert empty.result_rows == [] and empty.column_names == ('id', 'name'), empty.column_names
    c.command('INSERT INTO p (id) VALUES (99999)')
    assert c.command('SELECT max(id) FROM p') == 99999
    assert c.command('SELECT getSetting({s:String})', parameters={'s': 'max_block_size'}, settings={'max_block_size': 77}) == 77
    with c.query_row_block_stream('SELECT number FROM numbers(300000)') as stream:
        assert sum(len(block) for block in stream) == 300000
    assert c.raw_query('SELECT 1 AS x', fmt='JSONEachRow') == b'{"x":1}\n'
    c.command('CREATE TEMPORARY TABLE temp (a UInt8)')
    c.insert('temp', [[5]], column_names=['a'])
    assert c.command('SELECT a FROM temp') == 5
    try:
        c.query('SELECT * FROM nope')
        raise SystemExit('no error')
    except DatabaseError as e:
        assert 'UNKNOWN_TABLE' in str(e), e
    assert c.ping()
    c.close()
print('ok')
`

func TestClickHouseConnect(t *testing.T) {
	s := start(t)
	python := pythonWith(t, clickHouseConnect)
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), python, "-c", pythonTest, host, port, s.db).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// pythonWith gives the Python of a virtual environment that has the package, kept in the engines' cache.
func pythonWith(t *testing.T, pinned string) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed (Debian, Ubuntu: apt-get install python3 python3-venv)")
	}
	cache, err := engines.Dir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "python-"+pinned)
	inside := filepath.Join(dir, "bin", "python3")
	if exec.Command(inside, "-c", "import clickhouse_connect").Run() == nil {
		return inside
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{python, "-m", "venv", dir}, {inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", pinned}} {
		if out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	return inside
}
