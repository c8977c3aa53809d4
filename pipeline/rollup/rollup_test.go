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
