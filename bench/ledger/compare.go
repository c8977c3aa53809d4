package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Querier is the part of clickhouse-go's driver.Conn that a comparison needs.
type Querier interface {
	Query(ctx context.Context, query string, args ...any) (driver.Rows, error)
}

// CompareOptions of Compare.
type CompareOptions struct {
	Database string // "" is livemeter
	// FinalBefore, where not zero, is a watermark: a row whose window ended FinalLag or more before it must not be provisional.
	FinalBefore time.Time
	FinalLag    time.Duration // 0 is one minute
}

// Compare holds ClickHouse to the truth, table by table and grain by grain. It returns an error only where ClickHouse could not be read.
func Compare(ctx context.Context, db Querier, t *Truth, o CompareOptions) (*Report, error) {
	o.Database = orDefault(o.Database, "livemeter")
	if o.FinalLag == 0 {
		o.FinalLag = time.Minute
	}
	own := *t // keys that only ClickHouse has are added to the lists: not to the caller's
	own.Places, own.Subs = slices.Clone(t.Places), slices.Clone(t.Subs)
	t = &own
	c := &comparison{db: db, t: t, o: o, r: &Report{Records: t.Records}, places: map[Place]uint32{}, subs: map[[2]string]uint32{}}
	for i, p := range t.Places {
		c.places[p] = uint32(i)
	}
	for i, s := range t.Subs {
		c.subs[s] = uint32(i)
	}
	for q, tab := range t.Tables {
		if err := c.table(ctx, tab, subColumns[q]); err != nil {
			return nil, fmt.Errorf("compare %s.%s: %w", o.Database, tab.Name, err)
		}
	}
	if err := c.orders(ctx); err != nil {
		return nil, fmt.Errorf("compare %s.orders: %w", o.Database, err)
	}
	if err := c.outcomes(ctx); err != nil {
		return nil, fmt.Errorf("compare %s.outcomes: %w", o.Database, err)
	}
	if err := c.completeness(ctx); err != nil {
		return nil, fmt.Errorf("compare %s.completeness: %w", o.Database, err)
	}
	return c.r, nil
}

type comparison struct {
	db     Querier
	t      *Truth
	o      CompareOptions
	r      *Report
	places map[Place]uint32
	subs   map[[2]string]uint32
}

