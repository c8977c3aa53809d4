package fused

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/slab"
)

// visitors lets people come to a day's shows: each in a room, a session and from a campaign of its own, with products nobody else has seen.
func visitors(p *player, day, n int) {
	p.dict = eventlog.NewDict(0) // the collector's, which is not what is measured
	p.writer = eventlog.NewWriter(p.dict)
	for i := range n {
		at := float64(day*86400 + i*86400/n)
		who := fmt.Sprintf("u=u%d_%d room=r%d_%d session=s%d_%d view=v at=", day, i, day, i, day, i)
		p.line(fmt.Sprintf("enter %s%f origin=feed/c%d_%d click=k%d_%d exp=x%d:v%d", who, at, day, i, day, i, day, i))
		p.line(fmt.Sprintf("product_click %s%f sku=p%d_%d", who, at+1, day, i))
		p.line(fmt.Sprintf("gift %s%f gift=5 cur=CNY", who, at+2))
		p.line(fmt.Sprintf("leave %s%f watch=5000", who, at+3))
		if i%8 == 0 {
			p.flush(true)
			snapshot(p.task, func(k, v []byte) {})
		}
	}
}

// Memory follows what is live and not what there ever was.
func TestStateIsBounded(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	p.recs = nil
	task := p.task.(*Task)
	heap := func() uint64 {
		p.store.rows, p.log, p.recs = map[string]memRow{}, map[string][]byte{}, nil
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + uint64(slab.Mapped())
	}
	const viewersADay = 200
	var keys, viewers [2]int
	var bytes [2]uint64
	day := 0
	for k := range keys {
		for range 50 { // a click touch lives for 37 days and the horizon
			visitors(p, day, viewersADay)
			keys[k] = max(keys[k], task.keys.Len())
			day++
			if day%50 > 42 || day%50 == 0 {
				viewers[k] = max(viewers[k], task.Stats().Viewers)
				bytes[k] = max(bytes[k], heap())
			}
			p.store.rows = map[string]memRow{}
		}
	}
	t.Logf("keys %d, numbers %d, viewers %d, bytes %d", keys, task.keys.Cap(), viewers, bytes)
	// Between two sweeps the table doubles: how much it holds at its most depends on when they come.
	if most := keys[0] * 5 / 4; keys[1] > most || task.keys.Cap() > most || viewers[1] > viewers[0]*21/20 || bytes[1] > bytes[0]*5/4 {
		t.Errorf("the second 50 days needed more than the first: keys %d, viewers %d, bytes %d", keys, viewers, bytes)
	}
}

// BenchmarkSweepKeys is the pause that freeing keys makes.
func BenchmarkSweepKeys(b *testing.B) {
	p := newPlayer(b, NewRun(0, nil))
	visitors(p, 0, 25_000)
	task := p.task.(*Task)
	for b.Loop() {
		task.sweepKeys()
	}
	b.ReportMetric(float64(task.keys.Len()), "keys")
}
