package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/sinks/clickhouse"
	"github.com/livemeter/livemeter/sinks/conformance"
)

type (
	row  = conformance.Row
	pane = conformance.Pane
)

const (
	hour   = 3_600_000
	minute = 60_000
	closed = rollup.Closed
)

var (
	start  = conformance.Start - conformance.Start%hour
	allDay = start - start%(24*hour) - 8*hour // midnight in Shanghai
)

// roller folds at once, unless change says otherwise.
func (e *engine) roller(change ...func(*clickhouse.RollerConfig)) *clickhouse.Roller {
	e.t.Helper()
	cfg := clickhouse.DefaultRollerConfig()
	cfg.FoldDelay = 0
	for _, c := range change {
		c(&cfg)
	}
	r, err := clickhouse.NewRoller(e.Sink, e.epoch, cfg)
	if err != nil {
		e.t.Fatal(err)
	}
	return r
}

func (e *engine) roll(r *clickhouse.Roller) {
	e.t.Helper()
	if err := r.RollOnce(context.Background()); err != nil {
		e.t.Fatal(err)
	}
}

// shown is all that an analyst sees of rooms.
func (e *engine) shown() string {
	return e.query("SELECT * FROM $db.room_measures ORDER BY ALL")
}

// peaksOnly takes the peaks and folds nothing.
func peaksOnly(c *clickhouse.RollerConfig) { c.FoldDelay = 1 << 40 }

// live is how many rows a key has behind the view, peaks apart.
func (e *engine) live(room string) int64 {
	return e.number("SELECT count() FROM $db.room_rows FINAL WHERE room_id = '%s' AND part != 65534", room)
}

func TestFoldKeepsEveryValue(t *testing.T) {
	e := open(t)
	e.watermark(start + 1000*hour)
	r := e.roller()
	var rows []row
	for i, g := range []measure.Grain{measure.Grain1m, measure.Grain1h} { // minutes stay
		for part := range uint16(4) {
			rows = append(rows, row{Grain: g, Room: "a", Window: start, Part: part, Gen: 3, Version: 10, State: closed, Value: int64(100*i) + int64(part)})
		}
		rows = append(rows, row{Grain: g, Room: "single", Window: start, Version: 10, State: closed, Value: 5},
			row{Grain: g, Room: "open", Window: start, Part: 1, Version: 10, Value: 6},
			row{Grain: g, Room: "open", Window: start, Part: 2, Version: 10, State: closed, Value: 7},
			row{Grain: g, Room: "open", Window: start, Part: 3, Version: 10, State: closed, Value: 8})
	}
	e.write(rows...)
	before := e.shown()
	e.roll(r)
	if got := e.shown(); got != before {
		t.Fatalf("folded:\n%s\nbefore:\n%s", got, before)
	}
	for room, want := range map[string]int64{"a": 5, "single": 2, "open": 5} {
		if got := e.live(room); got != want {
			t.Errorf("room %s has %d live rows, want %d", room, got, want)
		}
	}
	if got := e.number("SELECT count() FROM $db.room_rows WHERE room_id = 'single'"); got != 2 {
		t.Errorf("keys of a single row were written again: %d rows", got)
	}
	e.roll(r)
	if got := e.number("SELECT count() FROM $db.room_rows FINAL WHERE part = 65535"); got != 2 {
		t.Errorf("%d folded rows, want 2", got)
	}
	t.Run("a correction is folded in", func(t *testing.T) {
		e.t = t
		e.write(row{Grain: measure.Grain1h, Room: "a", Window: start, Part: 2, Gen: 50, Version: 60, State: closed | rollup.Late, Value: 1000})
		want := e.shown()
		if got := e.query("SELECT events, status FROM $db.room_measures WHERE room_id = 'a' AND grain = '1h'"); got != "1406\tcorrected" {
			t.Fatalf("the corrected hour: %s", got)
		}
		e.roll(r)
		if got := e.shown(); got != want {
			t.Errorf("refolded:\n%s\nbefore:\n%s", got, want)
		}
		if got := e.live("a"); got != 5 {
			t.Errorf("%d live rows, want the hour's and four minutes'", got)
		}
	})
	t.Run("replays change nothing", func(t *testing.T) {
		e.t = t
		want := e.shown()
		// The same generations again: as they were, older and still open, and at a higher offset than the first time.
		for _, version := range []uint64{10, 4, 400} {
			e.write(row{Grain: measure.Grain1h, Room: "a", Window: start, Part: 1, Gen: 3, Version: version, State: closed, Value: 101},
				row{Grain: measure.Grain1h, Room: "a", Window: start, Part: 2, Gen: 50, Version: version, Value: 7})
			if got := e.shown(); got != want {
				t.Fatalf("after a replay at %d:\n%s\nwant:\n%s", version, got, want)
			}
			e.roll(r)
			if got := e.shown(); got != want {
				t.Fatalf("after a replay at %d and a roll:\n%s\nwant:\n%s", version, got, want)
			}
		}
	})
	t.Run("without tombstones the next fold removes a replay", func(t *testing.T) {
		e.t = t
		want := e.shown()
		e.query("OPTIMIZE TABLE $db.room_rows FINAL")
		e.query("ALTER TABLE $db.room_rows DELETE WHERE deleted = 1 SETTINGS mutations_sync = 2")
		e.write(row{Grain: measure.Grain1h, Room: "a", Window: start, Part: 1, Gen: 3, Version: 10, State: closed, Value: 101})
		e.roll(r)
		if got := e.shown(); got != want {
			t.Errorf("after an old replay:\n%s\nwant:\n%s", got, want)
		}
	})
}

