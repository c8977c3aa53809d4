package clickhouse

import (
	"fmt"
	"slices"
	"strings"

	"github.com/livemeter/livemeter/pipeline/measure"
)

var cubeComments = [measure.NumCubes]string{
	measure.Room:      "Measures of each room, window by window",
	measure.SKU:       "Measures of each product in a room",
	measure.Source:    "Measures of whole views by entry source and campaign, in the window of their enter; what a view without an enter does is in no row",
	measure.Variant:   "Measures of each room by experiment variant",
	measure.RoomMoney: "Money of each room by currency, in minor units",
	measure.SKUMoney:  "Money of each product in a room by currency, in minor units",
}

const (
	statusComment = "provisional: the watermark of some partition has not passed the window's end and the lateness (a session: the gap after its last event); " +
		"final: that of all has; corrected: final, and an event came after that"
	updatedComment = "When the newest event of this window was received; where only whole-view measures or online changed: the newest event that changed them"
)

// readMeasure is a measure as the analyst's view shows it, of sums over the rows of a window.
type readMeasure struct {
	column
	expr func(sum func(measure.Column) string) string
}

func readMeasures(c measure.Cube) []readMeasure {
	var out []readMeasure
	for _, m := range measure.Columns[c] {
		out = append(out, readMeasure{column{m.Name, "Int64", m.Comment}, func(sum func(measure.Column) string) string { return sum(m) }})
	}
	if c == measure.RoomMoney || c == measure.SKUMoney {
		named := func(name string) measure.Column {
			return measure.Columns[c][slices.IndexFunc(measure.Columns[c], func(m measure.Column) bool { return m.Name == name })]
		}
		out = append(out, readMeasure{column{"net_minor", "Int64", "gmv_paid_minor − refund_minor_by_order"}, func(sum func(measure.Column) string) string {
			return sum(named("gmv_paid_minor")) + " - " + sum(named("refund_minor_by_order"))
		}})
	}
	// beyond_horizon says how far the others can be trusted: it stands before them.
	i := slices.IndexFunc(out, func(m readMeasure) bool { return m.name == "beyond_horizon" })
	if i > 0 {
		b := out[i]
		out = slices.Insert(slices.Delete(out, i, i+1), 0, b)
	}
	return out
}

// cubeViews are a cube's views: one of each grain, and the one that analysts ask, which has them all. Each adds up partials in the way that windows of its
// grain stand in rows. A predicate on window_start is one on the rows' for all but the session grain, where it is the earliest event.
func cubeViews(c measure.Cube, cfg Config, merge bool) []view {
	measures := readMeasures(c)
	columns := append(slices.Clone(keyColumns(c)), column{"status", "LowCardinality(String)", statusComment}, column{"updated_at", ms, updatedComment})
	for _, m := range measures {
		columns = append(columns, m.column)
	}
	name, first := measure.CubeTables[c], watermarkFirst(columns, cfg)
	all := view{name: name, comment: cubeComments[c], columns: columns, query: first}
	var out []view
	for g, w := range [measure.NumGrains]windows{measure.Grain10s: paneWindows(cfg), measure.Grain1m: minuteWindows(cfg), measure.Grain1h: hourWindows(cfg),
		measure.Grain1d: dayWindows(cfg), measure.GrainSession: sessionWindows(cfg)} {
		sql := "\nUNION ALL\n" + w.sql(c, cfg, measures)
		all.query += sql
		out = append(out, view{name: name + "_" + measure.GrainNames[g], comment: "The grain " + measure.GrainNames[g] + " of " + name, columns: columns, query: first + sql})
	}
	if merge {
		all.query = ofGrains(name, columns, cfg)
	}
	return append(out, all)
}

// mergesByGrain is the first version of ClickHouse, major and minor, that leaves out tables of a merge() by an expression of their name (26.4), and whose
// hasColumnInTable asks whether who looks may read the table (26.7): merge() leaves out in silence what they may not.
var mergesByGrain = []int{26, 7}

func mergesAt(version string) bool {
	var major, minor int
	_, err := fmt.Sscanf(version, "%d.%d", &major, &minor)
	return err == nil && slices.Compare([]int{major, minor}, mergesByGrain) >= 0
}

