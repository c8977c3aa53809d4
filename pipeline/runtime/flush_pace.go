package runtime

import (
	"sync/atomic"
	"time"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// pace sets the time between two writes. A fixed short interval makes a slow sink slower: more versions of the same cells leave. So the
// interval grows while a write takes longer than it, or the rows exceed the budget, and shrinks again when there is room.
type pace struct {
	lo, hi   time.Duration
	budget   float64 // rows per second
	interval *atomic.Int64
}

func newPace(cfg *ReaderConfig) pace {
	p := pace{lo: cfg.FlushHot, hi: cfg.FlushMax, budget: float64(cfg.RowBudget), interval: &atomic.Int64{}}
	p.interval.Store(int64(p.lo))
	return p
}

func (p *pace) next() time.Duration { return time.Duration(p.interval.Load()) }

func (p *pace) wrote(rows int, took time.Duration) {
	now := p.next()
	rate := float64(rows) / max(now, took).Seconds()
	switch {
	case took > now || rate > p.budget:
		now = min(now*3/2, p.hi)
	case took < now/2 && rate < p.budget*0.7:
		now = max(now*4/5, p.lo)
	}
	p.interval.Store(int64(now))
}

func rowsOf(b *rollup.Batch) int {
	n := len(b.Outcomes) + len(b.Orders) + len(b.Watermarks)
	for _, c := range b.Cells {
		n += len(c.Grain)
	}
	return n
}

// resetBatch empties b and keeps the memory of its columns.
func resetBatch(b *rollup.Batch) {
	for _, c := range b.Cells {
		c.Grain, c.Platform, c.Room, c.Session = c.Grain[:0], c.Platform[:0], c.Room[:0], c.Session[:0]
		c.Sub[0], c.Sub[1] = c.Sub[0][:0], c.Sub[1][:0]
		c.Window, c.Part, c.Gen, c.Version, c.State = c.Window[:0], c.Part[:0], c.Gen[:0], c.Version[:0], c.State[:0]
		c.First, c.Updated, c.Runs = c.First[:0], c.Updated[:0], c.Runs[:0]
		for i := range c.Values {
			c.Values[i] = c.Values[i][:0]
		}
		c.PaneEnd, c.PaneAt, c.PaneValue = c.PaneEnd[:0], c.PaneAt[:0], c.PaneValue[:0]
	}
	b.Outcomes, b.Orders, b.Watermarks = b.Outcomes[:0], b.Orders[:0], b.Watermarks[:0]
}
