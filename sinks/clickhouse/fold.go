package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// Folding replaces the closed partials of an hour by one row, their sum. Minutes stay as they are: they are gone after months, hours stay for years. One INSERT of one block in one partition writes the sum and a
// tombstone for each partial in it: readers see both or neither.
//
//   - A partial in the sum is gone for ever: its tombstone has the highest version there is, so a replay that writes it again, with
//     whatever version, loses. When tombstones have expired the column `contains` still tells the next fold.
//   - The sum's version is the sum of the versions in it. Snapshots of a table are ordered in time, what is contained only grows, so
//     of two concurrent folds the higher version contains all that the lower one does.
//   - A generation is taken only when all of the same part that are known to have been opened before it are closed.

const tombstoneVersion = "18446744073709551615"

// fold folds the keys that have closed partials inserted in [since, until].
func (r *Roller) fold(ctx context.Context, since, until time.Time) error {
	for c := measure.Cube(0); c < measure.NumCubes; c++ {
		if err := r.foldCube(ctx, c, since, until); err != nil {
			return err
		}
	}
	return nil
}

func (r *Roller) foldCube(ctx context.Context, c measure.Cube, since, until time.Time) error {
	closed := fmt.Sprintf("%s AND bitAnd(r.state, %d) != 0 AND r.deleted = 0 AND r.part < %d AND r.inserted_at >= toDateTime(%d) AND r.inserted_at <= toDateTime(%d)",
		r.foldScope(), rollup.Closed, partPeak, max(since.Unix(), 0), until.Unix())
	type piece struct {
		partition string
		rows      uint64
	}
	var pieces []piece
	count := fmt.Sprintf("SELECT r._partition_id, count() FROM %s.%s AS r WHERE %s GROUP BY r._partition_id ORDER BY r._partition_id", r.s.cfg.Database, RowsTable(c), closed)
	err := r.s.each(ctx, count, nil, func(scan func(...any) error) error {
		var p piece
		err := scan(&p.partition, &p.rows)
		pieces = append(pieces, p)
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range pieces {
		chunks := (p.rows + uint64(r.cfg.ChunkRows) - 1) / uint64(r.cfg.ChunkRows)
		for i := range chunks {
			where := fmt.Sprintf("r._partition_id = %s AND %s", quote(p.partition), chunkOf("r.room_id, r.live_session_id, r.window_start", i, chunks))
			if err := r.statement(ctx, "fold", r.foldSQL(c, where, closed)); err != nil {
				return err
			}
		}
		r.s.m.folded.Add(float64(p.rows))
	}
	return nil
}

func (r *Roller) foldScope() string { return fmt.Sprintf("r.epoch = %d AND r.grain = '1h'", r.epoch) }

// foldSQL reads the table it folds once, so that all it knows is of one snapshot. The other mention of the table only names the keys to
// look at: what it misses waits for the next cycle.
func (r *Roller) foldSQL(c measure.Cube, where, closed string) string {
	table := r.s.cfg.Database + "." + RowsTable(c)
	keys := append([]string{"grain"}, sortKey(c)...)
	key := strings.Join(keys, ", ")
	var measures, sums, outs strings.Builder
	for _, m := range measure.RowColumns[c] {
		fmt.Fprintf(&measures, ", %s", m.Name)
		fmt.Fprintf(&sums, ",\n    sumIf(l.%s, NOT known) AS s_%s", m.Name, m.Name)
		fmt.Fprintf(&outs, ", if(gone, 0, s_%s)", m.Name)
	}
	return fmt.Sprintf(`INSERT INTO %[1]s (epoch, %[2]s, part, gen, version, deleted, state, first_event, updated_at, runs, contains%[3]s)
SELECT %[4]d, %[2]s, o.1, o.2, if(o.1 != %[5]d AS gone, %[6]s, f_version), gone, f_state, f_first, if(gone, now64(3), f_updated), if(gone, []::Array(Int64), f_runs), if(gone, mapFromArrays([]::Array(UInt16), []::Array(UInt64)), f_contains)%[7]s
FROM
(
  SELECT %[2]s,
    sumIf(l.version + 1, l.part != %[5]d AND NOT known) + maxIf(l.version, l.part = %[5]d) AS f_version,
    bitOr(bitOr(%[16]d, groupBitOr(bitAnd(l.state, %[17]d))), groupBitAnd(bitAnd(l.state, %[14]d))) AS f_state,
    min(l.first_event) AS f_first,
    %[15]s AS f_updated,
    groupArrayArray(if(known, []::Array(Int64), l.runs)) AS f_runs,
    maxMap(if(l.part = %[5]d, l.contains, map(l.part, l.gen))) AS f_contains,
    groupArrayIf((l.part, l.gen), l.part != %[5]d) AS tombs%[8]s
  FROM
  (
    SELECT *, part != %[5]d AND mapContains(had, part) AND gen <= had[part] AS known
    FROM
    (
      SELECT r.*,
        anyIf(r.contains, r.part = %[5]d) OVER (PARTITION BY %[9]s) AS had,
        min(if(r.part = %[5]d OR bitAnd(r.state, %[16]d) != 0, %[6]s, r.gen)) OVER (PARTITION BY %[9]s, r.part) AS first_open
      FROM %[1]s AS r FINAL
      WHERE %[10]s AND %[11]s AND r.part != %[12]d AND (%[9]s) IN (SELECT %[9]s FROM %[1]s AS r WHERE %[10]s AND %[13]s)
    )
    WHERE part = %[5]d OR (bitAnd(state, %[16]d) != 0 AND gen < first_open)
  ) AS l
  GROUP BY %[2]s
  HAVING length(tombs) > if(max(l.part) = %[5]d, 0, 1)
)
ARRAY JOIN arrayConcat([(toUInt16(%[5]d), toUInt64(0))], tombs) AS o`,
		table, key, measures.String(), r.epoch, partFolded, tombstoneVersion, outs.String(), sums.String(), qualified(keys), where, r.foldScope(), partPeak, closed, rollup.NoneOwn, lastUpdate("l"),
		rollup.Closed, rollup.Late|rollup.LateDay)
}
