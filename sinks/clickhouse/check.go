package clickhouse

import (
	"fmt"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// checkCells refuses what would be stored wrongly: columns of different lengths, grains and parts that do not exist.
func checkCells(c *rollup.Cells) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("clickhouse: cells of "+measure.CubeTables[c.Cube]+": "+format, args...)
	}
	n := len(c.Grain)
	lengths := []int{len(c.Platform), len(c.Room), len(c.Session), len(c.Window), len(c.Part), len(c.Gen), len(c.Version), len(c.State), len(c.First), len(c.Updated)}
	for i := range measure.SubKeys[c.Cube] {
		lengths = append(lengths, len(c.Sub[i]))
	}
	for _, l := range lengths {
		if l != n {
			return bad("a column has %d rows, grain has %d", l, n)
		}
	}
	if len(c.Runs) > n {
		return bad("runs has %d rows, grain has %d", len(c.Runs), n)
	}
	for i, v := range c.Values {
		if len(v) > n {
			return bad("measure %d has %d rows, grain has %d", i, len(v), n)
		}
	}
	if got, want := len(c.Values), len(measure.RowColumns[c.Cube]); got != want {
		return bad("%d measures, wanted %d", got, want)
	}
	for i, g := range c.Grain {
		if g != uint8(measure.Grain1m) && g != uint8(measure.Grain1h) || c.Part[i] > maxPart {
			return bad("row %d has grain %d, part %d; wanted minutes or hours, %d and %d, and parts up to %d", i, g, c.Part[i], measure.Grain1m, measure.Grain1h, maxPart)
		}
	}
	if err := checkPanes(c); err != nil {
		return bad("%w", err)
	}
	return nil
}

func checkPanes(c *rollup.Cells) error {
	if len(c.PaneEnd) > len(c.Grain) || len(c.PaneAt) != len(c.PaneValue) {
		return fmt.Errorf("panes of %d rows, grain has %d; %d keys of panes, %d values", len(c.PaneEnd), len(c.Grain), len(c.PaneAt), len(c.PaneValue))
	}
	last := uint32(0)
	for i, end := range c.PaneEnd {
		if end < last {
			return fmt.Errorf("panes of row %d end at %d, those before it at %d", i, end, last)
		}
		last = end
	}
	if int(last) != len(c.PaneAt) {
		return fmt.Errorf("panes end at %d of %d", last, len(c.PaneAt))
	}
	return nil
}
