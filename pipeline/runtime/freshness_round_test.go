package runtime

import (
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

type piecesTask struct {
	*counter
	more  bool
	dirty int
}

func (r *piecesTask) Stats() Stats { return Stats{MaxRecv: 1000, DirtyCells: r.dirty} }
func (r *piecesTask) Flush(b *rollup.Batch, _ bool) (uint64, bool) {
	r.token++
	b.Outcomes = append(b.Outcomes, rollup.Outcome{Topic: "x"})
	return r.token, r.more
}
func (r *piecesTask) Ack(uint64)  {}
func (r *piecesTask) Nack(uint64) {}

// A round that began fresh and is given up for one that is behind made no row of what waits visible: no sample.
func TestRoundGivenUpIsNoSample(t *testing.T) {
	m := freshMetrics(t)
	cfg := ReaderConfig{FlushHot: time.Second, FlushMax: time.Second, FlushBehind: time.Second, BehindRecords: 10, BehindAge: 1 << 60, MaxDirtyCells: 1 << 30}
	r := &Reader{cfg: cfg, metrics: m, log: zap.NewNop()}
	r.writer = newSinkWriter(&r.cfg, zap.NewNop(), m)
	task := &piecesTask{counter: newCounter(0, nil, nil), more: true, dirty: 1}
	p := &partition{r: r, s: &slot{r: r}, task: task, flush: r.writer.register(0), next: 5, high: 5}
	p.fresh.applied(1000, false)
	p.flushNow(true) // first piece of a fresh round
	p.high = 1000
	p.acked(ack{1, true, time.UnixMilli(2000)}) // now behind
	if !p.behind {
		t.Fatal("not behind")
	}
	task.more = false
	p.flushNow(true) // the task begins anew, and only final windows leave
	p.acked(ack{2, true, time.UnixMilli(3000)})
	if n, _ := freshSamples(t, m); n != 0 {
		t.Errorf("%d samples of rows that nobody can see", n)
	}
}

// Rows that the first flush at an offset has left, and that are on their way, are not acknowledged: neither is the process drained nor may it end.
func TestSecondFlushOfAnOffsetIsWaitedFor(t *testing.T) {
	cfg := ReaderConfig{FlushHot: time.Second, FlushMax: time.Second, FlushBehind: time.Second, BehindRecords: 10, BehindAge: 1 << 60, MaxDirtyCells: 1 << 30}
	m := freshMetrics(t)
	r := &Reader{cfg: cfg, metrics: m, log: zap.NewNop()}
	r.writer = newSinkWriter(&r.cfg, zap.NewNop(), m)
	p := &partition{r: r, s: &slot{r: r}, task: &piecesTask{counter: newCounter(0, nil, nil)}, flush: r.writer.register(0), next: 5, high: 5}
	for token := range uint64(2) {
		p.flushNow(true)
		if !p.s.status.seen.Load().pending {
			t.Errorf("flush %d is on its way, and nothing is said to be", token+1)
		}
		p.acked(ack{token + 1, true, time.UnixMilli(2000)})
		if p.s.status.seen.Load().pending {
			t.Errorf("flush %d is acknowledged, and something is said not to be", token+1)
		}
	}
}

// emptyTask has no rows any more.
type emptyTask struct{ *piecesTask }

func (e *emptyTask) Flush(*rollup.Batch, bool) (uint64, bool) { return 1, false }

// Rows that were refused may be none any more, such as those of a window that has passed its TTL meanwhile: the outage does not wait for them.
func TestRefusedRowsThatAreNoneAnyMore(t *testing.T) {
	cfg := ReaderConfig{FlushHot: time.Second, FlushMax: time.Second, FlushBehind: time.Second, BehindRecords: 10, BehindAge: 1 << 60, MaxDirtyCells: 1 << 30}
	m := freshMetrics(t)
	r := &Reader{cfg: cfg, metrics: m, log: zap.NewNop()}
	r.writer = newSinkWriter(&r.cfg, zap.NewNop(), m)
	task := &emptyTask{&piecesTask{counter: newCounter(0, nil, nil), dirty: 1}}
	p := &partition{r: r, s: &slot{r: r}, task: task, flush: r.writer.register(0), next: 5, high: 5}
	p.flush.refused = 1
	for _, dirty := range []int{1, 0} { // some wait for their turn; none do
		task.dirty = dirty
		p.flushNow(true)
		if got := p.flush.refused != 0; got != (dirty > 0) {
			t.Errorf("with %d dirty cells something was refused: %v", dirty, got)
		}
	}
}
