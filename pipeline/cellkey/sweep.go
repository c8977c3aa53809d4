package cellkey

import "github.com/livemeter/livemeter/pipeline/measure"

// minSweep is the size below which a table is not worth a sweep.
const minSweep = 1 << 14

// noCube marks a number that is free.
const noCube = measure.Cube(0xff)

// Marks are the numbers that state still refers to. A live key keeps the strings it is made of.
type Marks struct {
	keys, strs []bool
	beyond     bool // a number was named that there never was
}

func (t *Table) newMarks() Marks {
	return Marks{keys: make([]bool, t.Cap()), strs: make([]bool, len(t.str))}
}

// Key keeps a key; 0 is none.
func (m *Marks) Key(id ID) { m.mark(m.keys, uint32(id)) }

// String keeps a string.
func (m *Marks) String(n uint32) { m.mark(m.strs, n) }

func (m *Marks) mark(all []bool, n uint32) {
	if int(n) >= len(all) {
		m.beyond = true
		return
	}
	all[n] = true
}

// Due says that the table has doubled since the last sweep, so that sweeps cost a constant per key and the table stays below twice what is
// in use.
func (t *Table) Due() bool { return t.strs.used+t.refs.used >= max(t.sweepAt, minSweep) }

// Sweep frees the numbers that mark, which must name all that is in use, does not keep. Numbers in use stay what they are; freed ones are given
// to others, so whoever remembers a number without keeping it must be able to tell.
func (t *Table) Sweep(mark func(*Marks)) {
	m := t.newMarks()
	mark(&m)
	m.strs[0] = true
	for id := uint32(1); id < t.keys.Cap(); id++ {
		r := *t.keys.At(id)
		switch {
		case r.cube == noCube:
		case m.keys[id]:
			m.strs[r.room], m.strs[r.a], m.strs[r.b] = true, true, true
		default:
			if t.rooms[r.room] == ID(id) {
				t.rooms[r.room] = 0
			}
			t.unsavedKeys.Mark(id)
			t.keys.Free(id)
			t.keys.At(id).cube = noCube
		}
	}
	for n, keep := range m.strs {
		if s := t.str[n]; !keep && s != "" {
			t.unsavedStrs.Mark(uint32(n))
			t.str[n] = ""
			t.freeStrs = append(t.freeStrs, uint32(n))
		}
	}
	t.strs.reset(t.str)
	t.refs.reset(&t.keys)
	t.sweepAt = 2 * (t.strs.used + t.refs.used)
}
