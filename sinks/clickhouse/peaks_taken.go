package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/livemeter/livemeter/pipeline/measure"
)

// How far the peaks of each cube and grain have been taken stands in the table peaks_taken, for a roller that starts. The peaks themselves do not tell it: one that was
// cut short has written the newest there is before it came to the others. So a line says of a time that all rows inserted before it have been taken in; it is written
// after the last statement of a grain, now and then, since a start goes back by more than that anyway.
//
// Several rollers at once do no harm: what each of them says is true, whichever line is the last.

const takenTable = "peaks_taken"

// resumeFrom is where a roller that starts begins: it may have been stopped any time ago, with rows inserted after its last cycle, or in the middle of a cycle.
func (r *Roller) resumeFrom(ctx context.Context, c measure.Cube, g measure.Grain) (time.Time, error) {
	newest, err := r.newestPeak(ctx, c, g) // before taken: where that finds no line, no other roller has begun and written a peak
	if err != nil {
		return time.Time{}, err
	}
	taken, known, err := r.taken(ctx, c, g)
	if err != nil {
		return time.Time{}, err
	}
	if !known { // a new database, or one from before there was the table: this cycle may be cut short, too
		taken, err = newest, r.setTaken(ctx, c, g, newest)
	}
	// The newest peak is earlier where peaks were deleted to be taken again.
	return earlier(newest, taken).Add(-r.cfg.Lookback - slack), err
}

// newestPeak is when a peak of grain g was written last, 1970 without one.
func (r *Roller) newestPeak(ctx context.Context, c measure.Cube, g measure.Grain) (time.Time, error) {
	var at uint32
	sql := fmt.Sprintf("SELECT toUnixTimestamp(max(r.inserted_at)) FROM %s.%s AS r WHERE r.epoch = %d AND r.grain = %s AND r.part = %d",
		r.s.cfg.Database, RowsTable(c), r.epoch, quote(measure.GrainNames[g]), partPeak)
	if err := r.s.conn.QueryRow(ctx, sql).Scan(&at); err != nil {
		return time.Time{}, fmt.Errorf("clickhouse: roller: newest peak of %s: %w", measure.CubeTables[c], r.s.cause(err))
	}
	return time.Unix(int64(at), 0), nil
}

// taken is what the line says; known is false without one.
func (r *Roller) taken(ctx context.Context, c measure.Cube, g measure.Grain) (until time.Time, known bool, err error) {
	var lines uint64
	var at uint32
	sql := fmt.Sprintf("SELECT count(), toUnixTimestamp(max(taken_until)) FROM %s.%s FINAL WHERE epoch = %d AND cube = %s AND grain = %s",
		r.s.cfg.Database, takenTable, r.epoch, quote(measure.CubeTables[c]), quote(measure.GrainNames[g]))
	if err := r.s.conn.QueryRow(ctx, sql).Scan(&lines, &at); err != nil {
		return time.Time{}, false, fmt.Errorf("clickhouse: roller: how far the peaks of %s are taken: %w", measure.CubeTables[c], r.s.cause(err))
	}
	return time.Unix(int64(at), 0), lines > 0, nil
}

func (r *Roller) setTaken(ctx context.Context, c measure.Cube, g measure.Grain, until time.Time) error {
	return r.statement(ctx, "taken", fmt.Sprintf("INSERT INTO %s.%s (epoch, cube, grain, taken_until) SELECT %d, %s, %s, toDateTime(%d)",
		r.s.cfg.Database, takenTable, r.epoch, quote(measure.CubeTables[c]), quote(measure.GrainNames[g]), until.Unix()))
}
