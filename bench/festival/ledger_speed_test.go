package festival

import (
	"testing"

	"github.com/livemeter/livemeter/bench/ledger"
)

// BenchmarkLedger is Add and Finish together, per event; the demo asks for 60 000 events a second.
func BenchmarkLedger(b *testing.B) {
	f := festival(b, Config{Seed: 1, Rate: 20_000, Faults: true})
	l, err := ledger.New(ledger.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 64<<10)
	b.ResetTimer()
	for i := range b.N {
		r := f.Next(buf)
		l.Add(r.Topic, 0, int64(i), r.Key, r.Value, r.Timestamp)
	}
	truth, err := l.Finish()
	if err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	rows := 0
	for _, t := range truth.Tables {
		rows += len(t.Rows)
	}
	b.ReportMetric(float64(rows), "rows")
}
