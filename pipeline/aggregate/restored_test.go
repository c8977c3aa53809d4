package aggregate

import (
	"reflect"
	"testing"
)

// A restore gives back every field of every cell, but for what is derived: places in lists, and since when a row waits, which may be told as longer.
func TestRestoreGivesCellsBack(t *testing.T) {
	r := newRig(t)
	for _, at := range [][2]int64{{1000, 1000}, {200_000, 5000}, {2 * hourMS, hourMS - 1}, {9 * hourMS, 4 * hourMS}} { // in time, late, in an hour that is over, behind its gap
		r.apply(at[0], minuteMS)
		r.apply(at[0], minuteMS, r.event("a", at[1]), r.event("b", at[1]))
	}
	log := changelog{}
	log.save(r.a)
	b := log.mustRestore(t)
	derived := map[string]bool{"ahead": true, "dirty": true, "listed": true, "inflight": true, "next": true, "sums": true, "since": true, "hour": true, "prev": true, "minutes": true, "_": true}
	seen := map[string]bool{}
	for i := uint32(1); i < r.a.cells.Cap(); i++ {
		was, is := reflect.ValueOf(*r.a.cells.At(i)), reflect.ValueOf(*b.cells.At(i))
		for f := range was.NumField() {
			name := was.Type().Field(f).Name
			if !was.Field(f).IsZero() {
				seen[name] = true
			}
			if !derived[name] && !was.Field(f).Equal(is.Field(f)) {
				t.Errorf("cell %d: %s was %v, is %v", i, name, was.Field(f), is.Field(f))
			}
		}
	}
	for f := range reflect.TypeFor[cell]().NumField() {
		if name := reflect.TypeFor[cell]().Field(f).Name; !derived[name] && !seen[name] {
			t.Errorf("no cell had %s: the test says nothing of it", name)
		}
	}
}
