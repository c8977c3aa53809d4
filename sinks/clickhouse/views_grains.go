package clickhouse

import (
	"fmt"
	"strings"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// status of a window that ends at an instant: open until the watermark of all partitions has passed it by the lateness.
func windowStatus(end, corrected string, cfg Config) string {
	return fmt.Sprintf("multiIf(%s > %s, 'provisional', %s, 'corrected', 'final')", end, finalBefore(cfg), corrected)
}

// lastUpdate is the newest updated_at of rows with an event of their own, or, where there are none, of all.
func lastUpdate(rows string) string {
	return fmt.Sprintf("max((bitAnd(%[1]s.state, %[2]d) = 0, %[1]s.updated_at)).2", rows, rollup.NoneOwn)
}

// ofHours says that the row of an hour has a state bit: what its minutes' rows are late for are their own windows.
func ofHours(bit uint8) string {
	return fmt.Sprintf("max(if(r.grain = '1h', bitAnd(r.state, %d), 0)) != 0", bit)
}

// rowSum adds up what hours and minutes hold of windows of grain g.
func rowSum(g measure.Grain) func(measure.Cube, measure.Column) string {
	return func(c measure.Cube, m measure.Column) string {
		hour, minute := measure.RowName(c, m, measure.Grain1h, g), measure.RowName(c, m, measure.Grain1m, g)
		if hour == minute {
			return "sum(r." + hour + ")"
		}
		return fmt.Sprintf("sum(if(r.grain = '1m', r.%s, r.%s))", minute, hour)
	}
}

// paneWindows are the windows of 10 s: a row for each pane of a minute's, added up together.
func paneWindows(cfg Config) windows {
	value := func(s measure.Slot) string {
		return fmt.Sprintf("r.pane_value[indexOf(r.pane_at, r.pane + %d)]", s)
	}
	return windows{
		from: panes, start: "r.window_start", together: "r.window_start",
		status:  windowStatus("r.window_start + toIntervalSecond(10)", "max("+value(measure.PaneLate)+") > 0", cfg),
		updated: fmt.Sprintf("fromUnixTimestamp64Milli(if(max(%[1]s) > 0, max(%[1]s), -min(%[1]s)), 'UTC')", value(measure.PaneUpdated)),
		sum:     func(_ measure.Cube, m measure.Column) string { return "sum(" + value(m.SlotAt(measure.Grain10s)) + ")" },
	}
}

// panes are the rows of minutes once for each pane that they have, with its start.
func panes(c measure.Cube, cfg Config) string {
	keys := sortKey(c)
	columns := qualified(keys[:len(keys)-1]) + ", r.pane_at, r.pane_value"
	selects := make([]string, measure.PanesPerMinute)
	for n := range selects {
		// A sum with a constant, and nothing around it: so a predicate leaves out the days that it excludes.
		selects[n] = fmt.Sprintf("SELECT CAST('10s', %s) AS row_grain, r.window_start + toIntervalSecond(%d) AS window_start, %d AS pane, %s\nFROM %s\nWHERE %s AND r.grain = '1m' AND has(r.pane_at, toUInt16(%d))\n%s",
			quote(grainType), 10*n, measure.PaneAt(n, 0), columns, finalRows(c, cfg), activeEpoch(cfg.Database), measure.PaneAt(n, measure.PaneUpdated), finalSettings)
	}
	return strings.Join(selects, "\nUNION ALL\n")
}

// minuteWindows are those of minutes' own rows.
func minuteWindows(cfg Config) windows {
	return windows{
		from: rowsWhere("r.grain AS row_grain", "r.grain = '1m'"), start: "r.window_start", together: "r.window_start",
		status:  windowStatus("r.window_start + toIntervalMinute(1)", fmt.Sprintf("max(bitAnd(r.state, %d)) != 0", rollup.Late), cfg),
		updated: lastUpdate("r"),
		sum: func(c measure.Cube, m measure.Column) string {
			return "sum(r." + measure.RowName(c, m, measure.Grain1m, measure.Grain1m) + ")"
		},
	}
}

// hourWindows are hours: the final ones from their own rows, the others from their minutes'.
func hourWindows(cfg Config) windows {
	return windows{
		from: hourRows, start: "r.hour", together: "r.hour",
		status:  windowStatus("r.hour + toIntervalHour(1)", ofHours(rollup.Late), cfg),
		updated: lastUpdate("r"),
		sum:     rowSum(measure.Grain1h),
	}
}

// hourRows are two SELECTs: so a predicate on an hour is one on the window_start of hours' rows, which their key begins with.
func hourRows(c measure.Cube, cfg Config) string {
	rows := func(hour, which string) string {
		return rowsWhere(fmt.Sprintf("CAST('1h', %s) AS row_grain, CAST(%s, %s) AS hour", quote(grainType), hour, quote(ms)), which)(c, cfg)
	}
	return rows("r.window_start", fmt.Sprintf("r.grain = '1h' AND (r.window_start < %s OR r.part = %d)", hoursTold(cfg), partPeak)) + "\nUNION ALL\n" +
		rows("toStartOfHour(r.window_start, 'UTC')", fmt.Sprintf("%s AND r.window_start >= %s AND r.part != %d", countingMinutes, hoursTold(cfg), partPeak))
}

// longerRows are the rows that what is longer than hours is read from: those of hours that are final, of the minutes of the others, and the longer window's
// own peaks.
func longerRows(g measure.Grain) func(measure.Cube, Config) string {
	return func(c measure.Cube, cfg Config) string {
		name := quote(measure.GrainNames[g])
		which := fmt.Sprintf("(r.part != %[1]d AND (r.grain = '1h' AND r.window_start < %[2]s OR %[4]s AND r.window_start >= %[2]s) OR r.grain = %[3]s)",
			partPeak, hoursTold(cfg), name, countingMinutes)
		return rowsWhere(fmt.Sprintf("CAST(%s, %s) AS row_grain", name, quote(grainType)), which)(c, cfg)
	}
}

// countingMinutes are rows of minutes that their hours have: not those of who is online alone, which is no sum.
var countingMinutes = fmt.Sprintf("r.grain = '1m' AND bitAnd(r.state, %d) != 0", rollup.Counts)

// rowsWhere are rows with more columns, their windows' grain among them: it is a column of a subquery since ClickHouse does not take a predicate on a
// constant below a GROUP BY.
func rowsWhere(more, which string) func(measure.Cube, Config) string {
	return func(c measure.Cube, cfg Config) string {
		return fmt.Sprintf("SELECT %s, r.* FROM %s WHERE %s AND %s\n%s", more, finalRows(c, cfg), activeEpoch(cfg.Database), which, finalSettings)
	}
}

func finalRows(c measure.Cube, cfg Config) string {
	return fmt.Sprintf("%s.%s AS r FINAL", cfg.Database, RowsTable(c))
}

// dayWindows are days in the shop's zone. One ends where the next begins, which a time in the middle of that tells: in some zones clocks leave out midnight, and
// a day later than the start is an hour before it.
func dayWindows(cfg Config) windows {
	day := fmt.Sprintf("toStartOfDay(r.window_start, %s)", quote(cfg.Zone))
	return windows{
		from: longerRows(measure.Grain1d), start: "CAST(" + day + ", " + quote(ms) + ")", together: day,
		status:  windowStatus(fmt.Sprintf("toStartOfDay(%s + toIntervalHour(36), %s)", day, quote(cfg.Zone)), ofHours(rollup.LateDay), cfg),
		updated: lastUpdate("r"),
		sum:     rowSum(measure.Grain1d),
	}
}

// sessionWindows are whole live sessions. One that was final once is not provisional again; of the other windows one that still moves is.
func sessionWindows(cfg Config) windows {
	return windows{
		from: longerRows(measure.GrainSession), start: "min(r.first_event)",
		status:  fmt.Sprintf("multiIf(%s, 'corrected', %s > toUnixTimestamp64Milli(%s), 'provisional', 'final')", sessionCorrected, sessionEnd, lowestWatermark(cfg)),
		updated: lastUpdate("r"),
		sum:     rowSum(measure.GrainSession),
	}
}

// runs are those of the session's partials of hours, as tuples: the rows', and those that the minutes of hours that are not told make, as an hour's own row
// will have it. So there are few.
var runs = func() string {
	const flat = "groupArrayArrayIf(r.runs, r.grain = '1h')"
	minutes := func(extreme string, n int) string {
		return fmt.Sprintf("%sMapIf([toUnixTimestamp(toStartOfHour(r.window_start, 'UTC')) * 65536 + r.part], [r.runs[%d]], r.grain = '1m' AND notEmpty(r.runs)).2", extreme, n)
	}
	return "arrayConcat(arrayFlatten(arrayMap(x -> arrayMap(i -> (x[i], x[i + 1], x[i + 2]), range(1, length(x), 3)), [" + flat + "])), arrayZip(" +
		minutes("min", 1) + ", " + minutes("max", 2) + ", " + minutes("max", 3) + "))"
}()

// sessionCorrected says whether an event came to a live session that had been final: a run began after others when none of them was live, or an event
// that was later than the gap came when no run was, its own included. The partials' own state can't tell: another partition may hold the session's
// last event.
var sessionCorrected = `arrayExists(t -> arrayExists(k ->
        (arrayExists(j -> j.1 < k.1, t) AND NOT arrayExists(j -> j.1 < k.1 AND j.2 > k.1, t))
        OR (k.3 > 0 AND NOT arrayExists(j -> j.1 <= k.3 AND j.2 > k.3, t)), t), [` + runs + `])`

// sessionEnd is the watermark at which the session is final if nothing comes, in ms: the highest end of its runs, 0 without one.
var sessionEnd = "arrayMax(j -> j.2, " + runs + ")"
