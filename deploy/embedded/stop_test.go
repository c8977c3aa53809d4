package embedded_test

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// A ClickHouse that is told to stop while statements run lets them end, and the directory is free for the next one.
func TestStopWhileStatementsRun(t *testing.T) {
	dir := t.TempDir()
	p := testengine.ClickHouseProcess(t, dir, "127.0.0.1:0")
	base := "http://" + p.Addr() + "/?"
	testengine.Exec(t, p.Addr(), "CREATE TABLE slow (a UInt64) ENGINE = MergeTree ORDER BY a")
	requests := []url.Values{
		{"query": {"SELECT sleepEachRow(0.2), 'marked' FROM numbers(4) FORMAT Null"}},
		{"query": {"SELECT sleepEachRow(0.2), 'marked' FROM numbers(4) FORMAT Null"}, "session_id": {"s"}},
		{"query": {"SELECT number, sleepEachRow(0.001), 'marked' FROM numbers(800) SETTINGS max_block_size = 10"}},
		{"query": {"INSERT INTO slow SELECT sleepEachRow(0.2) + length('marked') FROM numbers(4)"}},
	}
	answers := make(chan string, len(requests))
	for _, values := range requests {
		go func() {
			res, err := http.Post(base+values.Encode(), "", nil)
			if err != nil {
				answers <- err.Error()
				return
			}
			defer res.Body.Close()
			text, err := io.ReadAll(res.Body)
			if err != nil {
				text = []byte(err.Error())
			} else if res.StatusCode == http.StatusOK {
				text = nil
			}
			answers <- string(text)
		}()
	}
	running := "SELECT count() FROM system.processes WHERE query LIKE '%marked%' AND query NOT LIKE '%system.processes%'"
	for testengine.Exec(t, p.Addr(), running) != "4\n" {
		if t.Context().Err() != nil {
			t.Fatal("the statements do not run")
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Err(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	for range requests {
		if answer := <-answers; answer != "" {
			t.Errorf("a statement that ran was answered %q", answer)
		}
	}
	log, err := os.ReadFile(filepath.Join(dir, "clickhouse.log"))
	if err != nil || strings.Contains(string(log), "panic") || strings.Contains(string(log), "SIG") {
		t.Errorf("%v\n%s", err, log)
	}
	next := testengine.ClickHouseProcess(t, dir, "127.0.0.1:0")
	if got := testengine.Exec(t, next.Addr(), "SELECT count() FROM slow"); got != "4\n" {
		t.Errorf("%q rows of the INSERT", got)
	}
}