// ofGrains reads the views of single grains, each row's grain being what the view's name ends with. To plan a query costs ClickHouse more than most answers: some
// 70 ms of CPU for all grains, a third of it for one. A predicate on grain leaves the others unplanned, which in a UNION ALL it would not.
func ofGrains(name string, columns []column, cfg Config) string {
	sel := []string{fmt.Sprintf("CAST(substring(_table, %d), %s) AS grain", len(name)+2, quote(grainType))}
	for _, c := range columns {
		if c.name != "grain" {
			sel = append(sel, c.name)
		}
	}
	var there []string // merge() reads what it finds and may read: without this question a view that is gone, or not granted, would be rows that are missing
	for _, grain := range measure.GrainNames {
		there = append(there, fmt.Sprintf("hasColumnInTable(%s, %s, 'grain')", quote(cfg.Database), quote(name+"_"+grain)))
	}
	return fmt.Sprintf("SELECT %s\nFROM merge(%s, '^%s_(%s)$')\nWHERE %s", strings.Join(sel, ", "), quote(cfg.Database), name,
		strings.Join(measure.GrainNames[:], "|"), strings.Join(there, " AND "))
}

// watermarkFirst is a SELECT without rows. ClickHouse looks at the SELECTs in order, and at a table when it first meets it: so the watermark is
// read before the rows, which then hold all that it promises.
func watermarkFirst(columns []column, cfg Config) string {
	defaults := make([]string, len(columns))
	for i, c := range columns {
		defaults[i] = fmt.Sprintf("defaultValueOfTypeName(%s) AS %s", quote(c.typ), c.name)
	}
	return "SELECT " + strings.Join(defaults, ", ") + "\nFROM system.one\nWHERE " + lowestWatermark(cfg) + " < toDateTime64(0, 3, 'UTC')"
}

// lowestWatermark is that of the partition that is behind, 1970 while one does not know.
func lowestWatermark(cfg Config) string { return lowest(cfg) + ".1" }

// hoursTold is where hours begin that some partition has no rows of yet.
func hoursTold(cfg Config) string { return lowest(cfg) + ".2" }

// finalBefore is up to which end windows are final.
func finalBefore(cfg Config) string { return lowest(cfg) + ".3" }

// lowest is all of them of one look at the table: the server takes subqueries of one text for one. A higher watermark says no less of each.
func lowest(cfg Config) string {
	return fmt.Sprintf("(SELECT (min(watermark), %s, min(final_before)) FROM (SELECT max(r.watermark) AS watermark, max(r.hours_told) AS hours_told, max(r.final_before) AS final_before FROM %s.watermarks_rows AS r WHERE %s GROUP BY r.part))",
		lowestHours(cfg), cfg.Database, activeEpoch(cfg.Database))
}

// lowestHours is where untold hours begin: no earlier than the minutes that they would be read from.
func lowestHours(cfg Config) string {
	days := cfg.TTLDays[measure.Grain1m]
	if days == 0 {
		return "min(hours_told)"
	}
	return fmt.Sprintf("greatest(min(hours_told), CAST(toStartOfHour(now('UTC') - toIntervalDay(%d)), %s))", days, quote(ms))
}

// windows is how the windows of some grains are read from rows, r. Columns are qualified: an alias of the same SELECT must not be taken for one.
type windows struct {
	from     func(c measure.Cube, cfg Config) string // the rows, with row_grain, their windows' grain
	start    string                                  // window_start
	together string                                  // what rows of a window have in common, beside the key; '' for all
	status   string
	updated  string
	sum      func(c measure.Cube, m measure.Column) string
}

func (w windows) sql(c measure.Cube, cfg Config, measures []readMeasure) string {
	keys := []string{"r.row_grain"}
	sel := []string{"r.row_grain AS grain", w.start + " AS window_start"}
	if w.together != "" {
		keys = append(keys, w.together)
	}
	for _, k := range sortKey(c) {
		if k != "window_start" {
			keys, sel = append(keys, "r."+k), append(sel, "r."+k+" AS "+k)
		}
	}
	sel = append(sel, w.status+" AS status", w.updated+" AS updated_at")
	for _, m := range measures {
		sel = append(sel, m.expr(func(m measure.Column) string { return w.sum(c, m) })+" AS "+m.name)
	}
	return fmt.Sprintf("SELECT\n    %s\nFROM (%s) AS r\nGROUP BY %s", strings.Join(sel, ",\n    "), w.from(c, cfg), strings.Join(keys, ", "))
}
