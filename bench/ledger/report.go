package ledger

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Counts of compared rows. Missing are in the ledger but not in ClickHouse, Extra the other way round.
type Counts struct {
	Compared, Equal, Different, Missing, Extra int64
}

// OK says that nothing differs.
func (c Counts) OK() bool { return c.Different+c.Missing+c.Extra == 0 }

func (c *Counts) add(o Counts) {
	c.Compared += o.Compared
	c.Equal += o.Equal
	c.Different += o.Different
	c.Missing += o.Missing
	c.Extra += o.Extra
}

// Line is the comparison of one measure of one table. A row counts where either side is not 0.
type Line struct {
	Table, Measure string
	Counts
	Differences []string // the first few, readable
}

// Report is a comparison.
type Report struct {
	Lines     []Line
	Tables    []Line // whole rows of each table
	Total     Counts // whole rows of all tables
	NotFinal  int64  // rows still provisional though their window ended long ago; only with Options.FinalBefore
	Conserved Counts // lines of outcomes, contained in Total
	Records   int64  // records in the ledger
}

// OK says that ClickHouse equals the ledger.
func (r *Report) OK() bool {
	for _, l := range r.Lines {
		if !l.OK() {
			return false
		}
	}
	return r.Total.OK() && r.NotFinal == 0
}

const maxDifferences = 5

func (l *Line) compare(want, got int64, inLedger, inStore bool, describe func() string) {
	if want == 0 && got == 0 {
		return
	}
	switch {
	case !inStore:
		l.Missing++
	case !inLedger:
		l.Extra++
	case want == got:
		l.Compared++
		l.Equal++
		return
	default:
		l.Compared++
		l.Different++
	}
	if len(l.Differences) < maxDifferences {
		l.Differences = append(l.Differences, describe())
	}
}

// WriteTable prints one line a measure, and of those that are not equal the first differences, then the total. Those stand first in a file, and last on a
// terminal: the table is longer than the window, whose end is what is seen.
func (r *Report) WriteTable(w io.Writer, terminal, color bool) error {
	red, green, off := "", "", ""
	if color {
		red, green, off = "\x1b[31m", "\x1b[32m", "\x1b[0m"
	}
	p := printer{w: w}
	p.f("%-18s %-31s %10s %10s %9s %8s %8s\n", "table", "measure", "compared", "equal", "different", "missing", "extra")
	for _, equal := range []bool{terminal, !terminal} {
		for _, l := range r.Lines {
			switch {
			case l.OK() != equal:
			case equal:
				p.line("", "", l)
			default:
				p.line(red, off, l)
			}
		}
	}
	if r.NotFinal > 0 {
		p.f("%s%d rows are still provisional though their window ended long ago%s\n", red, r.NotFinal, off)
	}
	t := r.Total
	if r.OK() {
		p.f("%s%d rows compared with the ledger of %d records: all equal%s\n", green, t.Compared, r.Records, off)
	} else {
		p.f("%s%d rows compared with the ledger of %d records: %d differ, %d missing, %d extra%s\n", red, t.Compared, r.Records, t.Different, t.Missing, t.Extra, off)
	}
	if none := r.Unexercised(); none != "" {
		p.f("%s\n", none)
	}
	return p.err
}

// Unexercised names what nothing was there to compare of, "" where everything was: that all is equal says nothing of it.
func (r *Report) Unexercised() string {
	there := map[string]bool{} // tables with a measure that was
	for _, l := range r.Lines {
		if l.Compared+l.Missing+l.Extra > 0 {
			there[l.Table] = true
		}
	}
	var tables, measures []string
	in := map[string][]string{} // tables by measure
	for _, l := range r.Lines {
		switch {
		case !there[l.Table]:
			if !slices.Contains(tables, l.Table) {
				tables = append(tables, l.Table)
			}
		case l.Compared+l.Missing+l.Extra == 0:
			if in[l.Measure] == nil {
				measures = append(measures, l.Measure)
			}
			in[l.Measure] = append(in[l.Measure], l.Table)
		}
	}
	names := tables
	for _, m := range measures {
		names = append(names, m+" of "+strings.Join(in[m], ", "))
	}
	if len(names) == 0 {
		return ""
	}
	return "not exercised, being empty or 0 throughout this run: " + strings.Join(names, "; ")
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) f(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// line prints one measure, with its differences.
func (p *printer) line(paint, off string, l Line) {
	p.f("%s%-18s %-31s %10d %10d %9d %8d %8d%s\n", paint, l.Table, l.Measure, l.Compared, l.Equal, l.Different, l.Missing, l.Extra, off)
	for _, d := range l.Differences {
		p.f("  %s.%s: %s\n", l.Table, l.Measure, d)
	}
}
