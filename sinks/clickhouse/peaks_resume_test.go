package clickhouse_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// awhile makes all that is there two hours older, which is more than a roller looks back.
func (e *engine) awhile() {
	e.t.Helper()
	e.query("ALTER TABLE $db.room_rows UPDATE inserted_at = inserted_at - 7200 WHERE 1 SETTINGS mutations_sync = 2")
	e.query("ALTER TABLE $db.peaks_taken UPDATE taken_until = taken_until - 7200 WHERE toUnixTimestamp(taken_until) > 0 SETTINGS mutations_sync = 2")
}

// wantPeak says what every window of each of so many rooms has as its peak.
func (e *engine) wantPeak(rooms, peak int) {
	e.t.Helper()
	got := e.query("SELECT grain, online, count() FROM $db.room_measures WHERE grain > '10s' GROUP BY ALL ORDER BY ALL")
	var want []string
	for _, grain := range []string{"1m", "1h", "1d", "session"} {
		want = append(want, fmt.Sprintf("%s\t%d\t%d", grain, peak, rooms))
	}
	if want := strings.Join(want, "\n"); got != want {
		e.t.Errorf("grain, peak and rooms are\n%s, want\n%s", got, want)
	}
}

// cutAfter stands before the real engine until it has let so many pieces of peaks pass, and is gone then until it is back.
func cutAfter(t *testing.T, e *engine, pass int64) (proxied string, back func()) {
	t.Helper()
	var pieces atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: e.addr})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if strings.HasPrefix(r.URL.Query().Get("query")+string(body), "INSERT INTO "+e.db+".room_rows") && pieces.Add(1) > pass {
			panic(http.ErrAbortHandler)
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://"), func() { pieces.Store(math.MinInt64) }
}

// A roller that starts after a long stop may be killed, or fail, between two pieces of its first cycle. What it has written by then must not let the next
// one, or itself in its next cycle, take the pieces that it did not come to for done.
func TestPeaksOfARollerCutShort(t *testing.T) {
	const rooms = 12
	for name, c := range map[string]struct {
		pass int64 // pieces
		old  bool  // the database is of a version that did not write down how far it was
		same bool  // it goes on itself
	}{
		"between minutes":                    {pass: 4},
		"between minutes, and goes on":       {pass: 4, same: true},
		"between hours":                      {pass: rooms + 4},
		"in a database of an older version":  {pass: 4, old: true},
		"with hours of an older one to come": {pass: rooms, old: true},
	} {
		t.Run(name, func(t *testing.T) {
			e := open(t)
			online := func(version uint64, panes ...int64) {
				var rows []row
				for i := range rooms {
					r := online(start, 0, version, panes...)
					r.Room = fmt.Sprint("r", i)
					rows = append(rows, r)
				}
				e.write(rows...)
			}
			online(5, 3)
			e.roll(e.roller())
			online(6, 3, 9) // and the process stops before its next cycle
			e.awhile()
			if c.old {
				e.query("DROP TABLE $db.peaks_taken SYNC")
				if made, err := e.Apply(t.Context()); err != nil || made != 1 {
					t.Fatal(made, err)
				}
			}
			next := e.rollCut(c.pass)
			if !c.same {
				next = e.roller()
			}
			e.roll(next)
			e.wantPeak(rooms, 9)
		})
	}
}

// rollCut runs a roller, with pieces of one row, that is cut off after so many. It could go on.
func (e *engine) rollCut(pass int64) *clickhouse.Roller {
	e.t.Helper()
	cfg := clickhouse.DefaultRollerConfig()
	cfg.ChunkRows = 1
	addr, back := cutAfter(e.t.(*testing.T), e, pass)
	cut, err := clickhouse.NewRoller(e.through(addr), e.epoch, cfg)
	if err != nil {
		e.t.Fatal(err)
	}
	if err := cut.RollOnce(context.Background()); err == nil {
		e.t.Fatal("the cycle was not cut")
	}
	back()
	return cut
}

// A pipeline that stands still for longer than the look-back must not forget what was inserted after its last cycle, nor what became visible late.
func TestPeaksAfterALongStop(t *testing.T) {
	for name, before := range map[string]int{"inserted after the last cycle": 0, "seen late": 3600 + 30} { // the latter within the look-back and the slack
		t.Run(name, func(t *testing.T) {
			e := open(t)
			e.write(online(start, 0, 5, 3))
			e.awhile() // else this row, of the second of the cycle, would have its minute looked at again
			e.roll(e.roller())
			e.write(online(start, 0, 6, 3, 9)) // and the process stops before its next cycle
			e.query("ALTER TABLE $db.room_rows UPDATE inserted_at = inserted_at - %d WHERE part = 0 AND version = 6 SETTINGS mutations_sync = 2", before)
			e.awhile()
			e.roll(e.roller())
			e.wantPeak(1, 9)
		})
	}
}

// A roller writes down how far it is when it starts, then now and then; never more than it has done.
func TestPeaksTakenIsWrittenSeldom(t *testing.T) {
	e := open(t)
	addr, statements := listening(t, e.addr)
	r, err := clickhouse.NewRoller(e.through(addr), e.epoch, clickhouse.DefaultRollerConfig())
	if err != nil {
		t.Fatal(err)
	}
	lines := func() (n int) {
		for _, s := range statements() {
			if strings.Contains(s, "INSERT INTO "+e.db+".peaks_taken") {
				n++
			}
		}
		return n
	}
	e.roll(r)
	first := lines()
	e.roll(r)
	if first == 0 || lines() != first {
		t.Errorf("%d lines at the start, %d in a cycle after it; want some and none", first, lines()-first)
	}
	if got := e.number("SELECT countIf(taken_until > now() OR taken_until < now() - 600) FROM $db.peaks_taken FINAL"); got != 0 {
		t.Errorf("%d lines have another time than that of the cycle", got)
	}
}

// Peaks that somebody deleted are taken again by a start, whatever is written down about them.
func TestPeaksDeletedAreTakenAgain(t *testing.T) {
	e := open(t)
	e.write(online(start, 0, 5, 3, 9))
	e.awhile()
	e.roll(e.roller())
	e.awhile()
	e.query("ALTER TABLE $db.room_rows DELETE WHERE part = 65534 SETTINGS mutations_sync = 2")
	e.roll(e.roller())
	e.wantPeak(1, 9)
}
