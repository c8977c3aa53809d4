package cellkey

import (
	"fmt"

	"github.com/livemeter/livemeter/pipeline/bucket"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/wire"
)

// The table is saved as the state is that names its numbers, and begins to be saved with it: so records hold numbers, and a restored number stands for what
// it did. What has been saved of a number in use never changes, and one that is freed is deleted by the snapshot that no longer names it.

// stateVersion is the format of a changelog record, its first byte.
const stateVersion = 1

// All keys of the table's records begin with one of these.
const (
	prefixKeys    = 'k'
	prefixStrings = 's'
)

// Owns says whether a changelog key is a table's.
func Owns(key []byte) bool {
	return len(key) > 1 && (key[0] == prefixKeys || key[0] == prefixStrings) && key[1] == 'b'
}

// Snapshot begins to save the table of now: what changed since the last one began.
func (t *Table) Snapshot() {
	t.unsavedStrs.Begin(texts{t})
	t.unsavedKeys.Begin(entries{t})
}

// Save emits the next part of the snapshot, a changelog record; a nil value deletes. False when there is no more.
func (t *Table) Save(emit func(key, value []byte)) bool {
	return t.unsavedStrs.Save(&t.packing, prefixStrings, stateVersion, emit) || t.unsavedKeys.Save(&t.packing, prefixKeys, stateVersion, emit)
}

// texts is the strings as bucket.Set sees them.
type texts struct{ *Table }

func (t texts) Cap() uint32       { return uint32(len(t.str)) }
func (texts) Warm(uint32, uint32) {}

func (t texts) Pack(w *wire.Writer, n uint32) {
	if s := t.str[n]; s != "" {
		w.Byte(byte(n%bucket.Slots) + 1)
		w.Raw(s)
	}
}

// entries is the keys as bucket.Set sees them.
type entries struct{ *Table }

func (t entries) Cap() uint32       { return t.keys.Cap() }
func (entries) Warm(uint32, uint32) {}

func (t entries) Pack(w *wire.Writer, id uint32) {
	if r := t.keys.At(id); r.cube != noCube {
		w.Byte(byte(id%bucket.Slots) + 1)
		w.Byte(byte(r.cube))
		for _, n := range [3]uint32{r.room, r.a, r.b} {
			w.Uint(uint64(n))
		}
	}
}

// Restore takes one live changelog record of a new table: each key once, with its newest value. Numbers stand for nothing until Restored.
func (t *Table) Restore(key, value []byte) error {
	var r wire.Reader
	r.Reset(value)
	if err := bucket.CheckVersion(&r, stateVersion); err != nil {
		return err
	}
	n, ok := bucket.Number(key, key[0])
	if !ok {
		return fmt.Errorf("changelog key %q is not a table's", key)
	}
	for r.Left() > 0 && r.Err() == nil {
		slot, ok := bucket.SlotOf(n, r.Byte())
		if !ok {
			return wire.ErrDamaged
		}
		if key[0] == prefixStrings {
			t.unpackText(&r, slot)
		} else {
			t.unpackKey(&r, slot)
		}
	}
	return r.Err()
}

func (t *Table) unpackText(r *wire.Reader, n uint32) {
	for int(n) >= len(t.str) {
		t.str = append(t.str, "")
	}
	if t.str[n] = r.Raw(); t.str[n] == "" {
		r.Damaged("string")
	}
}

func (t *Table) unpackKey(r *wire.Reader, id uint32) {
	of := ref{cube: measure.Cube(r.Byte())}
	for _, n := range [3]*uint32{&of.room, &of.a, &of.b} {
		*n = uint32(r.Uint())
	}
	if !Known(of.cube) {
		r.Damaged("cube")
		return
	}
	*t.keys.Place(id) = of
	t.placed = append(t.placed, id)
}

// Restored makes the table of what Restore took. All that mark names must be in it.
func (t *Table) Restored(mark func(*Marks)) error {
	live := make([]bool, t.keys.Cap())
	for _, id := range t.placed {
		live[id] = true
	}
	t.placed = nil
	t.keys.Rebuild(func(id uint32) bool { return live[id] })
	for id := uint32(1); id < t.keys.Cap(); id++ {
		if !live[id] {
			t.keys.At(id).cube = noCube
		}
	}
	t.freeStrs, t.rooms = nil, make([]ID, len(t.str))
	for n := len(t.str) - 1; n > 0; n-- {
		if t.str[n] == "" {
			t.freeStrs = append(t.freeStrs, uint32(n))
		}
	}
	t.strs.reset(t.str)
	if err := t.check(live, mark); err != nil {
		return err
	}
	for id := uint32(1); id < t.keys.Cap(); id++ {
		if r := *t.keys.At(id); live[id] && r == (ref{cube: measure.Room, room: r.room}) {
			t.rooms[r.room] = ID(id)
		}
	}
	t.refs.reset(&t.keys)
	return nil
}

// check says whether all is there that state names, and that the keys are made of.
func (t *Table) check(live []bool, mark func(*Marks)) error {
	m := t.newMarks()
	mark(&m)
	for id := range live {
		if r := t.keys.At(uint32(id)); live[id] {
			m.String(r.room)
			m.String(r.a)
			m.String(r.b)
		}
	}
	lost := m.beyond
	for id, named := range m.keys {
		lost = lost || named && id > 0 && !live[id]
	}
	for n, named := range m.strs {
		lost = lost || named && n > 0 && t.str[n] == ""
	}
	if lost {
		return fmt.Errorf("%w: it names keys or strings that the changelog does not have", wire.ErrDamaged)
	}
	return nil
}
