package aggregate

import (
	"math/bits"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/measure"
)

const (
	// narrow is how many slots a sparse holds itself.
	narrow    = 6
	wide      = narrow + 1
	lineSlots = measure.LineSlots
	numLines  = int(measure.NumSlots) / lineSlots
)

const _ = uint(2*narrow - numLines) // a sparse has room for the indices of all lines

// sparse is the slots of a pane or of an hour that something was added to, and a pane's times: one cache line. Most have a handful of slots. When there
// are more, they stand in lines of eight, and sparse holds the indices of those.
//
// A distinct measure has a slot for each grain. What is added for the first of a window is the first of all shorter ones that contain it, too:
// here the slot of grain g holds those for which g is the longest, and the number of the first in g is the sum from g on (total.unfold).
type sparse struct {
	value   [narrow]int64 // wide: two indices of lines in each
	slot    [narrow]uint8
	n       uint8    // slots in use; wide
	state   uint8    // panes: shownBit, latePaneBit
	updated received // panes
}

const (
	shownBit    = 1 << iota // it is a window: something but the counts of longer windows changed in it
	latePaneBit             // it changed after it was final
)

// line is eight slots: one cache line.
type line [lineSlots]int64

// line gives the index of line k of a wide one, 0 where nothing was added.
func (s *sparse) line(k int) uint32 { return uint32(s.value[k/2] >> (k % 2 * 32)) }

func (s *sparse) setLine(k int, i uint32) { s.value[k/2] |= int64(i) << (k % 2 * 32) }

// slot is where a slot of s stands, made if need be.
func (a *Aggregator) slot(s *sparse, slot measure.Slot) *int64 {
	if s.n == wide {
		return a.wideSlot(s, slot)
	}
	for k := range s.n {
		if s.slot[k] == uint8(slot) {
			return &s.value[k]
		}
	}
	if s.n == narrow {
		a.widen(s)
		return a.wideSlot(s, slot)
	}
	k := s.n
	s.slot[k] = uint8(slot)
	s.n++
	return &s.value[k]
}

func (a *Aggregator) wideSlot(s *sparse, slot measure.Slot) *int64 {
	k := int(slot / lineSlots)
	i := s.line(k)
	if i == 0 {
		i = a.lines.Alloc()
		s.setLine(k, i)
	}
	return &a.lines.At(i)[slot%lineSlots]
}

func (a *Aggregator) widen(s *sparse) {
	was := *s
	s.n, s.value, s.slot = wide, [narrow]int64{}, [narrow]uint8{}
	for k := range was.n {
		*a.wideSlot(s, measure.Slot(was.slot[k])) = was.value[k]
	}
}

// addTo adds a change to its slot; a distinct one to where the edges of its mask are: one, but for orders that move.
func (a *Aggregator) addTo(s *sparse, c *change.Change) {
	if c.Flags&change.Distinct == 0 {
		*a.slot(s, c.Slot) += c.Delta
		return
	}
	for m := c.Mask &^ (c.Mask >> 1); m != 0; m &= m - 1 {
		*a.slot(s, c.Slot+measure.Slot(bits.TrailingZeros8(m))) += c.Delta
	}
	for m := c.Mask >> 1 &^ c.Mask; m != 0; m &= m - 1 {
		*a.slot(s, c.Slot+measure.Slot(bits.TrailingZeros8(m))) -= c.Delta
	}
}

// addAll adds what is in another one.
func (a *Aggregator) addAll(to, from *sparse) {
	if from.n != wide {
		for k := range from.n {
			*a.slot(to, measure.Slot(from.slot[k])) += from.value[k]
		}
		return
	}
	if to.n != wide {
		a.widen(to)
	}
	for k := range numLines {
		if i := from.line(k); i != 0 {
			j := to.line(k)
			if j == 0 {
				j = a.lines.Alloc()
				to.setLine(k, j)
			}
			l := a.lines.At(j)
			for n, v := range a.lines.At(i) {
				l[n] += v
			}
		}
	}
}

// eachOfLines visits the slots that are not 0 of a sum that is wide.
func (a *Aggregator) eachOfLines(s *sparse, visit func(slot measure.Slot, v int64)) {
	for k := range numLines {
		if i := s.line(k); i != 0 {
			for j, v := range a.lines.At(i) {
				if v != 0 {
					visit(measure.Slot(k*lineSlots+j), v)
				}
			}
		}
	}
}

func (a *Aggregator) free(i uint32) {
	s := a.sums.At(i)
	if s.n == wide {
		for k := range numLines {
			if l := s.line(k); l != 0 {
				a.lines.Free(l)
			}
		}
	}
	a.sums.Free(i)
}

// total is a sum of sparses, slot by slot.
type total struct {
	lines [numLines]line
	used  uint16 // bit k: line k may hold something
}

func (t *total) clear() {
	for ; t.used != 0; t.used &= t.used - 1 {
		t.lines[bits.TrailingZeros16(t.used)] = line{}
	}
}

func (t *total) add(a *Aggregator, s *sparse) {
	if s.n != wide {
		for k := range s.n {
			slot := s.slot[k]
			t.used |= 1 << (slot / lineSlots)
			t.lines[slot/lineSlots][slot%lineSlots] += s.value[k]
		}
		return
	}
	for k := range numLines {
		if i := s.line(k); i != 0 {
			t.used |= 1 << k
			to := &t.lines[k]
			for j, v := range a.lines.At(i) {
				to[j] += v
			}
		}
	}
}

// unfold makes the slots of distinct measures say how many are the first of their grain.
func (t *total) unfold(cube measure.Cube) {
	if cellkey.Ledger(cube) {
		return
	}
	for used := t.used & distinctLines[cube].lines; used != 0; used &= used - 1 {
		k := bits.TrailingZeros16(used)
		l, at := &t.lines[k], distinctLines[cube].at[k]
		for g := at + uint8(measure.NumGrains) - 1; g > at; g-- {
			l[g-1] += l[g]
		}
	}
}

// distinctLines says which lines of a cube hold a distinct measure, and where in the line its slots begin. No line holds two.
var distinctLines = func() (all [measure.NumCubes]struct {
	lines uint16
	at    [numLines]uint8
}) {
	for cube, columns := range measure.Columns {
		for _, c := range columns {
			if c.Distinct {
				all[cube].lines |= 1 << (c.Slot / lineSlots)
				all[cube].at[c.Slot/lineSlots] = uint8(c.Slot % lineSlots)
			}
		}
	}
	return all
}()
