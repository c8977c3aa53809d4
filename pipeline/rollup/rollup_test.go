package rollup

import (
	"slices"
	"testing"
)

// A batch is written and used again: what its columns held before must not show through where a row has nothing.
func TestSetOnUsedMemory(t *testing.T) {
	c := &Cells{Values: [][]int64{{7, 7, 7, 7}}}
	c.Values[0] = c.Values[0][:0]
	c.Grain = make([]uint8, 3)
	c.Set(0, 5)
	if want := []int64{0, 0, 5}; !slices.Equal(c.Values[0], want) {
		t.Errorf("the column is %v, want %v", c.Values[0], want)
	}
	c.Grain = make([]uint8, 5)
	if got := c.Value(0, 4); got != 0 {
		t.Errorf("a row without a value has %d", got)
	}
}

// Rows have panes or none, in any order; a batch that is used again shows nothing of what it held before.
func TestPanes(t *testing.T) {
	c := &Cells{}
	for round, rows := range [][][]int64{{nil, {1, 2, 3}, nil, nil, {4}, nil}, {{5}, nil, {6, 7}}, {nil, nil}} {
		c.Grain, c.PaneEnd, c.PaneAt, c.PaneValue = c.Grain[:0], c.PaneEnd[:0], c.PaneAt[:0], c.PaneValue[:0]
		for _, values := range rows {
			c.Grain = append(c.Grain, 1)
			for i, v := range values {
				c.SetPane(uint16(100*i), v)
			}
		}
		for row, want := range rows {
			at, got := c.Panes(row)
			if !slices.Equal(got, want) {
				t.Errorf("round %d: row %d has the entries %v, want %v", round, row, got, want)
			}
			for i := range at {
				if at[i] != uint16(100*i) {
					t.Errorf("round %d: entry %d of row %d is at %d", round, i, row, at[i])
				}
			}
			if len(at) != len(want) {
				t.Errorf("round %d: row %d has %d keys of %d entries", round, row, len(at), len(want))
			}
		}
	}
}
