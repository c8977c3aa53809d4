package clickhouse_test

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// A window is provisional until the watermark of all partitions has passed it by the lateness; a partial that says that it came late marks its own
// window alone.
func TestStatus(t *testing.T) {
	e := open(t)
	e.write(
		row{Room: "a", Window: start, Part: 1, Panes: []pane{{Pane: 1, Value: 1}, {Pane: 2, Value: 1}}, Value: 2},
		row{Room: "a", Window: start, Part: 1, Grain: measure.Grain1h, Value: 2, Run: rollup.Run{1, start + 2*hour, 0}},
		row{Room: "late", Window: start, Part: 1, State: rollup.Late, Panes: []pane{{Pane: 1, Value: 1, Late: true}, {Pane: 2, Value: 1}}, Value: 2},
		row{Room: "late", Window: start, Part: 1, Grain: measure.Grain1h, State: rollup.LateDay, Value: 2, Run: rollup.Run{1, start + 2*hour, 0}},
		row{Room: "late hour", Window: start, Part: 1, Grain: measure.Grain1h, State: rollup.Late | closed, Value: 2})
	day := allDay + 24*hour + minute
	for _, c := range []struct {
		wm   int64
		want map[string]string // room: grains in order
	}{
		{0, map[string]string{"a": "provisional provisional provisional provisional provisional provisional"}},
		{start + 20_000 + minute - 1, map[string]string{"a": "provisional provisional provisional provisional provisional provisional"}},
		{start + 20_000 + minute, map[string]string{"a": "final provisional provisional provisional provisional provisional",
			"late": "corrected provisional provisional provisional provisional provisional"}},
		{start + 2*minute, map[string]string{"a": "final final final provisional provisional provisional", "late": "corrected final corrected provisional provisional provisional"}},
		{start + hour + minute, map[string]string{"a": "final final final final provisional provisional", "late": "corrected final corrected final provisional provisional",
			"late hour": "corrected provisional final"}},
		{start + 2*hour, map[string]string{"a": "final final final final provisional final"}},
		{day, map[string]string{"a": "final final final final final final", "late": "corrected final corrected final corrected final"}},
	} {
		e.watermark(c.wm)
		for room, want := range c.want {
			got := strings.ReplaceAll(e.query("SELECT status FROM $db.room_measures WHERE room_id = '%s' ORDER BY grain, window_start", room), "\n", " ")
			if got != want {
				t.Errorf("watermark %d s after the start, room %s: %s, want %s", (c.wm-start)/1000, room, got, want)
			}
		}
	}
}

// What is final is the log's to say, by its own lateness: that of the partition with the longest counts.
func TestStatusIsOfTheLogsLateness(t *testing.T) {
	e := open(t)
	e.write(row{Room: "a", Window: start, Value: 1})
	end, wm := start+int64(minute), start+int64(hour)
	for i, c := range []struct {
		before [2]int64 // of two partitions
		want   string
	}{
		{[2]int64{end, end - 1}, "provisional"},
		{[2]int64{end, end}, "final"},
		{[2]int64{end - 1, end}, "final"}, // an older one, come again
	} {
		for part, before := range c.before {
			e.watermarks(rollup.Watermark{Part: uint16(part), Version: uint64(i), WM: wm, FinalBefore: before})
		}
		if got := e.query("SELECT status FROM $db.room_measures WHERE grain = '1m'"); got != c.want {
			t.Errorf("windows final that end by %v (this one at %d): %s, want %s", c.before, end, got, c.want)
		}
	}
}

