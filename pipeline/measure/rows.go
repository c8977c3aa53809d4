package measure

import "slices"

// A row of the store is a minute's (Grain1m) or an hour's (Grain1h): the longer and the shorter windows are read from them. A minute's row
// holds its 10 s panes, sparsely. Rows hold, beside their own distinct counts, what they add to those of longer windows: all other measures are
// sums, of a day as of a minute. So an hour, and with it its day and its session, is read from its minutes until it is final, and only then from a row
// of its own (rollup.Watermark says which it is): until then that would say again, with every flush, what its minutes say.

// RowColumn is one stored column of a cube's rows.
type RowColumn struct {
	Name, Comment string
	Minute, Hour  Slot // where its value stands in a minute's and an hour's cell; NoSlot where such a row does not have it
}

// NoSlot: a row of this grain never has a value there.
const NoSlot Slot = 1<<8 - 1

// Names of a distinct measure's columns beside the row's own window.
const (
	hourSuffix    = "_in_hour"
	daySuffix     = "_in_day"
	sessionSuffix = "_in_session"
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
					RowColumn{c.Name + hourSuffix, "minutes: the first ones of their hour", c.SlotAt(Grain1h), NoSlot},
					RowColumn{c.Name + daySuffix, "the first ones of their day", c.SlotAt(Grain1d), c.SlotAt(Grain1d)},
					RowColumn{c.Name + sessionSuffix, "the first ones of their live session", c.SlotAt(GrainSession), c.SlotAt(GrainSession)})
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

// RowName is the stored column in which rows of a grain hold what they add to a measure of a cube in windows of grain g, 1m or longer.
func RowName(cube Cube, c Column, row, g Grain) string {
	for _, first := range Columns[cube] {
		if first.Slot != c.Slot {
			continue
		}
		switch {
		case !c.Distinct || g == row:
			return first.Name
		case g == Grain1h:
			return first.Name + hourSuffix
		case g == Grain1d:
			return first.Name + daySuffix
		case g == GrainSession:
			return first.Name + sessionSuffix
		}
	}
	return c.Name
}

// HourDays is for how many days rows of hours are kept, where windows of each grain are kept for these: days and sessions are read from them. 0 is for ever.
func HourDays[D int | uint16](days []D) D {
	read := []D{days[Grain1h], days[Grain1d], days[GrainSession]}
	if slices.Contains(read, 0) {
		return 0
	}
	return slices.Max(read)
}

// The entries of a minute's panes are (at, value), at = pane·PaneStride + slot, sorted by at. The slot is that of the 10 s grain, or one of
// those below; a measure without an entry is 0.
const (
	PanesPerMinute = 6
	PaneStride     = 128
	// PaneLate: 1 if the pane changed after it was final. Of several partials any makes it so.
	PaneLate Slot = 126
	// PaneUpdated: receive time of the last event in the pane, ms; negated, that of the newest one that changed it, where none is in it. Every pane that is a
	// window of its own has it; of several partials the highest holds, or the lowest where none is above 0.
	PaneUpdated Slot = 127
)

// PaneAt is the key of a slot of a pane.
func PaneAt(pane int, s Slot) uint16 { return uint16(pane*PaneStride) + uint16(s) }
