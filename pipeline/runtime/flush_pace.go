package runtime

import (
	"sync/atomic"
	"time"
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