// A live session's status is decided from the runs of all its hours' partials, as they are and folded.
func TestSessionStatus(t *testing.T) {
	const h = hour // from 0 h on, until an hour after the last event
	run := func(opened, until, late int64) rollup.Run { return rollup.Run{opened, until, late} }
	cases := []struct {
		name, want string
		rows       []row
	}{
		{"live in one partition", "provisional", []row{{Run: run(1, h, 0)}, {Part: 1, Run: run(2, 7*h, 0)}}},
		{"over in all", "final", []row{{Run: run(1, h, 0)}, {Part: 1, Run: run(2, 3*h, 0)}}},
		{"from hour to hour", "final", []row{{Run: run(1, 2*h, 0)}, {Window: start + h, Run: run(h, 3*h, 0)}, {Window: start + 2*h, Run: run(2*h, 3*h, 0)}}},
		{"resumed after it was final", "corrected", []row{{Run: run(1, 2*h, 0)}, {Gen: 9, Run: run(3*h, 7*h, 0)}}},
		{"resumed in a later hour", "corrected", []row{{Run: run(1, 2*h, 0)}, {Window: start + 3*h, Run: run(3*h, 5*h, 0)}}},
		{"resumed in another partition", "corrected", []row{{Run: run(1, 2*h, 0)}, {Part: 1, Run: run(3*h, 5*h, 0)}}},
		{"resumed in two at once", "corrected", []row{{Run: run(1, 2*h, 0)}, {Gen: 7, Run: run(3*h, 5*h, 0)}, {Part: 1, Run: run(3*h, 5*h+1, 0)}}},
		{"begun in two at once", "final", []row{{Run: run(1, 2*h, 0)}, {Part: 1, Run: run(1, 3*h, 0)}}},
		{"silent here, live there", "final", []row{{Run: run(1, 2*h, 0)}, {Gen: 9, Run: run(3*h, 5*h, 0)}, {Part: 1, Run: run(2, 4*h, 0)}}},
		{"late after the end", "corrected", []row{{Run: run(1, 2*h, 0)}, {Gen: 9, Run: run(4*h, 2*h, 4*h)}}},
		{"late in the last partial while it was kept", "corrected", []row{{Run: run(1, 2*h, 3*h)}}},
		{"late while it goes on", "provisional", []row{{Run: run(1, 7*h, 3*h)}}},
		{"late while it went on", "final", []row{{Run: run(1, 5*h, 3*h)}}},
		{"late here while live there", "final", []row{{Run: run(1, 2*h, 3*h)}, {Part: 1, Run: run(2, 4*h, 0)}}},
		{"only whole-view measures after the end", "final", []row{{Run: run(1, 2*h, 0)}, {Gen: 9}}},
	}
	e := open(t)
	e.watermark(6 * h)
	for i, c := range cases {
		for j := range c.rows {
			r := &c.rows[j]
			r.Room, r.Grain, r.Version, r.State, r.Window = fmt.Sprint("s", i), measure.Grain1h, 10, closed, cmp.Or(r.Window, start)
		}
		e.write(c.rows...)
	}
	for _, when := range []string{"as they are", "folded"} {
		for i, c := range cases {
			if got := e.query("SELECT status FROM $db.room_measures WHERE grain = 'session' AND room_id = 's%d'", i); got != c.want {
				t.Errorf("%s, %s: %s, want %s", c.name, when, got, c.want)
			}
		}
		e.roll(e.roller())
	}
	if got := e.live("s6"); got != 1 {
		t.Errorf("nothing was folded: %d rows", got)
	}
}

