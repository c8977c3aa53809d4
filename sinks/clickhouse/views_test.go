package clickhouse_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/sinks/conformance"
)

func TestStatus(t *testing.T) {
	e := open(t)
	now := time.Now().UnixMilli()
	pane := now - now%10_000
	cases := []struct {
		name, want string
		rows       []row
	}{
		{"one partition still moves", "provisional", []row{{State: rollup.Final}, {Part: 1}}},
		{"all are final", "final", []row{{State: rollup.Final}, {Part: 1, State: closed}}},
		{"closed early counts as final", "final", []row{{State: rollup.Closed}}},
		{"late in one partition", "corrected", []row{{State: rollup.Final}, {Part: 1, State: rollup.Final | rollup.Late}}},
		{"late and moving again", "provisional", []row{{State: rollup.Final | rollup.Late}, {Part: 1, State: rollup.Late}}},
		{"a partition that is behind may still come", "provisional", []row{{Window: pane, State: rollup.Final}}},
		{"a session has no end", "final", []row{{Grain: measure.GrainSession, State: rollup.Final}}},
	}
	for i, c := range cases {
		for j := range c.rows {
			c.rows[j].Room = fmt.Sprint(i)
			if c.rows[j].Window == 0 && c.rows[j].Grain != measure.GrainSession {
				c.rows[j].Window = start - 24*hour
			}
		}
		e.write(c.rows...)
		if got := e.query("SELECT status FROM $db.room_measures WHERE room_id = '%d'", i); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A live session's status is decided from the runs of all its partials, as they are and folded.
func TestSessionStatus(t *testing.T) {
	const h = hour // from 0 h on, until an hour after the last event
	run := func(opened, until, late int64) []int64 { return []int64{opened, until, late} }
	cases := []struct {
		name, want string
		rows       []row
	}{
		{"live in one partition", "provisional", []row{{State: closed, Run: run(1, h, 0)}, {Part: 1, Run: run(2, 3*h, 0)}}},
		{"over in all", "final", []row{{State: closed, Run: run(1, h, 0)}, {Part: 1, State: rollup.Final, Run: run(2, 3*h, 0)}}},
		{"resumed after it was final", "corrected", []row{{State: closed, Run: run(1, 2*h, 0)}, {Gen: 9, Run: run(3*h, 5*h, 0)}}},
		{"resumed in another partition", "corrected", []row{{State: closed, Run: run(1, 2*h, 0)}, {Part: 1, State: closed, Run: run(3*h, 5*h, 0)}}},
		{"resumed in two at once", "corrected", []row{{State: closed, Run: run(1, 2*h, 0)}, {Gen: 7, State: closed, Run: run(3*h, 5*h, 0)}, {Part: 1, State: closed, Run: run(3*h, 6*h, 0)}}},
		{"begun in two at once", "final", []row{{State: closed, Run: run(1, 2*h, 0)}, {Part: 1, State: closed, Run: run(1, 3*h, 0)}}},
		{"silent here, live there", "final", []row{{State: closed, Run: run(1, 2*h, 0)}, {Gen: 9, State: closed, Run: run(3*h, 5*h, 0)}, {Part: 1, State: closed, Run: run(2, 4*h, 0)}}},
		{"late after the end", "corrected", []row{{State: closed, Run: run(1, 2*h, 0)}, {Gen: 9, State: rollup.Final | rollup.Late, Run: run(4*h, 2*h, 4*h)}}},
		{"late in the last partial while it was kept", "corrected", []row{{State: closed | rollup.Late, Run: run(1, 2*h, 3*h)}}},
		{"late while it goes on", "provisional", []row{{State: rollup.Late, Run: run(1, 5*h, 3*h)}}},
		{"late while it went on", "final", []row{{State: closed | rollup.Late, Run: run(1, 5*h, 3*h)}}},
		{"late here while live there", "final", []row{{State: closed | rollup.Late, Run: run(1, 2*h, 3*h)}, {Part: 1, State: closed, Run: run(2, 4*h, 0)}}},
		{"only whole-view measures after the end", "final", []row{{State: closed, Run: run(1, 2*h, 0)}, {Gen: 9, State: rollup.Final}}},
	}
	e := open(t)
	for i, c := range cases {
		for j := range c.rows {
			c.rows[j].Room, c.rows[j].Grain, c.rows[j].Version = fmt.Sprint("s", i), measure.GrainSession, 10
		}
		e.write(c.rows...)
	}
	for _, when := range []string{"as they are", "folded"} {
		for i, c := range cases {
			if got := e.query("SELECT status FROM $db.room_measures WHERE room_id = 's%d'", i); got != c.want {
				t.Errorf("%s, %s: %s, want %s", c.name, when, got, c.want)
			}
		}
		e.roll(e.roller())
	}
	if got := e.live("s4"); got != 1 {
		t.Errorf("nothing was folded: %d rows", got)
	}
}

// One row a key without FINAL, sums over partitions and generations, the session's start and end.
func TestOneRowPerKey(t *testing.T) {
	e := open(t)
	e.write(row{Grain: measure.Grain10s, Room: "a", Window: start, Part: 0, Version: 1, Value: 1, Online: 2},
		row{Grain: measure.Grain10s, Room: "a", Window: start, Part: 0, Gen: 7, Version: 8, Value: 10, Online: 3},
		row{Grain: measure.Grain10s, Room: "a", Window: start, Part: 3, Version: 9, Value: 100, Online: 4},
		row{Grain: measure.GrainSession, Room: "a", Part: 5, Version: 9, Value: 100},
		row{Grain: measure.GrainSession, Room: "a", Part: 2, Version: 3, Value: 11})
	got := e.query("SELECT grain, window_start, platform, room_id, live_session_id, updated_at, events, online FROM $db.room_measures ORDER BY grain")
	stamp := func(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05.000") }
	want := fmt.Sprintf("10s\t%s\tdouyin\ta\tls_a\t%s\t111\t9\nsession\t%s\tdouyin\ta\tls_a\t%s\t111\t0", stamp(start), stamp(start+9), stamp(conformance.Start+2), stamp(conformance.Start+9))
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Predicates on keys reach the primary key through view, FINAL and GROUP BY; columns that are not asked for are not read.
func TestViewsReadLittle(t *testing.T) {
	e := open(t)
	var rows []row
	for i := range 30_000 {
		rows = append(rows, row{Grain: measure.Grain10s, Room: fmt.Sprintf("r%04d", i%3000), Window: start + int64(i/3000)*10_000, Version: 1, Value: 1},
			row{Grain: measure.Grain1h, Room: fmt.Sprintf("r%04d", i%3000), Window: start + int64(i/3000)*7*24*hour, Version: 1, Value: 1})
	}
	e.write(rows...)
	e.query("OPTIMIZE TABLE $db.room_rows FINAL")
	for _, where := range []string{
		"grain = '10s' AND platform = 'douyin' AND room_id = 'r0042'",
		"grain = '10s' AND platform = 'douyin' AND room_id = 'r0042' AND window_start >= toDateTime64('2026-11-22 02:00:30', 3, 'UTC')",
		"grain = '1h' AND window_start < toDateTime64('2020-01-01 00:00:00', 3, 'UTC')",
		"grain = '1h' AND window_start = toDateTime64('2026-12-06 02:00:00', 3, 'UTC')",
	} {
		plan := e.query("EXPLAIN indexes = 1 SELECT room_id, window_start, events FROM $db.room_measures WHERE %s", where)
		if read := granulesRead(t, plan); read > 2 {
			t.Errorf("WHERE %s reads %d granules of 8:\n%s", where, read, plan)
		}
	}
	var cols string
	plan := e.query("EXPLAIN header = 1 SELECT room_id, sum(events) FROM $db.room_measures WHERE grain = '10s' GROUP BY room_id")
	if _, after, ok := strings.Cut(plan, "ReadFromMergeTree"); ok {
		cols = after
	}
	for _, unused := range []string{"watch_ms", "interactions_like", "contains", "updated_at", "state"} {
		if strings.Contains(cols, unused) {
			t.Errorf("a query of events reads %s:\n%s", unused, plan)
		}
	}
}

// granulesRead adds up the last "Granules: n/m" of each read of the plan.
func granulesRead(t *testing.T, plan string) (sum int) {
	t.Helper()
	reads := strings.Split(plan, "ReadFromMergeTree")[1:]
	if len(reads) == 0 && !strings.Contains(plan, "Empty") && !strings.Contains(plan, "Nothing") {
		t.Fatalf("no read in the plan:\n%s", plan)
	}
	for _, read := range reads {
		last := 1 << 20
		for _, line := range strings.Split(read, "\n") {
			var n, m int
			if _, counts, ok := strings.Cut(line, "Granules: "); ok {
				if _, err := fmt.Sscanf(counts, "%d/%d", &n, &m); err == nil {
					last = n
				}
			}
		}
		sum += last
	}
	return sum
}

func TestRejected(t *testing.T) {
	e := open(t)
	now := time.Now().UnixMilli()
	bytes := []byte("{\"a\":\x00\xff'\\")
	rs := []rollup.Rejected{
		{Topic: "raw.viewer", TopicID: [16]byte{9}, Partition: 2, Offset: 7, ReceivedTS: now, Reason: "not_json", Original: bytes, Length: 3_000_000},
		{Topic: "raw.order", TopicID: [16]byte{8}, Partition: 2, Offset: 7, ReceivedTS: now, Reason: "bad_value", Field: "items.qty", Original: nil},
	}
	for range 2 {
		if err := e.WriteRejected(context.Background(), rs); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := e.query("SELECT source_topic, source_offset, reason, field, hex(original), original_length FROM $db.rejected ORDER BY source_topic"),
		fmt.Sprintf("raw.order\t7\tbad_value\titems.qty\t\t0\nraw.viewer\t7\tnot_json\t\t%X\t3000000", bytes); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
