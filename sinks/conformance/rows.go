package conformance

import (
	"cmp"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// Row is one row of the cube room, for tests: a minute unless Grain says hour.
type Row struct {
	Grain   measure.Grain
	Room    string
	Window  int64
	Part    uint16
	Gen     uint64
	Version uint64
	State   uint8
	Foreign bool // no event of its own is in it
	Online  bool // minutes: nothing but who is online is in it
	Run     rollup.Run
	Panes   []Pane
	Value   int64            // of the first measure, events
	More    map[string]int64 // of other stored columns
}

// Pane is one pane of a minute's row.
type Pane struct {
	Pane    int
	Value   int64 // of events
	Online  int64
	Late    bool
	Updated int64 // 0: that of the row; negated without an event of its own
}

// Start is a window start that is no older than any retention.
var Start int64 = 1_795_312_800_000

// Cells are the rows as a batch of the cube room.
func Cells(rows ...Row) *rollup.Cells {
	columns := measure.RowColumns[measure.Room]
	c := &rollup.Cells{Cube: measure.Room, Values: make([][]int64, len(columns))}
	for _, r := range rows {
		c.Grain = append(c.Grain, uint8(cmp.Or(r.Grain, measure.Grain1m)))
		c.Platform = append(c.Platform, "douyin")
		c.Room = append(c.Room, r.Room)
		c.Session = append(c.Session, "ls_"+r.Room)
		c.Window = append(c.Window, r.Window)
		c.Part = append(c.Part, r.Part)
		c.Gen = append(c.Gen, r.Gen)
		c.Version = append(c.Version, r.Version)
		state := r.State
		if !r.Online && r.Grain != measure.Grain1h {
			state |= rollup.Counts
		}
		if r.Foreign {
			state |= rollup.NoneOwn
		}
		c.State = append(c.State, state)
		first := r.Window + int64(r.Part)
		if r.Foreign {
			first = 0
		}
		updated := r.Window + int64(r.Version)
		c.First, c.Updated = append(c.First, first), append(c.Updated, updated)
		if r.Run != (rollup.Run{}) {
			c.SetRun(r.Run)
		}
		for _, p := range r.Panes {
			setPane(c, p, updated)
		}
		for i, col := range columns {
			v := r.More[col.Name]
			if i == 0 {
				v = r.Value
			}
			if v != 0 {
				c.Set(i, v)
			}
		}
	}
	return c
}

func setPane(c *rollup.Cells, p Pane, updated int64) {
	set := func(s measure.Slot, v int64) {
		if v != 0 {
			c.SetPane(measure.PaneAt(p.Pane, s), v)
		}
	}
	set(measure.Events, p.Value)
	set(measure.Online, p.Online)
	if p.Late {
		set(measure.PaneLate, 1)
	}
	set(measure.PaneUpdated, cmp.Or(p.Updated, updated))
}
