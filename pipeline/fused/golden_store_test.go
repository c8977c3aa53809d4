package fused

import (
	"fmt"
	"strings"
	"time"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// memStore is an upsert table in memory: the highest version of a key wins, partials add up.
type memStore struct {
	rows        map[string]memRow
	watermarks  map[uint16]rollup.Watermark
	show        []string // prefixes of the lines to show; all without one
	times       bool
	generations bool
	months      bool // in the names of windows: scripts that last for one would have two of a name
}

// memRow is a stored row: what it adds to each of the lines that are read from it.
type memRow struct {
	version uint64
	adds    []memLine
}

// memLine is one line of the text, or what one row adds to it.
type memLine struct {
	group   string
	grain   measure.Grain // noWindow for what is none
	row     measure.Grain // that it is read from
	online  bool          // nothing but who is online is in the row
	hour    int64         // in which the row lies, ms
	part    uint16
	end     int64 // of the window, ms
	late    bool
	first   int64
	updated int64 // negated where no event of its own is in it
	values  map[string]int64
	run     rollup.Run // of a session
}

const noWindow = measure.NumGrains

func (s *memStore) put(key string, r memRow) {
	if old, ok := s.rows[key]; !ok || r.version >= old.version {
		s.rows[key] = r
	}
}

func (s *memStore) write(b *rollup.Batch) {
	for _, c := range b.Cells {
		for i := range c.Grain {
			r := memCell{c, i, "02 15:04:05"}
			if s.months {
				r.layout = "01-02 15:04:05"
			}
			s.put(fmt.Sprintf("%s|%d|%d", r.group(measure.Grain(c.Grain[i]), c.Window[i]), c.Part[i], c.Gen[i]), memRow{c.Version[i], r.adds()})
		}
	}
	for _, w := range b.Watermarks {
		if old, ok := s.watermarks[w.Part]; !ok || w.WM >= old.WM {
			s.watermarks[w.Part] = w
		}
	}
	for _, o := range b.Outcomes {
		group := fmt.Sprintf("outcomes %s %d %s%s", o.Topic, o.Partition, o.Outcome, or(" "+o.Reason, ""))
		s.put(fmt.Sprintf("%s|%d|%d", group, o.Minute, o.Gen), memRow{o.Version,
			[]memLine{{group: strings.TrimSpace(group), grain: noWindow, values: map[string]int64{"records": o.Records}}}})
	}
	for _, o := range b.Orders {
		group := fmt.Sprintf("orders %s %s v%d %s %s", o.OrderID, o.State, o.OrderVersion, place(o.Platform, o.Room, o.Session), o.Currency)
		if s.times {
			group += " created " + clock(o.CreatedTS) + " paid " + clock(o.PaidTS) + " event " + clock(o.EventTS)
		}
		s.put(fmt.Sprintf("order|%s|%s|%x", o.Platform, o.OrderID, o.Buyer), memRow{o.Version,
			[]memLine{{group: group, grain: noWindow, updated: o.Updated, values: map[string]int64{"paid_minor": o.PaidMinor, "refund_minor": o.RefundMinor}}}})
	}
}

// memCell is one row of a batch.
type memCell struct {
	*rollup.Cells
	i      int
	layout string // of times
}

// group is the key of a window of grain g as the text shows it.
func (c memCell) group(g measure.Grain, window int64) string {
	at := "-"
	if g != measure.GrainSession {
		at = local(window, c.layout)
	}
	group := fmt.Sprintf("%s %s %s %s", measure.CubeTables[c.Cube], measure.GrainNames[g], at, place(c.Platform[c.i], c.Room[c.i], c.Session[c.i]))
	for k := range measure.SubKeys[c.Cube] {
		group += " " + or(c.Sub[k][c.i], "''")
	}
	return group
}

// adds is what the row adds to the windows that are read from it: a minute to its own and its panes, and both to their hour, its day and its session.
func (c memCell) adds() (lines []memLine) {
	window, state, hour := c.Window[c.i], c.State[c.i], false
	switch measure.Grain(c.Grain[c.i]) {
	case measure.Grain1m:
		lines = append(c.panes(), c.line(measure.Grain1m, window, state&rollup.Late != 0))
	case measure.Grain1h:
		hour = true
	default:
		panic(fmt.Sprintf("a row is of a minute or an hour and not of grain %d", c.Grain[c.i]))
	}
	session := c.line(measure.GrainSession, 0, false)
	if c.i < len(c.Runs) {
		session.run = c.Runs[c.i]
	}
	day := window - (window+zoneMS)%lengths[measure.Grain1d]
	return append(lines, c.line(measure.Grain1h, hourOf(window), hour && state&rollup.Late != 0), c.line(measure.Grain1d, day, hour && state&rollup.LateDay != 0), session)
}

func hourOf(ms int64) int64 { return ms - ms%lengths[measure.Grain1h] }

// line is what the row adds to a window of a minute or longer. Who is online is not read from it: of longer windows it is the peak.
func (c memCell) line(g measure.Grain, window int64, late bool) memLine {
	stored := map[string]int64{}
	for k, col := range measure.RowColumns[c.Cube] {
		stored[col.Name] = c.Value(k, c.i)
	}
	row := measure.Grain(c.Grain[c.i])
	l := memLine{group: c.group(g, window), grain: g, row: row, online: row == measure.Grain1m && c.State[c.i]&rollup.Counts == 0, hour: hourOf(c.Window[c.i]), part: c.Part[c.i], end: window + lengths[g], late: late, first: c.First[c.i], updated: c.Updated[c.i], values: map[string]int64{}}
	if c.State[c.i]&rollup.NoneOwn != 0 {
		l.updated = -l.updated
	}
	for _, col := range measure.Columns[c.Cube] {
		l.values[col.Name] = stored[measure.RowName(c.Cube, col, row, g)]
	}
	return l
}

// panes is what a minute adds to its 10 s windows.
func (c memCell) panes() (lines []memLine) {
	var slots [measure.PanesPerMinute]map[measure.Slot]int64
	at, value := c.Panes(c.i)
	for k, key := range at {
		pane := key / measure.PaneStride
		if slots[pane] == nil {
			slots[pane] = map[measure.Slot]int64{}
		}
		slots[pane][measure.Slot(key%measure.PaneStride)] = value[k]
	}
	for pane, v := range slots {
		if v == nil {
			continue
		}
		window := c.Window[c.i] + int64(pane)*lengths[measure.Grain10s]
		l := memLine{group: c.group(measure.Grain10s, window), grain: measure.Grain10s, end: window + lengths[measure.Grain10s], late: v[measure.PaneLate] != 0,
			updated: v[measure.PaneUpdated], values: map[string]int64{}}
		for _, col := range measure.Columns[c.Cube] {
			l.values[col.Name] = v[col.SlotAt(measure.Grain10s)]
		}
		lines = append(lines, l)
	}
	return lines
}

const zoneMS = 8 * 3600_000 // of Shanghai, which has no summer time

var lengths = [measure.NumGrains]int64{10_000, 60_000, 3600_000, 86_400_000, 0}

func local(ms int64, layout string) string {
	return time.UnixMilli(ms + zoneMS).UTC().Format(layout)
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