// One row a key without FINAL: sums over partitions, generations, panes and hours; the day of the shop's zone; the session's start and end.
func TestOneRowPerKey(t *testing.T) {
	e := open(t)
	evening := allDay + 24*hour - hour // the last hour of the day in Shanghai
	at := func(viewers, day, session int64) map[string]int64 {
		return map[string]int64{"viewers": viewers, "viewers_in_day": day, "viewers_in_session": session}
	}
	e.write(
		row{Room: "a", Window: evening, Part: 0, Version: 1, Value: 1, Panes: []pane{{Pane: 0, Value: 1, Online: 2}}},
		row{Room: "a", Window: evening, Part: 0, Gen: 7, Version: 8, Value: 10, Panes: []pane{{Pane: 0, Value: 4, Online: 3}, {Pane: 5, Value: 6}}},
		row{Room: "a", Window: evening, Part: 3, Version: 9, Value: 100, Panes: []pane{{Pane: 0, Value: 100, Online: 4}}},
		row{Room: "a", Window: evening, Part: 3, Version: 8, Value: 99, Panes: []pane{{Pane: 3, Value: 99}}}, // an older version
		row{Room: "a", Grain: measure.Grain1h, Window: evening, Part: 5, Version: 9, Value: 100, More: at(7, 5, 3)},
		row{Room: "a", Grain: measure.Grain1h, Window: evening, Part: 2, Version: 3, Value: 11, Foreign: true},
		row{Room: "a", Grain: measure.Grain1h, Window: evening + hour, Part: 2, Version: 4, Value: 1000, More: at(2, 2, 1)})
	got := e.query("SELECT grain, window_start, platform, room_id, live_session_id, updated_at, events, viewers, online FROM $db.room_measures ORDER BY grain, window_start")
	stamp := func(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05.000") }
	var want []string
	line := func(grain string, window, updated int64, measures string) {
		want = append(want, fmt.Sprintf("%s\t%s\tdouyin\ta\tls_a\t%s\t%s", grain, stamp(window), stamp(updated), measures))
	}
	line("10s", evening, evening+9, "105\t0\t9")
	line("10s", evening+50_000, evening+8, "6\t0\t0")
	line("1m", evening, evening+9, "111\t0\t0")
	line("1h", evening, evening+9, "111\t7\t0")
	line("1h", evening+hour, evening+hour+4, "1000\t2\t0")
	line("1d", allDay, evening+9, "111\t5\t0")
	line("1d", allDay+24*hour, evening+hour+4, "1000\t2\t0")
	line("session", evening+5, evening+hour+4, "1111\t4\t0")
	if got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// Predicates on keys and windows reach the rows' key through view, FINAL and GROUP BY, and one on grain leaves its own branches alone.
func TestViewsReadLittle(t *testing.T) {
	e := open(t)
	var rows []row
	for i := range 30_000 {
		rows = append(rows, row{Room: fmt.Sprintf("r%04d", i%3000), Window: start + int64(i/3000)*24*hour, Version: 1, Value: 1, Panes: []pane{{Pane: 3, Value: 1}}},
			row{Grain: measure.Grain1h, Room: fmt.Sprintf("r%04d", i%3000), Window: start + int64(i/3000)*7*24*hour, Version: 1, Value: 1})
	}
	e.write(rows...)
	e.query("OPTIMIZE TABLE $db.room_rows FINAL")
	at := func(ms int64) string {
		return fmt.Sprintf("toDateTime64('%s', 3, 'UTC')", time.UnixMilli(ms).UTC().Format(time.DateTime))
	}
	for where, most := range map[string]int{
		"grain = '10s' AND platform = 'douyin' AND room_id = 'r0042' AND window_start >= " + at(start+9*24*hour):   6, // one a pane
		"grain = '10s' AND window_start >= " + at(start+9*24*hour) + " AND window_start < " + at(start+10*24*hour): 6,
		"grain = '10s' AND window_start < '2020-01-01 00:00:00'":                                                   0,
		"grain = '1m' AND window_start >= " + at(start+9*24*hour):                                                  1,
		"grain = '1h' AND window_start < " + at(0):                                                                 0,
		"grain = '1h' AND window_start = " + at(start+14*24*hour):                                                  2,
		"grain = '1h' AND room_id = 'r0042' AND window_start = " + at(start+14*24*hour):                            2,
		"grain = '1h' AND room_id = 'r0042' AND window_start >= " + at(start+60*24*hour):                           2,
		"grain = '1d' AND window_start < " + at(0):                                                                 0,
		"grain = '1d' AND window_start >= " + at(start+62*24*hour):                                                 2, // of the ten weeks the last
		"grain = '1d' AND platform = 'douyin' AND room_id = 'r0042' AND window_start >= " + at(start+62*24*hour):   2,
		"grain = 'session' AND platform = 'douyin' AND room_id = 'none'":                                           8,
	} {
		plan := e.query("EXPLAIN indexes = 1 SELECT room_id, window_start, events FROM $db.room_measures WHERE %s", where)
		if read := granulesRead(t, plan); read > most {
			t.Errorf("WHERE %s reads %d granules, not %d:\n%s", where, read, most, plan)
		}
	}
	plan := e.query("EXPLAIN header = 1 SELECT room_id, sum(events) FROM $db.room_measures WHERE grain = '1m' GROUP BY room_id")
	for _, unused := range []string{"watch_ms", "interactions_like", "contains", "updated_at", "runs"} {
		if strings.Contains(plan, unused) {
			t.Errorf("a query of events reads %s:\n%s", unused, plan)
		}
	}
}

// granulesRead adds up the last "Granules: n/m" of each read of rows in the plan.
func granulesRead(t *testing.T, plan string) (sum int) {
	t.Helper()
	for _, read := range strings.Split(plan, "ReadFromMergeTree")[1:] {
		if !strings.HasPrefix(read, " (livemeter") && !strings.Contains(read[:min(80, len(read))], "room_rows") {
			continue
		}
		last := -1
		if !strings.Contains(read, "Indexes:") {
			last = 0 // its condition is false
		}
		for _, line := range strings.Split(read, "\n") {
			var n, m int
			if _, counts, ok := strings.Cut(line, "Granules: "); ok {
				if _, err := fmt.Sscanf(counts, "%d/%d", &n, &m); err == nil {
					last = n
				}
			}
		}
		if last < 0 {
			t.Fatalf("a read without granules:\n%s", plan)
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

// A record whose timestamp lies ahead is received now. One that is taken again after a crash past midnight is one record still.
func TestRejectedAgainAfterMidnight(t *testing.T) {
	e := open(t)
	midnight := time.Now().UTC().Truncate(24 * time.Hour).UnixMilli()
	for _, recv := range []int64{midnight - 50, midnight + 50} {
		r := rollup.Rejected{Topic: "raw.viewer", TopicID: [16]byte{7}, Partition: 1, Offset: 5, ReceivedTS: recv, Reason: "not_json", Original: []byte("{")}
		if err := e.WriteRejected(context.Background(), []rollup.Rejected{r}); err != nil {
			t.Fatal(err)
		}
	}
	if got := e.query("SELECT count() FROM $db.rejected"); got != "1" {
		t.Errorf("%s rows of one record", got)
	}
}
