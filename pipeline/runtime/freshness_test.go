package runtime

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

func freshSamples(t *testing.T, m *readerMetrics) (n uint64, sum float64) {
	t.Helper()
	var out dto.Metric
	if err := m.fresh.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.GetHistogram().GetSampleCount(), out.GetHistogram().GetSampleSum()
}

func freshMetrics(t *testing.T) *readerMetrics {
	t.Helper()
	m, err := newReaderMetrics(&Reader{}, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Every record counts with the time that it waited: the oldest of a flush too, and what a failed write brought back.
func TestFreshnessCountsEveryRecord(t *testing.T) {
	m, f := freshMetrics(t), freshness{newest: 500}
	f.applied(400, false) // a source that lags
	f.applied(1000, false)
	f.flushed(false)
	f.applied(1900, false)
	f.acked(false, time.UnixMilli(1950), m)
	f.applied(1900, false) // nothing new
	f.flushed(true)        // only closed windows left
	f.acked(true, time.UnixMilli(2000), m)
	if n, _ := freshSamples(t, m); n != 0 {
		t.Fatalf("%d samples of rows that nobody can see", n)
	}
	f.flushed(false)
	f.acked(true, time.UnixMilli(3000), m)
	if n, sum := freshSamples(t, m); n != 2 || math.Abs(sum-(2.0+1.1)) > 1e-9 {
		t.Errorf("%d samples of %v s in all, want 2 of 3.1 s", n, sum)
	}
	if f.applied(4000, true); len(f.waiting) != 0 {
		t.Error("the catch-up of a backlog counts as freshness")
	}
}

func TestFreshnessIsBoundedWhileTheSinkIsAway(t *testing.T) {
	m, f := freshMetrics(t), freshness{}
	const records = 10_000
	for i := range int64(records) {
		f.applied(i+1, false)
		if i%7 == 0 {
			f.flushed(false)
			f.acked(false, time.UnixMilli(i), m)
		}
		if len(f.waiting)+len(f.flying) > maxArrivals {
			t.Fatalf("%d samples are held", len(f.waiting)+len(f.flying))
		}
	}
	f.flushed(false)
	f.acked(true, time.UnixMilli(records), m)
	n, sum := freshSamples(t, m)
	if exact := float64(records) * records / 2 / 1000; n != records || sum < exact || sum > 2*exact {
		t.Errorf("%d samples of %v s in all, want %d of %v or somewhat more", n, sum, records, exact)
	}
}

// What a failed write returns to what waits is of any length: none of it is lost.
func TestFreshnessCountsWhatAFailedWriteReturns(t *testing.T) {
	for _, returned := range []int{400, 401, 511, 512} {
		m, f := freshMetrics(t), freshness{}
		const records = 801
		for i := range records {
			if f.applied(int64(i+1), false); i+1 == returned {
				f.flushed(false)
			}
		}
		f.acked(false, time.UnixMilli(records), m)
		f.flushed(false)
		f.acked(true, time.UnixMilli(records), m)
		if n, _ := freshSamples(t, m); n != records {
			t.Errorf("%d records in the write that failed: %d samples of %d", returned, n, records)
		}
	}
}

// The reader gives one sample for each record with a new receive time, also where one flush takes many.
func TestReaderMeasuresFreshnessOfEveryRecord(t *testing.T) {
	w := newWorld(t)
	w.sink.away.Store(true)
	w.send(40)
	cfg := w.config()
	now := time.Now().UnixMilli()
	cfg.BehindAge, cfg.BehindRecords = time.Hour, 1000
	cfg.NewTask = func(p int32, out Output) Task {
		var c *counter
		c = newCounter(p, out, func(int64, string) error { c.recv = max(c.recv+100, now-4000); return nil })
		return c
	}
	r := w.start(cfg)
	eventually(t, "all applied while the sink is away", func() (bool, string) {
		n := int64(0)
		for _, o := range r.Watermarks() {
			n += o
		}
		return n == 40 && w.sink.failed.Load() > 0, fmt.Sprint(n)
	})
	w.sink.away.Store(false)
	w.drain(r)
	if n, sum := freshSamples(t, r.metrics); n != 40 || sum < 40*3 {
		t.Errorf("%d samples of %v s in all, want 40 of at least 3 s", n, sum)
	}
	r.stop()
}

// A stop in order sends the rows too that otherwise wait for their turn.
func TestStopSendsWhatWaitsForItsTurn(t *testing.T) {
	w := newWorld(t)
	w.send(200)
	for range 40 {
		w.produce(lastOnly + "-1")
	}
	r := w.start(w.config())
	eventually(t, "all flushed but what waits", func() (bool, string) {
		n := int64(0)
		for key, v := range w.sink.totals() {
			if key == lastOnly+"-1" {
				t.Fatal("a row left before its turn: nothing is tested")
			}
			n += v
		}
		return n == 200, fmt.Sprint(n)
	})
	r.stop()
	w.check()
}
