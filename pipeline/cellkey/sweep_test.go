package cellkey

import (
	"fmt"
	"testing"

	"github.com/livemeter/livemeter/pipeline/measure"
)

// Numbers in use outlive a sweep, freed ones come back for others, and every key is still made of its own strings.
func TestSweep(t *testing.T) {
	tab := NewTable()
	key := func(n int) Key {
		cube := measure.Cube(n % int(Outcomes+1))
		k := Key{Cube: cube, Platform: "p", Room: fmt.Sprint("r", n/20), Session: "s"}
		if cube != measure.Room {
			k.Sub[0] = fmt.Sprint("a", n)
		}
		return k
	}
	kept := map[ID]Key{}
	for round := range 50 {
		for n := range 200 {
			k := key(round*137 + n)
			id := tab.Of(k)
			if n%10 == 0 {
				kept[id] = k
			}
		}
		for id := range kept {
			if (int(id)+round)%7 == 0 {
				delete(kept, id)
			}
		}
		word := tab.String("kept")
		tab.Sweep(func(m *Marks) {
			m.String(word)
			for id := range kept {
				m.Key(id)
			}
		})
		if tab.Len() != len(kept) {
			t.Fatalf("round %d: %d keys after the sweep, want %d", round, tab.Len(), len(kept))
		}
		for id, k := range kept {
			if got := tab.Key(id); got != k || tab.Of(k) != id {
				t.Fatalf("round %d: key %d is %v with number %d, want %v", round, id, got, tab.Of(k), k)
			}
		}
		if tab.String("kept") != word || tab.Text(word) != "kept" {
			t.Fatalf("round %d: a kept string is %q", round, tab.Text(word))
		}
	}
	if tab.Cap() > 500 {
		t.Errorf("%d numbers for at most %d keys at a time", tab.Cap(), 200+len(kept))
	}
}

// The table is due when it has doubled.
func TestDue(t *testing.T) {
	tab := NewTable()
	for n := 0; !tab.Due(); n++ {
		tab.String(fmt.Sprint(n))
		if n > minSweep {
			t.Fatal("never due")
		}
	}
	tab.Sweep(func(m *Marks) {
		for n := range tab.str {
			m.String(uint32(n))
		}
	})
	if tab.Due() {
		t.Error("due again at once")
	}
}

// Many strings at a time get the numbers that they would get one by one, repeated and new ones and "" among them, while the table grows.
func TestStrings(t *testing.T) {
	tab, alone := NewTable(), NewTable()
	for round := range 20 {
		batch := []string{""}
		for n := range 300 {
			batch = append(batch, fmt.Sprint("s", (round*97+n*n)%4000))
		}
		got := tab.Strings(nil, batch)
		for i, s := range batch {
			if want := alone.String(s); got[i] != want || tab.Text(got[i]) != s {
				t.Fatalf("round %d: %q has number %d (%q), want %d", round, s, got[i], tab.Text(got[i]), want)
			}
		}
	}
}

func TestHasRoom(t *testing.T) {
	table := NewTable()
	for text, want := range map[string]bool{"p" + Sep + "r" + Sep + "s": true, "p" + Sep + Sep + "s": false, "p" + Sep + Sep: false, "p" + Sep: false, "": false} {
		if got := table.HasRoom(table.String(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
