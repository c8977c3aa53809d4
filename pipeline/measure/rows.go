package measure

// A row of the store is a minute's (Grain1m) or an hour's (Grain1h): the longer and the shorter windows are read from them. A minute's row
// holds its 10 s panes, sparsely; an hour's row holds, beside its own distinct counts, what it adds to those of its day and its session. All
// other measures are sums, of a day as of a minute.

// RowColumn is one stored column of a cube's rows.
type RowColumn struct {
	Name, Comment string
	Minute, Hour  Slot // where its value stands in a minute's and an hour's cell; NoSlot where such a row does not have it
}

// NoSlot: a row of this grain never has a value there.
const NoSlot Slot = 1<<8 - 1

// Names of a distinct measure's columns beside the row's own window.
const (
	DaySuffix     = "_in_day"
	SessionSuffix = "_in_session"
)

// RowColumns are the stored columns of each cube, in the order of the tables. Two names of one slot are stored once, under the first.
var RowColumns = func() (all [NumCubes][]RowColumn) {
	for cube, columns := range Columns {
		var longer []RowColumn
		seen := map[Slot]bool{}
		for _, c := range columns {
			if seen[c.Slot] {
				continue
			}
			seen[c.Slot] = true
			switch {
			case c.Distinct:
				all[cube] = append(all[cube], RowColumn{c.Name, c.Comment, c.SlotAt(Grain1m), c.SlotAt(Grain1h)})
				longer = append(longer,
					RowColumn{c.Name + DaySuffix, "hours: the first ones of their day", NoSlot, c.SlotAt(Grain1d)},
					RowColumn{c.Name + SessionSuffix, "hours: the first ones of their live session", NoSlot, c.SlotAt(GrainSession)})
			case c.Name == OnlineColumn.Name:
				all[cube] = append(all[cube], RowColumn{c.Name, c.Comment, NoSlot, NoSlot}) // panes have it, and the store's peaks
			default:
				all[cube] = append(all[cube], RowColumn{c.Name, c.Comment, c.Slot, c.Slot})
			}
		}
		all[cube] = append(all[cube], longer...)
	}
	return all
}()

// RowName is the stored column that holds a measure of a cube for windows of grain 1m and longer.
func RowName(cube Cube, c Column, g Grain) string {
	for _, first := range Columns[cube] {
		if first.Slot != c.Slot {
			continue
		}
		switch {
		case c.Distinct && g == Grain1d:
			return first.Name + DaySuffix
		case c.Distinct && g == GrainSession:
			return first.Name + SessionSuffix
		}
		return first.Name
	}
	return c.Name
}

// The entries of a minute's panes are (at, value), at = pane·PaneStride + slot, sorted by at. The slot is that of the 10 s grain, or one of
// those below; a measure without an entry is 0.
const (
	PanesPerMinute = 6
	PaneStride     = 128
	// PaneLate: 1 if the pane changed after it was final. Of several partials any makes it so.
	PaneLate Slot = 126
	// PaneUpdated: receive time of the last event in the pane, ms. Every pane that is a window of its own has it; of several partials the highest
	// holds.
	PaneUpdated Slot = 127
)

// PaneAt is the key of a slot of a pane.
func PaneAt(pane int, s Slot) uint16 { return uint16(pane*PaneStride) + uint16(s) }
