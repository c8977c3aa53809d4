// Package cellkey names cells. A key is what a rollup row is grouped by, apart from its window; the table gives each key a small number. Numbers are a
// partition's own: its state and its checkpoints name keys by them, the log and the store never do.
package cellkey

import (
	"hash/maphash"
	"strings"

	"github.com/livemeter/livemeter/pipeline/bucket"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/slab"
	"github.com/livemeter/livemeter/pipeline/wire"
)

// Outcomes is the pseudo-cube of the conservation ledger: its key is source topic, partition, outcome and reason in the
// fields Platform, Room, Session and Sub[0]; its one slot counts records.
//
// Its number stands in saved state and in events.enriched, so it stays what it is when cubes are added.
const Outcomes measure.Cube = 254

// Completeness is the pseudo-cube of what was to be received: its key is platform, kind, SDK name and SDK version in the fields Platform, Room, Session
// and Sub[0]; its slots are those of its name. Like Outcomes it has minutes alone.
const Completeness measure.Cube = 253

// Slots of Completeness.
const (
	Expected measure.Slot = iota
	Received
	Late
)

// Ledger says whether a cube is one of the two that count records and not what happened.
func Ledger(c measure.Cube) bool { return c == Outcomes || c == Completeness }

// Known says whether this livemeter has the cube of a key that was read.
func Known(c measure.Cube) bool { return c < measure.NumCubes || Ledger(c) }

// ID is a key's number in its Table; 0 is none.
type ID uint32

// Key is a cell's key. Unused Sub entries are "".
type Key struct {
	Cube                    measure.Cube
	Platform, Room, Session string
	Sub                     [2]string
}

// Sep joins the parts of composite strings. It is eventlog.Sep, whose strings these are; a test of enrich, which knows both, holds them together.
const Sep = "\x00"

// ref is what a key is made of: numbers of strings. The key itself is made of them when a row leaves: with its five strings it took 104 bytes of the Go heap,
// where this takes 16 outside it.
type ref struct {
	cube    measure.Cube
	room, a uint32
	b       uint32
}

// Table interns strings and keys of one partition. What nobody refers to any more is freed by Sweep. It is saved with the state that refers to it.
type Table struct {
	strs  strIndex
	str   []string
	refs  refIndex
	keys  slab.Slab[ref]
	rooms []ID // by string number: the Room cube's key

	freeStrs []uint32
	sweepAt  int
	warm     uint32 // what was loaded ahead: keeps the loads from being removed

	unsavedStrs, unsavedKeys bucket.Set
	packing                  wire.Writer // scratch of Save
	placed                   []uint32    // while restoring: the keys that there are
}

// NewTable returns an empty table.
func NewTable() *Table {
	t := &Table{strs: strIndex{seed: maphash.MakeSeed()}, str: []string{""}, rooms: make([]ID, 1)}
	t.keys.Init()
	t.strs.reset(t.str)
	t.refs.reset(&t.keys)
	return t
}

// String interns s, which may alias a buffer, and returns its number; "" is 0.
func (t *Table) String(s string) uint32 { return t.intern(s, t.strs.hash(s)) }

func (t *Table) intern(s string, hash uint32) uint32 {
	if s == "" {
		return 0
	}
	slot := t.strs.find(t.str, s, hash)
	if slot.n != 0 {
		return slot.n
	}
	if full(t.strs.used, len(t.strs.slots)) {
		t.strs.reset(t.str)
		slot = t.strs.find(t.str, s, hash)
	}
	n := t.place(strings.Clone(s))
	*slot = strSlot{hash, n}
	t.strs.used++
	return n
}

// place gives a new string a number.
func (t *Table) place(s string) uint32 {
	if free := len(t.freeStrs); free > 0 {
		n := t.freeStrs[free-1]
		t.freeStrs = t.freeStrs[:free-1]
		t.unsavedStrs.Mark(n)
		t.str[n] = s
		return n
	}
	n := uint32(len(t.str))
	t.str = append(t.str, "")
	t.rooms = append(t.rooms, 0)
	t.unsavedStrs.Mark(n)
	t.str[n] = s
	return n
}

// Text is the string with number n.
func (t *Table) Text(n uint32) string { return t.str[n] }

// HasRoom says whether an interned room string names a room.
func (t *Table) HasRoom(room uint32) bool {
	_, rest, _ := strings.Cut(t.str[room], Sep)
	return rest != "" && !strings.HasPrefix(rest, Sep)
}

// RoomKey is the Room cube's key of an interned room string (platform, room_id, live_session_id joined by Sep).
func (t *Table) RoomKey(room uint32) ID {
	if id := t.rooms[room]; id != 0 {
		return id
	}
	id := t.Cell(measure.Room, room, 0, 0)
	t.rooms[room] = id
	return id
}

// Cell is the key of a cube in an interned room; a and b are interned strings. For Source and Variant a holds both sub keys joined by Sep.
func (t *Table) Cell(cube measure.Cube, room, a, b uint32) ID {
	r := ref{cube, room, a, b}
	slot := t.refs.find(r)
	if slot.id != 0 {
		return slot.id
	}
	if full(t.refs.used, len(t.refs.slots)) {
		t.refs.reset(&t.keys)
		slot = t.refs.find(r)
	}
	*slot = refSlot{r, t.newKey(r)}
	t.refs.used++
	return slot.id
}

// newKey gives a new key a number.
func (t *Table) newKey(r ref) ID {
	id := t.keys.Alloc()
	at := t.keys.At(id)
	at.cube = noCube // to Mark it is free yet
	t.unsavedKeys.Mark(id)
	*at = r
	return ID(id)
}

// Key is the key with number id.
func (t *Table) Key(id ID) Key {
	r := t.keys.At(uint32(id))
	k := Key{Cube: r.cube}
	k.Platform, k.Room, _ = strings.Cut(t.str[r.room], Sep)
	k.Room, k.Session, _ = strings.Cut(k.Room, Sep)
	switch r.cube {
	case measure.Source, measure.Variant:
		k.Sub[0], k.Sub[1], _ = strings.Cut(t.str[r.a], Sep)
	default:
		k.Sub = [2]string{t.str[r.a], t.str[r.b]}
	}
	return k
}

// Of interns a whole key.
func (t *Table) Of(k Key) ID {
	room := t.String(k.Platform + Sep + k.Room + Sep + k.Session)
	switch k.Cube {
	case measure.Room:
		return t.RoomKey(room)
	case measure.Source, measure.Variant:
		return t.Cell(k.Cube, room, t.String(k.Sub[0]+Sep+k.Sub[1]), 0)
	}
	return t.Cell(k.Cube, room, t.String(k.Sub[0]), t.String(k.Sub[1]))
}

// Cube is that of the key with number id.
func (t *Table) Cube(id ID) measure.Cube { return t.keys.At(uint32(id)).cube }

// Len is the number of keys in use, as far as the last Sweep knows.
func (t *Table) Len() int { return t.refs.used }

// Cap is one above the highest ID there ever was.
func (t *Table) Cap() int { return int(t.keys.Cap()) }
