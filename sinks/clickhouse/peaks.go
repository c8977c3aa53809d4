package clickhouse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// `online` is the one measure that does not add up over time: a longer window shows the highest of its 10 s panes, taken over the merged
// panes of all partitions, and only the store has those together. For each longer window the roller writes a row with `online` alone
// (the pipeline's own rows have 0 there, so that the views add up all the same).
//
// A peak's version is the sum of the versions it was taken over, each one higher, so that a row of version 0 counts. Those only grow, and so does their set: who saw less has a lower version,
// and a late correction that lowers a peak wins over the higher value before it.

// level says which windows a peak is taken over.
type level struct {
	to      measure.Grain
	rows    string // of the shorter windows, as r
	touched string // those whose arrival may change a peak
	window  string // start of the longer window of a row
	online  string // of a shorter window, over its rows
	version string // likewise; it never falls
}

// sessionPeak is the window_start of a session's peak, which has none: any time but one whose day begins before 1970 in some zone. There toStartOfDay
// wraps around, and ClickHouse, which takes it for monotonic, leaves out the part that holds such a row when days are asked for.
const sessionPeak = "'2000-01-01 00:00:00'"

func (r *Roller) levels() []level {
	start := func(expr string) string { return "toDateTime64(" + expr + ", 3, 'UTC')" }
	over := func(from, to measure.Grain, window string) level {
		rows := fmt.Sprintf("r.grain = %s AND r.part = %d", quote(measure.GrainNames[from]), partPeak)
		return level{to, rows, "1", window, "sum(r.online)", "sum(r.version + 1)"}
	}
	return []level{
		panesLevel(r.s.cfg.TTLDays),
		over(measure.Grain1m, measure.Grain1h, start("toStartOfHour(r.window_start)")),
		over(measure.Grain1h, measure.Grain1d, start("toStartOfDay(r.window_start, "+quote(r.s.cfg.Zone)+")")),
		over(measure.Grain1h, measure.GrainSession, start(sessionPeak)),
	}
}

// panesLevel takes the peaks of minutes over their panes. The panes of a minute may expire before it, part by part: from then on its peak stays what it was, whatever else of the
// minute changes, such as the refunds of an order that is weeks old.
func panesLevel(days []int) level {
	return level{
		to:      measure.Grain1m,
		rows:    fmt.Sprintf("r.grain = '1m' AND r.part != %d", partPeak),
		touched: fmt.Sprintf("r.part < %d AND r.deleted = 0 AND %s", partPeak, keepsPanes(days)),
		window:  "r.window_start",
		online: fmt.Sprintf("arrayMax(sumForEach(arrayMap(p -> r.pane_value[indexOf(r.pane_at, toUInt16(p * %d + %d))], range(%d))))",
			measure.PaneStride, measure.Online, measure.PanesPerMinute),
		version: "sum(r.version + 1)",
	}
}

// keepsPanes says that a minute has all the panes that it ever had: they go a day after this, see expiry.
func keepsPanes(days []int) string {
	if days[measure.Grain10s] == 0 {
		return "1"
	}
	return fmt.Sprintf("toDate(r.window_start) + toIntervalDay(%d) > toDate(now())", days[measure.Grain10s])
}

// onlineCubes are those that have the measure.
var onlineCubes = func() (cubes []measure.Cube) {
	for c, columns := range measure.Columns {
		if slices.Contains(columns, measure.OnlineColumn) {
			cubes = append(cubes, measure.Cube(c))
		}
	}
	return cubes
}()