func TestFoldWaitsForItsDelayAndForEarlierGenerations(t *testing.T) {
	e := open(t)
	e.write(row{Grain: measure.Grain1h, Room: "a", Window: start, Gen: 1, Version: 5, Value: 1}, // its closed row is still on the way
		row{Grain: measure.Grain1h, Room: "a", Window: start, Gen: 9, Version: 12, State: closed, Value: 10},
		row{Grain: measure.Grain1h, Room: "a", Window: start, Part: 1, Gen: 1, Version: 12, State: closed, Value: 100},
		row{Grain: measure.Grain1h, Room: "a", Window: start, Part: 2, Gen: 1, Version: 12, State: closed, Value: 1000})
	e.roll(e.roller(peaksOnly))
	if got := e.live("a"); got != 4 {
		t.Errorf("folded before the delay: %d live rows", got)
	}
	r := e.roller()
	e.roll(r)
	if got := e.query("SELECT part, gen FROM $db.room_rows FINAL ORDER BY part, gen"); got != "0\t1\n0\t9\n65535\t0" {
		t.Errorf("rows after the fold:\n%s", got)
	}
	e.write(row{Grain: measure.Grain1h, Room: "a", Window: start, Gen: 1, Version: 8, State: closed, Value: 2})
	e.roll(r)
	if got := e.query("SELECT events FROM $db.room_measures WHERE grain = '1h'"); got != "1112" {
		t.Errorf("events %s, want 1112", got)
	}
	if got := e.live("a"); got != 1 {
		t.Errorf("%d live rows, want 1", got)
	}
}

