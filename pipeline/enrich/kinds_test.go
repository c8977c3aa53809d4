package enrich

import (
	"slices"
	"testing"

	"github.com/livemeter/livemeter/pipeline/event"
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
