package cellkey

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/wire"
)

// user is what a state has in use: numbers, and what they stood for when they were given.
type user struct {
	keys map[ID]Key
	strs map[uint32]string
}

func (u user) mark(m *Marks) {
	for id := range u.keys {
		m.Key(id)
	}
	for n := range u.strs {
		m.String(n)
	}
}

func (u user) clone() user { return user{maps.Clone(u.keys), maps.Clone(u.strs)} }

// check says that all numbers stand for what they did, are found again, and are given to nobody else.
func (u user) check(t *rapid.T, tab *Table) {
	for id, k := range u.keys {
		if got := tab.Key(id); got != k || tab.Of(k) != id {
			t.Fatalf("key %d is %v with number %d, want %v", id, got, tab.Of(k), k)
		}
	}
	for n, s := range u.strs {
		if tab.Text(n) != s || tab.String(s) != n {
			t.Fatalf("string %d is %q with number %d, want %q", n, tab.Text(n), tab.String(s), s)
		}
	}
	for i := range 100 {
		k := Key{Cube: measure.Room, Platform: "new", Room: fmt.Sprint(i)}
		if was, ok := u.keys[tab.Of(k)]; ok {
			t.Fatalf("a new key has the number of %v", was)
		}
		if was, ok := u.strs[tab.String(fmt.Sprint("new", i))]; ok {
			t.Fatalf("a new string has the number of %q", was)
		}
	}
}

// A table that is restored from a changelog is the one of the moment when its last snapshot began: whatever came, went and was used again while it and
// those before were saved.
func TestRestoredNumbersStandForTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab, changelog := NewTable(), map[string][]byte{}
		now := user{map[ID]Key{}, map[uint32]string{}}
		emit := func(key, value []byte) {
			if value == nil {
				delete(changelog, string(key))
				return
			}
			changelog[string(key)] = value
		}
		change := func() {
			for range rapid.IntRange(0, 3).Draw(t, "changes") {
				n := rapid.IntRange(0, 150).Draw(t, "n")
				k := Key{Cube: []measure.Cube{measure.Room, measure.SKU, measure.Source, measure.SKUMoney, Outcomes}[n%5], Platform: "p", Room: fmt.Sprint(n / 10), Session: "s"}
				if k.Cube != measure.Room {
					k.Sub[0] = fmt.Sprint("a", n)
				}
				if k.Cube == measure.SKUMoney || k.Cube == measure.Source {
					k.Sub[1] = fmt.Sprint("b", n)
				}
				s := fmt.Sprint("s", n)
				switch rapid.IntRange(0, 3).Draw(t, "what") {
				case 0, 1:
					now.keys[tab.Of(k)] = k
					now.strs[tab.String(s)] = s
				case 2:
					delete(now.keys, tab.Of(k))
					delete(now.strs, tab.String(s))
				case 3:
					tab.Sweep(now.mark)
				}
			}
		}
		for range rapid.IntRange(1, 4).Draw(t, "snapshots") {
			for range 20 {
				change()
			}
			then, keys, strs := now.clone(), tab.refs.used, tab.strs.used
			tab.Snapshot()
			for tab.Save(emit) {
				change()
			}
			restored := NewTable()
			for key, value := range changelog {
				if err := restored.Restore([]byte(key), value); err != nil {
					t.Fatal(err)
				}
			}
			if err := restored.Restored(then.mark); err != nil {
				t.Fatal(err)
			}
			if restored.refs.used != keys || restored.strs.used != strs {
				t.Fatalf("%d keys and %d strings, want %d and %d", restored.refs.used, restored.strs.used, keys, strs)
			}
			then.check(t, restored)
		}
	})
}

// A changelog that lacks what state names is told.
func TestWhatIsNamedMustBeThere(t *testing.T) {
	tab, changelog := NewTable(), map[string][]byte{}
	key := tab.Of(Key{Cube: measure.SKU, Platform: "p", Room: "r", Session: "s", Sub: [2]string{"a"}})
	tab.Snapshot()
	for tab.Save(func(key, value []byte) { changelog[string(key)] = value }) {
	}
	if len(changelog) != 2 {
		t.Fatalf("%d records, want one of strings and one of keys", len(changelog))
	}
	restore := func(leave string, mark func(m *Marks)) error {
		again := NewTable()
		for k, v := range changelog {
			if k[:1] != leave {
				if err := again.Restore([]byte(k), v); err != nil {
					t.Fatal(err)
				}
			}
		}
		return again.Restored(mark)
	}
	named := func(m *Marks) { m.Key(key) }
	if err := restore("", named); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"no keys": restore("k", named), "no strings": restore("s", named), "a key beyond": restore("", func(m *Marks) { m.Key(key + 1) }),
		"a string beyond": restore("", func(m *Marks) { m.String(1 << 20) }),
	} {
		if !errors.Is(err, wire.ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