// A fold of a chunk is one part, however many rows: else readers could see the sum without its tombstones.
func TestFoldIsOnePart(t *testing.T) {
	e := open(t)
	e.query("SYSTEM STOP MERGES $db.room_rows")
	defer e.query("SYSTEM START MERGES $db.room_rows")
	const rooms, parts = 20_000, 5
	var rows []row
	for i := range rooms * parts {
		rows = append(rows, row{Grain: measure.Grain1h, Room: fmt.Sprint("r", i/parts), Window: start, Part: uint16(i % parts), Gen: 1, Version: 9, State: closed, Value: 1})
	}
	e.write(rows...)
	e.roll(e.roller(func(c *clickhouse.RollerConfig) { c.ChunkRows = 1_000_000 }))
	if got := e.query("SELECT rows FROM system.parts WHERE database = '$db' AND table = 'room_rows' AND active ORDER BY rows"); got != "100000\n120000" {
		t.Errorf("rows of the parts: %s, want one part of 100000 and the fold's one of 120000", strings.ReplaceAll(got, "\n", ", "))
	}
	if got := e.query("SELECT count(), sum(events), uniqExact(events) FROM $db.room_measures WHERE grain = '1h'"); got != "20000\t100000\t1" {
		t.Errorf("rooms, events, values: %s", got)
	}
}

// Two rollers, a writer of corrections and replays, and readers, all at once: no reader ever sees a wrong sum.
func TestReadersDuringFolds(t *testing.T) {
	e := open(t)
	const rooms, parts, rounds = 40, 4, 12
	ctx := context.Background()
	write := func(gen uint64) {
		var rows []row
		for i := range rooms * parts {
			rows = append(rows, row{Grain: measure.Grain1h, Room: fmt.Sprint("r", i/parts), Window: start, Part: uint16(i % parts), Gen: gen, Version: gen + 5, State: closed, Value: 1})
		}
		e.write(rows...)
	}
	write(1)
	done := make(chan struct{})
	var wg sync.WaitGroup
	background := func(f func() error) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				select {
				case <-done:
					return
				default:
					if err := f(); err != nil {
						t.Error(err)
						return
					}
				}
			}
		}()
	}
	for range 2 {
		r := e.roller(func(c *clickhouse.RollerConfig) { c.ChunkRows = 50 })
		background(func() error { return r.RollOnce(ctx) })
	}
	background(func() error {
		var n, low, high, sum int64
		err := e.Conn().QueryRow(ctx, "SELECT toInt64(count()), min(events), max(events), sum(events) FROM "+e.db+".room_measures WHERE grain = '1h'").Scan(&n, &low, &high, &sum)
		if err == nil && (n != rooms || low != high || low%parts != 0 || sum != n*low) {
			err = fmt.Errorf("a reader saw %d rooms with %d to %d events, %d in all", n, low, high, sum)
		}
		return err
	})
	for i := range uint64(rounds) {
		write(10 * (i + 1))
		write(10 * (rand.Uint64N(i+1) + 1)) // a replay
	}
	close(done)
	wg.Wait()
	if t.Failed() {
		return
	}
	e.roll(e.roller())
	if got, want := e.query("SELECT count(), min(events), max(events) FROM $db.room_measures WHERE grain = '1h'"), fmt.Sprintf("%d\t%d\t%d", rooms, (rounds+1)*parts, (rounds+1)*parts); got != want {
		t.Errorf("in the end %s, want %s", got, want)
	}
	if got := e.number("SELECT count() FROM $db.room_rows FINAL"); got != rooms {
		t.Errorf("%d live rows, want one a room: %d", got, rooms)
	}
}

func TestFoldCutShort(t *testing.T) {
	e := open(t)
	e.write(row{Grain: measure.Grain1h, Room: "a", Window: start, Version: 5, State: closed, Value: 1},
		row{Grain: measure.Grain1h, Room: "a", Window: start, Part: 1, Version: 5, State: closed, Value: 1})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := e.roller()
	if err := r.RollOnce(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("a cut cycle returned %v", err)
	}
	if got := e.live("a"); got != 2 {
		t.Fatalf("%d live rows after a cut cycle, want 2", got)
	}
	e.roll(r)
	if got := e.query("SELECT events FROM $db.room_measures WHERE grain = '1h'"); got != "2" || e.live("a") != 1 {
		t.Errorf("events %s in %d rows, want 2 in 1", got, e.live("a"))
	}
}
