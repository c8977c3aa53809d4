package chhttp_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/livemeter/livemeter/deploy/embedded/chhttp"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// server is a ClickHouse and a database in it.
type server struct {
	t        *testing.T
	addr, db string
}

func start(t *testing.T) server {
	addr, db := testengine.ClickHouse(t)
	return server{t, addr, db}
}

type reply struct {
	status int
	body   string
	header http.Header
}

// do sends a request; params are pairs of name and value in the URL.
func (s server) do(method, body string, header http.Header, params ...string) reply {
	s.t.Helper()
	values := url.Values{"database": {s.db}}
	for i := 0; i < len(params); i += 2 {
		values.Set(params[i], params[i+1])
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.addr+"/?"+values.Encode(), strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for name := range header {
		req.Header.Set(name, header.Get(name))
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{res.StatusCode, string(text), res.Header}
}

func (s server) post(body string, params ...string) reply {
	s.t.Helper()
	return s.do(http.MethodPost, body, nil, params...)
}

// want checks a reply's status and body.
func (r reply) want(t *testing.T, status int, body string) reply {
	t.Helper()
	if r.status != status || r.body != body {
		t.Errorf("got %d %q, want %d %q", r.status, r.body, status, body)
	}
	return r
}

func TestHealth(t *testing.T) {
	s := start(t)
	for _, path := range []string{"/", "/ping", "/replicas_status"} {
		res, err := http.Get("http://" + s.addr + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 200 || string(body) != "Ok.\n" {
			t.Errorf("%s: %s %q", path, res.Status, body)
		}
	}
}

func TestStatementsAndFormats(t *testing.T) {
	s := start(t)
	s.do("GET", "", nil, "query", "SELECT 1").want(t, 200, "1\n")
	s.post("SELECT 1").want(t, 200, "1\n")
	s.post("1", "query", "SELECT").want(t, 200, "1\n")
	s.post("SELECT 1 AS a", "default_format", "JSONEachRow").want(t, 200, "{\"a\":1}\n")
	s.post("SELECT 1 AS a FORMAT CSVWithNames", "default_format", "JSONEachRow").want(t, 200, "\"a\"\n1\n")
	s.post("SELECT currentDatabase()").want(t, 200, s.db+"\n")
	s.post("SELECT number FROM numbers(3) FORMAT Null").want(t, 200, "")
	s.do("POST", "SELECT 1 AS a", http.Header{"X-Clickhouse-Format": {"JSONCompactEachRow"}}).want(t, 200, "[1]\n")
	s.post("SELECT {a:UInt8} + {b:UInt8}, {s:String}, {l:Array(String)}", "param_a", "1", "param_b", "2", "param_s", `x'\ty`, "param_l", "['p','q']").
		want(t, 200, "3\tx\\'\\ty\t['p','q']\n")
	// A large result goes through pieces, all of it.
	lines := strings.Count(s.post("SELECT number, 'some text' FROM numbers(1000000)").body, "\n")
	if lines != 1_000_000 {
		t.Errorf("%d rows of 1000000", lines)
	}
}

// TestOrigins: a page that somebody happens to look at can post statements to an address of this machine. Only those of the same address are run.
func TestOrigins(t *testing.T) {
	s := start(t)
	s.post("CREATE TABLE kept (a UInt8) ENGINE = MergeTree ORDER BY a").want(t, 200, "")
	for _, origin := range []string{"https://evil.example", "null", "http://127.0.0.1:1", "http://evil." + s.addr} {
		for _, method := range []string{"POST", "GET", "OPTIONS"} {
			r := s.do(method, "", http.Header{"Origin": {origin}}, "query", "DROP TABLE kept")
			if r.status != http.StatusForbidden || !strings.Contains(r.body, origin) {
				t.Errorf("%s from a page of %s: %d %q", method, origin, r.status, r.body)
			}
		}
	}
	s.post("EXISTS TABLE kept").want(t, 200, "1\n")
	s.do("POST", "SELECT 1", http.Header{"Origin": {"http://" + s.addr}}).want(t, 200, "1\n")
}

func TestHeaders(t *testing.T) {
	s := start(t)
	r := s.post("SELECT number FROM numbers(10) FORMAT JSON", "query_id", "my-id")
	for name, want := range map[string]string{"X-ClickHouse-Query-Id": "my-id", "X-ClickHouse-Format": "JSON", "Content-Type": "application/json; charset=UTF-8"} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"X-ClickHouse-Timezone", "X-ClickHouse-Server-Display-Name"} {
		if r.header.Get(name) == "" {
			t.Errorf("%s is missing", name)
		}
	}
	s.post("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
	var summary map[string]string
	r = s.post("INSERT INTO t VALUES (1), (2), (3)")
	if err := json.Unmarshal([]byte(r.header.Get("X-ClickHouse-Summary")), &summary); err != nil || summary["written_rows"] != "3" {
		t.Errorf("summary %v %v, want 3 written rows", summary, err)
	}
}

func TestErrors(t *testing.T) {
	s := start(t)
	s.post("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
	for _, c := range []struct {
		sql, code string
		status    int
		params    []string
	}{
		{"SELECT * FROM nope", "60", 404, nil},
		{"SELEC 1", "62", 400, nil},
		{"", "62", 400, nil},
		{"SELECT 1; SELECT 2", "62", 400, nil},
		{"SELECT nope", "47", 404, nil},
		{"SELECT 1", "115", 404, []string{"no_such_setting", "1"}},
		{"SELECT 1", "81", 404, []string{"database", "nope"}},
		{"SELECT 1 FORMAT Nope", "73", 404, nil},
		{"INSERT INTO t FORMAT CSV\nx", "117", 400, nil},
		{"INSERT INTO nope VALUES (1)", "60", 404, nil},
		{"INSERT INTO t", "62", 400, nil},
		{"SELECT throwIf(number = 3) FROM numbers(10)", "395", 500, nil},
		{"SELECT {a:UInt8}", "456", 500, nil},
		{"SELECT 1", "374", 400, []string{"session_id", "x", "session_timeout", "never"}},
	} {
		r := s.post(c.sql, c.params...)
		if r.status != c.status || r.header.Get("X-ClickHouse-Exception-Code") != c.code || !strings.HasPrefix(r.body, "Code: "+c.code+". DB::Exception: ") || !strings.Contains(r.body, "(version ") {
			t.Errorf("%q: got %d, code %s, %q; want %d, code %s", c.sql, r.status, r.header.Get("X-ClickHouse-Exception-Code"), r.body, c.status, c.code)
		}
	}
	if r := s.do("GET", "", nil, "query", "DROP TABLE t"); r.header.Get("X-ClickHouse-Exception-Code") != "164" {
		t.Errorf("GET changed a table: %+v", r)
	}
	s.post("SELECT count() FROM t").want(t, 200, "0\n")
}

// An error behind the start of a result must not look like the end of it.
func TestErrorInsideResult(t *testing.T) {
	s := start(t)
	sql := "SELECT number, throwIf(number = 3000000) FROM numbers(4000000)"
	res, err := http.Post("http://"+s.addr+"/", "text/plain", strings.NewReader(sql))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	tag := res.Header.Get("X-ClickHouse-Exception-Tag")
	if err == nil || res.StatusCode != 200 || tag == "" {
		t.Errorf("got %s, tag %q, error %v; want a 200 that is cut off", res.Status, tag, err)
	}
	if !strings.Contains(string(body), "\r\n__exception__\r\n"+tag+"\r\nCode: 395.") {
		t.Errorf("the error is not in the body: %.300q", body[max(0, len(body)-300):])
	}
	s.post(sql, "wait_end_of_query", "1").wantCode(t, 500, "395")
}

func (r reply) wantCode(t *testing.T, status int, code string) {
	t.Helper()
	if r.status != status || r.header.Get("X-ClickHouse-Exception-Code") != code {
		t.Errorf("got %d, code %s, %.200q; want %d, code %s", r.status, r.header.Get("X-ClickHouse-Exception-Code"), r.body, status, code)
	}
}

// Settings of a request, and what a statement changes in its session, must not reach the next request.
func TestSettingsStayInTheirRequest(t *testing.T) {
	s := start(t)
	read := "SELECT getSetting('max_block_size'), currentDatabase()"
	before := s.post(read).body
	s.post(read, "max_block_size", "77").want(t, 200, "77\t"+s.db+"\n")
	s.post("SET max_block_size = 78")
	s.post("USE system")
	s.post("CREATE TEMPORARY TABLE temp (a UInt8)")
	for range 8 { // whichever connections of the pool answer
		s.post(read).want(t, 200, before)
		s.post("SELECT * FROM temp").wantCode(t, 404, "60")
	}
}

// What a request may do is its own affair, too: a connection that may only read, or define nothing, can't be set to anything else any more.
func TestOnlyReadingIsOfOneRequest(t *testing.T) {
	s := start(t)
	for _, latch := range []string{"readonly=1", "readonly=2", "allow_ddl=0"} {
		name, value, _ := strings.Cut(latch, "=")
		for range 8 {
			s.post("SELECT 1", name, value).want(t, 200, "1\n")
			s.post("SELECT getSetting('max_result_rows')", "max_result_rows", "5", name, value).want(t, 200, "5\n")
			s.post("SELECT getSetting('max_block_size')", "max_block_size", "77").want(t, 200, "77\n")
		}
	}
}

func TestSessions(t *testing.T) {
	s := start(t)
	in := []string{"session_id", s.db}
	s.post("SELECT 1", append(in, "session_check", "1")...).wantCode(t, 404, "372")
	s.post("CREATE TEMPORARY TABLE temp (a UInt8)", in...)
	s.post("SET max_block_size = 78", in...)
	s.post("INSERT INTO temp VALUES (7)", in...)
	s.post("SELECT a, getSetting('max_block_size') FROM temp", in...).want(t, 200, "7\t78\n")
	s.post("SELECT 1", append(in, "close_session", "1")...).want(t, 200, "1\n")
	s.post("SELECT * FROM temp", in...).wantCode(t, 404, "60")
}

func TestInsertForms(t *testing.T) {
	s := start(t)
	s.post("CREATE TABLE t (a UInt64, b String DEFAULT 'd') ENGINE = MergeTree ORDER BY a")
	s.post("INSERT INTO t VALUES (1, 'x')").want(t, 200, "")
	s.post(" (2, ';')", "query", "INSERT INTO t VALUES").want(t, 200, "")
	s.post("VALUES (3)", "query", "INSERT INTO t (a)").want(t, 200, "")
	s.post("", "query", "INSERT INTO t (a) VALUES (0)").want(t, 200, "")
	s.post("SELECT 10, 'q'", "query", "INSERT INTO t").want(t, 200, "")
	s.post("INSERT INTO t FORMAT JSONEachRow\n{\"a\":4}\n{\"a\":5,\"b\":\"y\"}").want(t, 200, "")
	s.post("6\ty\n", "query", "INSERT INTO t SETTINGS max_threads = 1 FORMAT TabSeparated").want(t, 200, "")
	s.post("INSERT INTO t SELECT number + 7, 's' FROM numbers(2)").want(t, 200, "")
	s.post("INSERT INTO t FORMAT Native\n"+s.post("SELECT toUInt64(9) AS a, 'n' AS b FORMAT Native").body).want(t, 200, "")
	s.post("SELECT groupArray((a, b)) FROM (SELECT * FROM t ORDER BY a)").
		want(t, 200, `[(0,'d'),(1,'x'),(2,';'),(3,'d'),(4,'d'),(5,'y'),(6,'y'),(7,'s'),(8,'s'),(9,'n'),(10,'q')]`+"\n")
}

func TestCompressedRequestsAndResults(t *testing.T) {
	s := start(t)
	s.post("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	rows := strings.Repeat("1\n", 100_000)
	for _, encoding := range []string{"gzip", "deflate", "zstd", "lz4", "br"} {
		// What the server packs for one request is what it unpacks in the next.
		packed := s.do("POST", "SELECT 1 FROM numbers(100000)", http.Header{"Accept-Encoding": {encoding}}, "enable_http_compression", "1")
		if got := packed.header.Get("Content-Encoding"); got != encoding || len(packed.body) > len(rows)/10 {
			t.Errorf("asked for %s: %d bytes of %q", encoding, len(packed.body), got)
		}
		s.do("POST", packed.body, http.Header{"Content-Encoding": {encoding}}, "query", "INSERT INTO t FORMAT TSV").want(t, 200, "")
	}
	for _, method := range []string{"LZ4", "ZSTD", "NONE"} {
		packed := s.post("SELECT 1 FROM numbers(100000)", "compress", "1", "network_compression_method", method)
		s.post(packed.body, "query", "INSERT INTO t FORMAT TSV", "decompress", "1").want(t, 200, "")
		s.post(packed.body[:len(packed.body)-3], "query", "INSERT INTO t FORMAT TSV", "decompress", "1").wantCode(t, 500, "271")
	}
	s.post("SELECT count() FROM t").want(t, 200, "800000\n")
	plain := s.do("POST", "SELECT 1", http.Header{"Accept-Encoding": {"gzip"}})
	if plain.want(t, 200, "1\n").header.Get("Content-Encoding") != "" {
		t.Error("compressed without enable_http_compression")
	}
}

// A body that ends early must insert nothing.
func TestCutOffInsertIsNotCommitted(t *testing.T) {
	s := start(t)
	s.post("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	body, writer := io.Pipe()
	go func() {
		fmt.Fprint(writer, "INSERT INTO t FORMAT TSV\n1\n2\n")
		writer.CloseWithError(fmt.Errorf("the client dies"))
	}()
	if res, err := http.Post("http://"+s.addr+"/?database="+s.db, "text/plain", body); err == nil {
		res.Body.Close()
		t.Fatalf("got %s", res.Status)
	}
	var packed strings.Builder
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, "INSERT INTO t FORMAT TSV\n1\n2\n")
	z.Flush()
	s.do("POST", packed.String(), http.Header{"Content-Encoding": {"gzip"}}).wantCode(t, 500, "36")
	s.post("SELECT count() FROM t").want(t, 200, "0\n")
}

func TestConcurrentInsertsAndQueries(t *testing.T) {
	s := start(t)
	s.post("CREATE TABLE t (w UInt8, a UInt64) ENGINE = MergeTree ORDER BY (w, a)")
	const writers, inserts, rows = 6, 15, 2000
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range inserts {
				s.post("", "query", fmt.Sprintf("INSERT INTO t SELECT %d, %d + number FROM numbers(%d)", w, i*rows, rows)).want(t, 200, "")
				s.post(fmt.Sprintf("INSERT INTO t VALUES (%d, %d)", 100+w, i)).want(t, 200, "")
				if r := s.post(fmt.Sprintf("SELECT count() FROM t WHERE w = %d", w)); r.body != fmt.Sprintln((i+1)*rows) {
					t.Errorf("writer %d sees %q after %d inserts", w, r.body, i+1)
				}
			}
		})
	}
	group.Wait()
	s.post("SELECT count(), uniqExact(w, a) FROM t").want(t, 200, fmt.Sprintf("%d\t%[1]d\n", writers*inserts*(rows+1)))
}

func TestPortInUse(t *testing.T) {
	s := start(t)
	_, err := chhttp.Listen(s.addr, "--addr")
	if err == nil || !strings.Contains(err.Error(), s.addr) || !strings.Contains(err.Error(), "--addr") {
		t.Fatalf("the error must name port and flag: %v", err)
	}
}

func TestCurl(t *testing.T) {
	s := start(t)
	curl := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "curl", append([]string{"-sS", "--fail-with-body", "--max-time", "30"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("curl %q: %v %s", args, err, out)
		}
		return string(out)
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	at := "http://" + s.addr + "/?database=" + s.db
	curl(at, "-d", "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	curl(at+"&query=INSERT%20INTO%20t%20FORMAT%20CSV", "--data-binary", "1\n2\n3\n")
	if got := curl(at, "-d", "SELECT sum(a) FROM t"); got != "6\n" {
		t.Errorf("got %q", got)
	}
	if got := curl("--compressed", "-H", "X-ClickHouse-User: default", at+"&enable_http_compression=1&query=SELECT%20count()%20FROM%20t%20FORMAT%20TSVWithNames"); got != "count()\n3\n" {
		t.Errorf("got %q", got)
	}
}
