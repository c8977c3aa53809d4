package proof

import (
	"bytes"
	"context"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
)

// freshness adds up a worker's histogram of event to row over all its processes, each of which begins at nothing. What came since the last look is lost
// with a process that is killed.
type freshness struct {
	mu         sync.Mutex
	past, last samples
}

// samples are counts by upper bound in seconds, each with all below it, as Prometheus has them.
type samples struct {
	atMost map[float64]float64
	behind float64 // log records without one: their partition was catching up
}

func (s samples) plus(o samples) samples {
	out := samples{map[float64]float64{}, s.behind + o.behind}
	for _, m := range []map[float64]float64{s.atMost, o.atMost} {
		for le, n := range m {
			out.atMost[le] += n
		}
	}
	return out
}

func (f *freshness) next() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.past, f.last = f.past.plus(f.last), samples{}
}

func (f *freshness) set(s samples) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = s
}

func (f *freshness) sum() samples {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.past.plus(f.last)
}

const freshMetric = "livemeter_reader_event_to_queryable_seconds_bucket{"

// parseFreshness reads what /metrics says.
func parseFreshness(metrics []byte) samples {
	s := samples{atMost: map[float64]float64{}}
	for line := range bytes.Lines(metrics) {
		name, value, ok := strings.Cut(strings.TrimSpace(string(line)), "} ")
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			continue
		}
		switch {
		case strings.HasPrefix(name, "livemeter_reader_behind_records_total{"):
			s.behind += n
		case strings.HasPrefix(name, freshMetric):
			_, le, _ := strings.Cut(name, `le="`)
			if bound, err := strconv.ParseFloat(strings.TrimSuffix(le, `"`), 64); err == nil {
				s.atMost[bound] += n
			}
		}
	}
	return s
}

func (s samples) count() int64 { return int64(s.atMost[math.Inf(1)]) }

// quantile is where a part of all samples lies at most, straight between bounds. Beyond the last bound that is the answer.
func (s samples) quantile(part float64) time.Duration {
	want := part * s.atMost[math.Inf(1)]
	low, below := 0.0, 0.0
	for {
		high := math.Inf(1)
		for le := range s.atMost {
			if le > low && le < high {
				high = le
			}
		}
		n := s.atMost[high]
		switch {
		case math.IsInf(high, 1):
			return seconds(low)
		case n >= want && n > below:
			return seconds(low + (high-low)*(want-below)/(n-below))
		}
		low, below = high, n
	}
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond)
}

// lookFresh asks every worker that runs for its histogram.
func lookFresh(ctx context.Context, workers []*worker) {
	for _, w := range workers {
		process := w.running()
		if _, body, err := w.get(ctx, "/metrics"); err == nil && w.running() == process {
			w.fresh.set(parseFreshness(body))
		}
	}
}
