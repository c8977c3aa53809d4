package measure

import "testing"

// Slots are numbered by hand: two measures in one slot would be added up, and a line holds one distinct measure at most, with all its grains.
func TestSlotsOfEachCube(t *testing.T) {
	for cube, columns := range Columns {
		taken := map[Slot]string{}
		distinctIn := map[Slot]string{}
		names := map[string]Slot{}
		for _, c := range columns {
			if was, ok := names[c.Name]; ok {
				t.Errorf("cube %d: %s stands in slot %d and in %d", cube, c.Name, was, c.Slot)
			}
			names[c.Name] = c.Slot
			grains := Grain10s
			if c.Distinct {
				grains = GrainSession
				line := c.Slot / 8
				if last := c.SlotAt(GrainSession) / 8; last != line {
					t.Errorf("cube %d: %s stands in lines %d and %d", cube, c.Name, line, last)
				}
				if other := distinctIn[line]; other != "" {
					t.Errorf("cube %d: line %d holds %s and %s, both distinct", cube, line, other, c.Name)
				}
				distinctIn[line] = c.Name
			}
			for g := Grain10s; g <= grains; g++ {
				s := c.SlotAt(g)
				if s >= NumSlots {
					t.Errorf("cube %d: %s has slot %d of %d", cube, c.Name, s, NumSlots)
				}
				if other, ok := taken[s]; ok && names[other] != c.Slot {
					t.Errorf("cube %d: %s and %s share slot %d", cube, other, c.Name, s)
				}
				taken[s] = c.Name
			}
		}
	}
}

// Hours are kept for whatever is read from them, for ever if any of it is.
func TestHourDays(t *testing.T) {
	for _, c := range []struct {
		days []int
		want int
	}{{[]int{1, 2, 3, 4, 5}, 5}, {[]int{1, 2, 30, 4, 5}, 30}, {[]int{1, 2, 3, 40, 5}, 40}, {[]int{90, 90, 3, 4, 5}, 5}, {[]int{0, 0, 3, 4, 5}, 5},
		{[]int{1, 2, 0, 4, 5}, 0}, {[]int{1, 2, 3, 0, 5}, 0}, {[]int{1, 2, 3, 4, 0}, 0}} {
		if got := HourDays(c.days); got != c.want {
			t.Errorf("of %v: %d, want %d", c.days, got, c.want)
		}
	}
}
