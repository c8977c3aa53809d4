package enrich

import (
	"slices"
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// The slot of a kind of interaction is the column of that name.
func TestKindsHaveTheirColumns(t *testing.T) {
	for kind, name := range event.KindNames {
		i := slices.IndexFunc(measure.Columns[measure.Room], func(c measure.Column) bool { return c.Name == "interactions_"+name })
		if i < 0 || measure.Columns[measure.Room][i].Slot != measure.Interactions+measure.Slot(kind) {
			t.Errorf("interactions_%s has not the slot of its kind", name)
		}
	}
}

// The strings of the log are those of keys, and say whether they name a room.
func TestStringsOfTheLogAreThoseOfKeys(t *testing.T) {
	if cellkey.Sep != eventlog.Sep {
		t.Errorf("cellkey joins with %q, the log with %q", cellkey.Sep, eventlog.Sep)
	}
	dict, keys := eventlog.NewDict(0), cellkey.NewTable()
	w := eventlog.NewWriter(dict)
	places := []cellkey.Key{{Platform: "p", Room: "r", Session: "s"}, {Platform: "p", Room: "r"}, {Platform: "p", Session: "s"}, {Platform: "p"}}
	for i, k := range places {
		w.Add(dict.Source(eventlog.SourceID{}), &eventlog.Input{Kind: eventlog.Cost, Offset: int64(i), Platform: k.Platform, Room: k.Room, Session: k.Session})
	}
	var b eventlog.Block
	if err := eventlog.Decode(w.Seal(nil), &b); err != nil {
		t.Fatal(err)
	}
	for i, n := range keys.Strings(nil, b.Strings[1:]) {
		if got := keys.Key(keys.RoomKey(n)); got != places[i] || keys.HasRoom(n) != (got.Room != "") {
			t.Errorf("%+v is %+v, HasRoom %v", places[i], got, keys.HasRoom(n))
		}
	}
}
