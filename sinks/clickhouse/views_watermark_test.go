package clickhouse_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/livemeter/livemeter/pipeline/measure"
)

// A look reads the watermark before it reads rows, in each grain's view and in all together: rows that come while it reads the watermark are in the answer,
// which the watermark's status is of.
func TestWatermarkIsReadBeforeRows(t *testing.T) {
	e := open(t)
	e.hours = 0
	version := int64(1)
	write := func() {
		e.write(row{Room: "a", Window: start, Version: uint64(version), Value: version, Panes: []pane{{Pane: 0, Value: version}}})
		version++
	}
	write()
	e.watermark(start)
	var mu sync.Mutex // of asked and version: handlers are done when an answer is here
	asked := 0
	comes := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodGet {
			asked++
			write()
		}
		fmt.Fprintln(w, "1")
	}))
	t.Cleanup(comes.Close)
	e.query("RENAME TABLE $db.watermarks_rows TO $db.watermarks_slow")
	e.query("CREATE VIEW $db.watermarks_rows AS SELECT r.* FROM $db.watermarks_slow AS r WHERE (SELECT max(x) FROM url('%s/', 'TSV', 'x UInt8')) = 1", comes.URL)
	wheres := []string{"1"}
	for _, grain := range measure.GrainNames {
		wheres = append(wheres, "grain = '"+grain+"'")
	}
	for _, where := range wheres {
		before := asked
		got := e.number("SELECT min(events) FROM $db.room_measures WHERE %s", where)
		if asked == before {
			t.Fatalf("WHERE %s: the watermark was not read", where)
		}
		if got != version-1 { // whichever of its answers it was that the status is of
			t.Errorf("WHERE %s: the row's version %d, while the watermark was known only when there was %d", where, got, version-1)
		}
	}
}
