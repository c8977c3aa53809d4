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
//   - The sum's version is the sum of the versions in it, each one higher, so that a row of version 0 counts. Snapshots of a table are ordered in time, what is contained only grows, so
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
	return fill(foldText, map[string]any{
		"table": table, "key": key, "rkey": qualified(keys), "epoch": r.epoch, "scope": r.foldScope(), "where": where, "touched": closed,
		"measures": measures.String(), "sums": sums.String(), "outs": outs.String(), "updated": lastUpdate("l"),
		"folded": partFolded, "peak": partPeak, "never": tombstoneVersion, "closed": rollup.Closed, "late": rollup.Late | rollup.LateDay, "none_own": rollup.NoneOwn,
	})
}

// foldText: {folded} and {peak} are parts, {closed}, {late} and {none_own} bits of state, {never} a version and an offset that nothing reaches.
const foldText = `INSERT INTO {table} (epoch, {key}, part, gen, version, deleted, state, first_event, updated_at, runs, contains{measures})
SELECT {epoch}, {key}, o.1, o.2, if(o.1 != {folded} AS gone, {never}, f_version), gone, f_state, f_first, if(gone, now64(3), f_updated), if(gone, []::Array(Int64), f_runs), if(gone, mapFromArrays([]::Array(UInt16), []::Array(UInt64)), f_contains){outs}
FROM
(
  SELECT {key},
    sumIf(l.version + 1, l.part != {folded} AND NOT known) + maxIf(l.version, l.part = {folded}) AS f_version,
    bitOr(bitOr({closed}, groupBitOr(bitAnd(l.state, {late}))), groupBitAnd(bitAnd(l.state, {none_own}))) AS f_state,
    min(l.first_event) AS f_first,
    {updated} AS f_updated,
    groupArrayArray(if(known, []::Array(Int64), l.runs)) AS f_runs,
    maxMap(if(l.part = {folded}, l.contains, map(l.part, l.gen))) AS f_contains,
    groupArrayIf((l.part, l.gen), l.part != {folded}) AS tombs{sums}
  FROM
  (
    SELECT *, part != {folded} AND mapContains(had, part) AND gen <= had[part] AS known
    FROM
    (
      SELECT r.*,
        anyIf(r.contains, r.part = {folded}) OVER (PARTITION BY {rkey}) AS had,
        min(if(r.part = {folded} OR bitAnd(r.state, {closed}) != 0, {never}, r.gen)) OVER (PARTITION BY {rkey}, r.part) AS first_open
      FROM {table} AS r FINAL
      WHERE {where} AND {scope} AND r.part != {peak} AND ({rkey}) IN (SELECT {rkey} FROM {table} AS r WHERE {where} AND {touched})
    )
    WHERE part = {folded} OR (bitAnd(state, {closed}) != 0 AND gen < first_open)
  ) AS l
  GROUP BY {key}
  HAVING length(tombs) > if(max(l.part) = {folded}, 0, 1)
)
ARRAY JOIN arrayConcat([(toUInt16({folded}), toUInt64(0))], tombs) AS o`