// peaks brings the peaks up to all rows inserted since. With resume it goes back to where a roller before this one stopped; where taken is set, it
// writes down that all rows inserted before it are in the peaks.
func (r *Roller) peaks(ctx context.Context, since time.Time, resume bool, taken time.Time) error {
	for _, c := range onlineCubes {
		for _, l := range r.levels() {
			from := since
			if resume {
				start, err := r.resumeFrom(ctx, c, l.to)
				if err != nil {
					return err
				}
				from = earlier(from, start)
			}
			if err := r.peakLevel(ctx, c, l, from); err != nil {
				return err
			}
			if taken.IsZero() {
				continue
			}
			if err := r.setTaken(ctx, c, l.to, taken); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Roller) peakLevel(ctx context.Context, c measure.Cube, l level, since time.Time) error {
	source := fmt.Sprintf("r.epoch = %d AND %s", r.epoch, l.rows)
	touched := fmt.Sprintf("%s AND %s AND r.inserted_at >= toDateTime(%d)", source, l.touched, max(since.Unix(), 0))
	var rows uint64
	count := fmt.Sprintf("SELECT count() FROM %s.%s AS r WHERE %s", r.s.cfg.Database, RowsTable(c), touched)
	if err := r.s.conn.QueryRow(ctx, count).Scan(&rows); err != nil {
		return fmt.Errorf("clickhouse: roller: peaks of %s: %w", measure.CubeTables[c], r.s.cause(err))
	}
	chunks := (rows + uint64(r.cfg.ChunkRows) - 1) / uint64(r.cfg.ChunkRows)
	for i := range chunks {
		chunk := chunkOf("r.room_id, r.live_session_id", i, chunks)
		if err := r.statement(ctx, "peaks", r.peakSQL(c, l, source, touched, chunk)); err != nil {
			return err
		}
	}
	r.s.m.peaks.Add(float64(rows))
	return nil
}

// peakSQL writes the peaks that changed. A peak that stays as it was keeps its row: the levels above have nothing to do then.
func (r *Roller) peakSQL(c measure.Cube, l level, source, touched, chunk string) string {
	keys := sortKey(c)
	keys = keys[:len(keys)-1] // without window_start
	key, rkey := strings.Join(keys, ", "), qualified(keys)
	table := r.s.cfg.Database + "." + RowsTable(c)
	set := fmt.Sprintf("(SELECT %s, %s FROM %s AS r WHERE %s AND %s)", rkey, l.window, table, touched, chunk)
	rooms := fmt.Sprintf("(SELECT %s FROM %s AS r WHERE %s AND %s)", rkey, table, touched, chunk)
	return fill(peakText, map[string]any{
		"table": table, "key": key, "rkey": rkey, "epoch": r.epoch, "grain": quote(measure.GrainNames[l.to]), "source": source, "rooms": rooms, "windows": set,
		"window": l.window, "online": l.online, "version": l.version,
		"peak_part": partPeak, "no_event": int64(noEvent), "state": rollup.Closed | rollup.NoneOwn,
	})
}

// peakText: {online} and {version} of the shorter windows, in the {windows} that may have changed; {rooms} are those of the windows, by which the key prunes.
const peakText = `INSERT INTO {table} (epoch, grain, {key}, window_start, part, gen, version, state, first_event, updated_at, online)
SELECT {epoch}, {grain}, {key}, w, {peak_part}, 0, new_version, {state}, fromUnixTimestamp64Milli({no_event}, 'UTC'), toDateTime64(0, 3, 'UTC'), peak
FROM
(
  SELECT {key}, w, maxIf(o, fresh) AS peak, sumIf(v, fresh) AS new_version, maxIf(o, NOT fresh) AS old_peak, maxIf(v, NOT fresh) AS old_version
  FROM
  (
    SELECT {rkey}, {window} AS w, true AS fresh, {online} AS o, {version} AS v
    FROM {table} AS r FINAL
    WHERE {source} AND ({rkey}) IN {rooms} AND ({rkey}, {window}) IN {windows}
    GROUP BY {rkey}, r.window_start
    UNION ALL
    SELECT {rkey}, r.window_start AS w, false AS fresh, r.online AS o, r.version AS v
    FROM {table} AS r FINAL
    WHERE r.epoch = {epoch} AND r.grain = {grain} AND r.part = {peak_part} AND ({rkey}, r.window_start) IN {windows}
  )
  GROUP BY {key}, w
  HAVING new_version > old_version AND peak != old_peak
)`
