package fused

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// text is what an analyst would see: one line per key, measures that are not zero.
func (s *memStore) text() string {
	groups := map[string][]memLine{}
	hours := s.hours()
	for _, r := range s.rows {
		for _, l := range r.adds {
			if l.grain < measure.Grain1h || l.grain == noWindow || !l.online && (l.row == measure.Grain1h) == (l.hour < hours) {
				groups[l.group] = append(groups[l.group], l)
			}
		}
	}
	var out strings.Builder
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		shown := len(s.show) == 0
		for _, prefix := range s.show {
			shown = shown || strings.HasPrefix(g+" ", prefix+" ")
		}
		if line := sum(g, groups[g]); shown && line != g && isWindow(groups[g]) {
			out.WriteString(line + s.timesOf(groups[g]) + s.status(groups[g]) + "\n")
		}
	}
	return out.String()
}

// isWindow is false for panes that expired before their minute: no partial has the time of their last event.
func isWindow(lines []memLine) bool {
	return lines[0].grain != measure.Grain10s || slices.ContainsFunc(lines, func(l memLine) bool { return l.updated != 0 })
}

// sum is a line with the measures of all partials added up.
func sum(line string, lines []memLine) string {
	sums := map[string]int64{}
	for _, l := range lines {
		for k, v := range l.values {
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

// timesOf are the times of a line and how many partial rows it is read from, where a script asks for them. Panes have no first event.
func (s *memStore) timesOf(lines []memLine) (text string) {
	first, updated, borrowed := int64(math.MaxInt64), int64(0), int64(0)
	for _, l := range lines {
		updated, borrowed = max(updated, l.updated), max(borrowed, -l.updated)
		if l.first != 0 {
			first = min(first, l.first)
		}
	}
	if updated == 0 {
		updated = borrowed
	}
	if s.times && updated != 0 {
		if first != math.MaxInt64 {
			text = " first=" + clock(first)
		}
		text += " updated=" + clock(updated)
	}
	if s.generations {
		text += fmt.Sprintf(" generations=%d", len(lines))
	}
	return text
}

// status is that of the ClickHouse views: provisional until the watermark of all partitions has passed the window.
func (s *memStore) status(lines []memLine) string {
	moves, late := s.moves(lines), slices.ContainsFunc(lines, func(l memLine) bool { return l.late })
	if lines[0].grain == measure.GrainSession {
		late = resumed(lines)
		moves = moves && !late // it was final once
	}
	switch {
	case lines[0].grain == noWindow:
		return ""
	case moves:
		return " provisional"
	case late:
		return " corrected"
	}
	return " final"
}

// moves says whether the watermark is yet to pass the end of a window by the lateness, or of a session the last run, which has the gap in it.
func (s *memStore) moves(lines []memLine) bool {
	if lines[0].grain != measure.GrainSession {
		return lines[0].end > s.lowest(func(w rollup.Watermark) int64 { return w.FinalBefore })
	}
	w := s.watermark()
	return slices.ContainsFunc(lines, func(l memLine) bool { return l.run[1] > w })
}

// watermark is the lowest of the partitions.
func (s *memStore) watermark() int64 {
	return s.lowest(func(w rollup.Watermark) int64 { return w.WM })
}

// hours is where hours begin that are still read from their minutes.
func (s *memStore) hours() int64 {
	return s.lowest(func(w rollup.Watermark) int64 { return w.HoursTold })
}

// lowest is that of the partitions, 0 without one.
func (s *memStore) lowest(of func(rollup.Watermark) int64) int64 {
	low := int64(math.MaxInt64)
	for _, w := range s.watermarks {
		low = min(low, of(w))
	}
	if low == math.MaxInt64 {
		return 0
	}
	return low
}

// resumed is the views' rule for sessions (sinks/clickhouse, sessionCorrected): a run began when none before it was live any more, or an event came
// an hour late when no run was live. The minutes of an hour have one run together.
func resumed(all []memLine) bool {
	type partial struct {
		hour int64
		part uint16
	}
	var lines []memLine
	minutes := map[partial]rollup.Run{}
	for _, l := range all {
		switch k := (partial{l.hour, l.part}); {
		case l.row == measure.Grain1h:
			lines = append(lines, l)
		case l.run[0] != 0:
			sum, ok := minutes[k]
			if !ok || l.run[0] < sum[0] {
				sum[0] = l.run[0]
			}
			sum[1], sum[2] = max(sum[1], l.run[1]), max(sum[2], l.run[2])
			minutes[k] = sum
		}
	}
	for _, run := range minutes {
		lines = append(lines, memLine{run: run})
	}
	for _, r := range lines {
		if r.run[0] == 0 {
			continue
		}
		before, alive, inTime := false, false, r.run[2] == 0
		for _, o := range lines {
			if o.run[0] == 0 {
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
