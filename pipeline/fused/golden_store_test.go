package fused

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// memStore is an upsert table in memory: the highest version of a key wins, partials add up.
type memStore struct {
	rows        map[string]memRow
	show        []string // prefixes of the lines to show; all without one
	times       bool
	generations bool
}

type memRow struct {
	version uint64
	group   string
	state   uint8
	first   int64
	updated int64
	values  map[string]int64
	run     []int64 // of a session
}

func (s *memStore) put(key string, r memRow) {
	if old, ok := s.rows[key]; !ok || r.version >= old.version {
		s.rows[key] = r
	}
}

func (s *memStore) write(b *rollup.Batch) {
	for _, c := range b.Cells {
		for i := range c.Grain {
			g := measure.Grain(c.Grain[i])
			window := "-"
			if g != measure.GrainSession {
				window = local(c.Window[i], "02 15:04:05")
			}
			group := fmt.Sprintf("%s %s %s %s", measure.CubeTables[c.Cube], measure.GrainNames[g], window, place(c.Platform[i], c.Room[i], c.Session[i]))
			for k := range measure.SubKeys[c.Cube] {
				group += " " + or(c.Sub[k][i], "''")
			}
			r := memRow{c.Version[i], group, c.State[i], c.First[i], c.Updated[i], map[string]int64{}, nil}
			if i < len(c.Runs) {
				r.run = c.Runs[i]
			}
			for k, col := range measure.Columns[c.Cube] {
				r.values[col.Name] = c.Value(k, i)
			}
			s.put(fmt.Sprintf("%s|%d|%d", group, c.Part[i], c.Gen[i]), r)
		}
	}
	for _, o := range b.Outcomes {
		group := fmt.Sprintf("outcomes %s %d %s%s", o.Topic, o.Partition, o.Outcome, or(" "+o.Reason, ""))
		s.put(fmt.Sprintf("%s|%d|%d", group, o.Minute, o.Gen), memRow{version: o.Version, group: strings.TrimSpace(group), values: map[string]int64{"records": o.Records}})
	}
	for _, o := range b.Orders {
		group := fmt.Sprintf("orders %s %s v%d %s %s", o.OrderID, o.State, o.OrderVersion, place(o.Platform, o.Room, o.Session), o.Currency)
		if s.times {
			group += " created " + clock(o.CreatedTS) + " paid " + clock(o.PaidTS) + " event " + clock(o.EventTS)
		}
		s.put(fmt.Sprintf("order|%s|%s|%x", o.Platform, o.OrderID, o.Buyer), memRow{version: o.Version, group: group, updated: o.Updated,
			values: map[string]int64{"paid_minor": o.PaidMinor, "refund_minor": o.RefundMinor}})
	}
}

func local(ms int64, layout string) string {
	return time.UnixMilli(ms).UTC().Add(8 * time.Hour).Format(layout)
}

func clock(ms int64) string {
	if ms == 0 {
		return "-"
	}
	return local(ms, "02T15:04:05.000")
}

// place is platform, room and session, where they are not the usual ones.
func place(platform, room, session string) string {
	text := or(room, "''")
	if platform != "douyin" {
		text = platform + ":" + text
	}
	if room != "" && session == "s1" || room == "" && session == "" {
		return text
	}
	return text + "/" + session
}

// text is what an analyst would see: one line per key, measures that are not zero.
func (s *memStore) text() string {
	groups := map[string][]memRow{}
	for _, r := range s.rows {
		groups[r.group] = append(groups[r.group], r)
	}
	var out strings.Builder
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		shown := len(s.show) == 0
		for _, prefix := range s.show {
			shown = shown || strings.HasPrefix(g+" ", prefix+" ")
		}
		if line := s.sum(g, groups[g]); shown && line != g {
			out.WriteString(line + s.status(groups[g]) + "\n")
		}
	}
	return out.String()
}

// sum is a line with the measures of all generations added up.
func (s *memStore) sum(line string, rows []memRow) string {
	sums := map[string]int64{}
	for _, r := range rows {
		for k, v := range r.values {
			sums[k] += v
		}
	}
	for _, k := range slices.Sorted(maps.Keys(sums)) {
		if v := sums[k]; v != 0 {
			line += fmt.Sprintf(" %s=%d", k, v)
		}
	}
	return line
}

// status is that of the ClickHouse views: provisional while any generation moves.
func (s *memStore) status(rows []memRow) string {
	text, moves, late, first, updated := "", false, false, int64(math.MaxInt64), int64(0)
	for _, r := range rows {
		moves = moves || r.state&(rollup.Final|rollup.Closed) == 0
		late = late || r.state&rollup.Late != 0
		updated = max(updated, r.updated)
		if r.first != 0 {
			first = min(first, r.first)
		}
	}
	if s.times && updated != 0 {
		text = " updated=" + clock(updated)
		if first != math.MaxInt64 {
			text = " first=" + clock(first) + text
		}
	}
	if s.generations {
		text += fmt.Sprintf(" generations=%d", len(rows))
	}
	if strings.Contains(rows[0].group, " session - ") {
		late = resumed(rows)
		moves = moves && !late
	}
	switch {
	case !strings.Contains(rows[0].group, "_m"):
	case moves:
		text += " provisional"
	case late:
		text += " corrected"
	default:
		text += " final"
	}
	return text
}

// resumed is the views' rule for sessions (sinks/clickhouse, sessionCorrected): a run began when none before it was live any more, or an event came
// an hour late when no run was live.
func resumed(rows []memRow) bool {
	for _, r := range rows {
		if r.run == nil {
			continue
		}
		before, alive, inTime := false, false, r.run[2] == 0
		for _, o := range rows {
			if o.run == nil {
				continue
			}
			before = before || o.run[0] < r.run[0]
			alive = alive || o.run[0] < r.run[0] && o.run[1] > r.run[0]
			inTime = inTime || o.run[0] <= r.run[2] && o.run[1] > r.run[2]
		}
		if before && !alive || !inTime {
			return true
		}
	}
	return false
}