// each runs a query and calls row for every line of the answer.
func (c *comparison) each(ctx context.Context, query string, row func(driver.Rows) error) error {
	rows, err := c.db.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// cellTable is the comparison of one cube.
type cellTable struct {
	*comparison
	tab    Table
	lines  []Line
	starts Line // session_start of room_measures
	total  Counts
	want   map[Row]int // index into tab.Rows of one grain, −1 once seen
}

func (c *comparison) table(ctx context.Context, tab Table, subs []string) error {
	x := &cellTable{comparison: c, tab: tab, lines: make([]Line, len(tab.Measures)), starts: Line{Table: tab.Name, Measure: "window_start of session"}}
	for i, m := range tab.Measures {
		x.lines[i] = Line{Table: tab.Name, Measure: m}
	}
	for g := range numGrains {
		x.want = map[Row]int{}
		for i, r := range tab.Rows {
			if r.Grain == g {
				x.want[r] = i
			}
		}
		if err := c.each(ctx, cellQuery(c.o.Database, tab, subs, g), func(rows driver.Rows) error { return x.row(rows, g, len(subs)) }); err != nil {
			return err
		}
		for r, i := range x.want {
			if i >= 0 {
				x.judge(r, x.values(i), nil)
			}
		}
	}
	c.r.Lines = append(c.r.Lines, x.lines...)
	if tab.Name == tableNames[cRoom] {
		c.r.Lines = append(c.r.Lines, x.starts)
	}
	c.total(tab.Name, x.total)
	return nil
}

// total counts the whole rows of a table.
func (c *comparison) total(table string, n Counts) {
	c.r.Tables = append(c.r.Tables, Line{Table: table, Measure: "whole row", Counts: n})
	c.r.Total.add(n)
}

func millis(column string) string {
	return "toInt64(toUnixTimestamp64Milli(toDateTime64(" + column + ", 3)))"
}

func cellQuery(db string, tab Table, subs []string, grain uint8) string {
	cols := []string{millis("window_start"), "toString(status)", "toString(platform)", "toString(room_id)", "toString(live_session_id)"}
	for _, s := range subs {
		cols = append(cols, "toString("+s+")")
	}
	values := make([]string, len(tab.Measures))
	for i, m := range tab.Measures {
		values[i] = "toInt64(" + m + ")"
	}
	cols = append(cols, "["+strings.Join(values, ", ")+"]")
	return fmt.Sprintf("SELECT %s FROM %s.%s WHERE grain = '%s'", strings.Join(cols, ", "), db, tab.Name, grainNames[grain])
}

func (x *cellTable) values(i int) []int64 {
	n := len(x.tab.Measures)
	return x.tab.Values[i*n : (i+1)*n]
}

// row takes one row of ClickHouse.
func (x *cellTable) row(rows driver.Rows, grain uint8, subs int) error {
	var (
		start  int64
		status string
		p      Place
		sub    [2]string
		got    []int64
	)
	dest := []any{&start, &status, &p.Platform, &p.Room, &p.Session, &sub[0], &sub[1]}
	if err := rows.Scan(append(dest[:5+subs:5+subs], &got)...); err != nil {
		return err
	}
	if allZero(got) {
		return nil
	}
	r := Row{Grain: grain, Window: start}
	if grain == gSession {
		r.Window = 0
	}
	var known bool
	if r.Place, known = x.places[p]; !known {
		r.Place = uint32(len(x.t.Places))
		x.t.Places, x.places[p] = append(x.t.Places, p), r.Place
	}
	if r.Sub, known = x.subs[sub]; !known {
		r.Sub = uint32(len(x.t.Subs))
		x.t.Subs, x.subs[sub] = append(x.t.Subs, sub), r.Sub
	}
	x.provisional(r, status)
	i, expected := x.want[r]
	if !expected || i < 0 { // −1: a second row of the same key
		x.judge(r, nil, got)
		return nil
	}
	x.want[r] = -1
	x.judge(r, x.values(i), got)
	// Room '' has also seen the orders that moved to the room of a touch which came behind them in the log: its start is not determined.
	if grain == gSession && x.tab.Name == tableNames[cRoom] && p.Room != "" {
		want := x.t.SessionStarts[r.Place]
		x.starts.compare(want, start, true, true, func() string {
			return fmt.Sprintf("%s: ledger %s, ClickHouse %s", x.describe(r), clock(want), clock(start))
		})
	}
	return nil
}

// provisional notes a row that should have reached its end.
func (x *cellTable) provisional(r Row, status string) {
	length := [numGrains]int64{g10s: 10_000, g1m: 60_000, g1h: 3_600_000, g1d: 86_400_000}[r.Grain]
	if x.o.FinalBefore.IsZero() || length == 0 || status != "provisional" {
		return
	}
	if r.Window+length+x.o.FinalLag.Milliseconds() <= x.o.FinalBefore.UnixMilli() {
		x.r.NotFinal++
	}
}

// judge compares one row; want or got is nil where that side has none.
func (x *cellTable) judge(r Row, want, got []int64) {
	switch {
	case want == nil:
		x.total.Extra++
	case got == nil:
		x.total.Missing++
	default:
		x.total.Compared++
		if slices.Equal(want, got) {
			x.total.Equal++
		} else {
			x.total.Different++
		}
	}
	for i := range x.lines {
		var w, g int64
		if want != nil {
			w = want[i]
		}
		if got != nil {
			g = got[i]
		}
		x.lines[i].compare(w, g, want != nil, got != nil, func() string {
			return fmt.Sprintf("%s: ledger %s, ClickHouse %s", x.describe(r), number(w, want), number(g, got))
		})
	}
}

func number(n int64, row []int64) string {
	if row == nil {
		return "no row"
	}
	return fmt.Sprint(n)
}

func (x *cellTable) describe(r Row) string {
	p, s := x.t.Places[r.Place], x.t.Subs[r.Sub]
	at := clock(r.Window)
	if r.Grain == gSession {
		at = "whole session"
	}
	return strings.TrimRight(fmt.Sprintf("%s %s %s room %q session %q %s", grainNames[r.Grain], at, p.Platform, p.Room, p.Session, strings.Trim(s[0]+" "+s[1], " ")), " ")
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }
