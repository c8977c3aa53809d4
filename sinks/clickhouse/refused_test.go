package clickhouse_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/sinks/clickhouse"
	"github.com/livemeter/livemeter/sinks/conformance"
)

// A table that is refused ends the INSERTs of the others that are on their way: those are no errors of their tables.
func TestErrorsAreOfTheTableThatIsRefused(t *testing.T) {
	e := open(t)
	e.query("DROP TABLE $db.sku_rows")
	reg := prometheus.NewRegistry()
	s, err := clickhouse.New(e.cfg, nil, reg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b := &rollup.Batch{Epoch: e.epoch}
	for _, cube := range []measure.Cube{measure.SKU, measure.Room, measure.Source, measure.Variant} {
		c := conformance.Cells(row{Grain: measure.Grain1h, Room: "a", Window: start, Version: 3})
		c.Cube, c.Sub, c.Values = cube, [2][]string{{"b"}, {"c"}}, make([][]int64, len(measure.RowColumns[cube]))
		b.Cells = append(b.Cells, c)
	}
	const writes = 50
	for range writes {
		if err := s.Write(t.Context(), b); err == nil || !strings.Contains(err.Error(), "sku_rows") {
			t.Fatalf("a table is missing: %v", err)
		}
	}
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range all {
		if family.GetName() != "livemeter_clickhouse_errors_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			want := 0.
			kind, table := m.GetLabel()[0].GetValue(), m.GetLabel()[1].GetValue()
			if kind == "permanent" && table == "sku_rows" {
				want = writes
			}
			if n := m.GetCounter().GetValue(); n != want {
				t.Errorf("%v %s errors of %s, want %v", n, kind, table, want)
			}
		}
	}
}
