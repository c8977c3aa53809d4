package runtime

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// The series of a partition come and go with it, and their labels are bounded.
func TestReaderMetrics(t *testing.T) {
	w := newWorld(t)
	w.send(400)
	reg := prometheus.NewPedanticRegistry()
	r, err := NewReader(w.config(), zap.NewNop(), reg)
	if err != nil {
		t.Fatal(err)
	}
	p := w.run(r)
	w.drain(p)
	sums := gather(t, reg)
	for name, want := range map[string]float64{"livemeter_reader_records_total": 400, "livemeter_reader_lag_records": 0, "livemeter_reader_offset": 400,
		"livemeter_reader_outcomes_total": 400, "livemeter_reader_dirty_cells": 0} {
		if got, ok := sums[name]; !ok || got != want {
			t.Errorf("%s = %v (%v), want %v", name, got, ok, want)
		}
	}
	p.stop()
	if _, ok := gather(t, reg)["livemeter_reader_offset"]; ok {
		t.Error("a partition that left still has series")
	}
}

func gather(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			for _, l := range m.Label {
				switch l.GetName() {
				case "partition", "outcome", "reason", "group", "result", "topic":
				default:
					t.Errorf("%s has an unbounded label %s", f.GetName(), l.GetName())
				}
			}
			sums[f.GetName()] += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return sums
}
