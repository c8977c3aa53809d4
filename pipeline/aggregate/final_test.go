package aggregate

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// What is dropped decides nothing, what is kept is little, and the watermark from which a window is final is the first that says so.
func TestFinality(t *testing.T) {
	for seed := range uint64(2000) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		var f, whole finality
		wm, low := int64(0), int64(0)
		for range 12 {
			wm += rnd.Int64N(100)
			low += rnd.Int64N(wm - low + 1)
			if lateness := f.lateness + 1 + rnd.Int64N(60); rnd.IntN(2) == 0 {
				f.raise(wm, lateness, low)
				whole.former = append(whole.former, former{wm, whole.lateness})
				whole.lateness = lateness
			}
			for at := low; at <= wm+150; at++ {
				end := f.end(at)
				if want := whole.end(at); end != want {
					t.Fatalf("seed %d: at %d windows are final up to %d, want %d (%+v of %+v)", seed, at, end, want, f, whole)
				}
				if f.end(at+1) < end {
					t.Fatalf("seed %d: after %d the end falls (%+v)", seed, at, f)
				}
			}
			for end := f.end(low) + 1; end < wm+50; end++ {
				if from := f.from(end); f.end(from) < end || f.end(from-1) >= end {
					t.Fatalf("seed %d: windows that end at %d are final from %d on: %+v", seed, end, from, f)
				}
			}
		}
		f.raise(wm, f.lateness+1, wm) // all is stored
		if f.raise(wm+1000, f.lateness+1, wm+1000); len(f.former) > 1 {
			t.Fatalf("seed %d: %+v is kept", seed, f)
		}
	}
}

// follows holds what a watermark row says against the log: it is the watermark's alone, whatever was lost between.
func (l *lot) follows(b *rollup.Batch) {
	for _, w := range b.Watermarks {
		if final := l.final(w.WM); w.FinalBefore != final || w.HoursTold != final-final%hourMS {
			l.t.Fatalf("%+v: by the log windows are final up to %d", w, final)
		}
	}
}

// final is up to which end windows are final at a watermark, record by record.
func (l *lot) final(wm int64) (end int64) {
	lateness := int64(0)
	for _, r := range l.log[:l.applied] {
		lateness = max(lateness, (r.lateness+999)/1000*1000)
		end = max(end, min(wm, r.wm)-lateness)
	}
	return end
}

// newest is what a reader goes by: the row with the highest watermark.
type newest struct {
	t *testing.T
	rollup.Watermark
}

func (n *newest) write(b *rollup.Batch) {
	for _, w := range b.Watermarks {
		if w.WM < n.WM {
			continue
		}
		if w.FinalBefore < n.FinalBefore || w.HoursTold < n.HoursTold || w.WM == n.WM && (w.FinalBefore != n.FinalBefore || w.HoursTold != n.HoursTold) {
			n.t.Errorf("%+v, and then %+v", n.Watermark, w)
		}
		n.Watermark = w
	}
}

func (r *rig) flushTo(n *newest, times int) {
	for range times {
		var b rollup.Batch
		token, _ := r.a.Flush(&b, false)
		r.s.write(&b)
		n.write(&b)
		r.a.Ack(token)
	}
}

// What was final and told is so after a crash, and a lateness that is raised then.
func TestFinalBeforeAfterACrash(t *testing.T) {
	for name, at := range map[string]int64{"a minute": 100_000, "an hour": hourMS - 50_000} {
		t.Run(name, func(t *testing.T) {
			r, log, n := newRig(t), changelog{}, newest{t: t}
			r.apply(at, 10_000, r.event("r", at))
			r.flushTo(&n, 10)
			log.save(r.a)
			r.apply(at+100_000, 10_000, r.event("r", at+100_000))
			r.flushTo(&n, 10)
			if n.FinalBefore != at+90_000 {
				t.Fatalf("final before %d", n.FinalBefore)
			}
			r.a = log.mustRestore(t)
			r.offset--
			r.apply(at+100_000, 10_000, r.event("r", at+100_000)) // the same again
			r.apply(at+100_000, 60_000)
			r.flushTo(&n, 10)
			log.save(r.a)
			r.a = log.mustRestore(t)
			r.apply(at+120_000, 60_000)
			r.flushTo(&n, 10)
			if n.WM != at+120_000 || n.FinalBefore != at+90_000 {
				t.Errorf("%+v", n.Watermark)
			}
			r.apply(at+160_000, 60_000)
			r.flushTo(&n, 10)
			if n.FinalBefore != at+100_000 {
				t.Errorf("%+v", n.Watermark)
			}
		})
	}
}

// A lower lateness has no effect, also after a restart.
func TestLoweredLateness(t *testing.T) {
	for _, restart := range []bool{false, true} {
		r, n := newRig(t), newest{t: t}
		r.apply(1000, hourMS, r.event("r", 1000))
		r.flushTo(&n, 10)
		r.apply(2000, 60_000)
		if restart {
			log := changelog{}
			log.save(r.a)
			r.a = log.mustRestore(t)
		}
		r.apply(hourMS+60_000, 60_000)
		r.flushTo(&n, 10)
		if n.FinalBefore != 60_000 || n.HoursTold != 0 {
			t.Errorf("restart=%v: %+v", restart, n.Watermark)
		}
		r.apply(2*hourMS, 60_000)
		r.flushTo(&n, 10)
		if n.HoursTold != hourMS || r.s.sum() != 1 {
			t.Errorf("restart=%v: %+v with %d events of 1", restart, n.Watermark, r.s.sum())
		}
	}
}

// A lateness that is lowered while the watermark stands calls nothing final whose row waits for its turn.
func TestLoweredLatenessWhileTheWatermarkStands(t *testing.T) {
	for lag := range 30 {
		r, n := newRig(t), newest{t: t}
		r.apply(600_000, 180_000, r.sale("r", 555_000))
		r.flushTo(&n, 50+lag)
		r.apply(600_000, 180_000, r.sale("r", 555_000)) // on time
		r.apply(600_000, 10_000)
		r.flushTo(&n, 30)
		if n.FinalBefore != 420_000 {
			t.Errorf("lag %d: %+v", lag, n.Watermark)
		}
	}
}

// An hour's second generation waits for the first, which closed early, while the lateness is raised: by the one that it was final by it is not told before
// it has left. The same where a flush that told it fails.
func TestRaisedLatenessWhileAnHourWaits(t *testing.T) {
	for _, raised := range []int64{10_000, 60_000, 600_000} {
		t.Run(fmt.Sprint(raised), func(t *testing.T) {
			r, n := newRig(t), newest{t: t}
			r.apply(1000, 10_000, r.event("r", 1000))
			r.flushTo(&n, 10)
			r.cells = 1
			r.apply(2000, 10_000, r.event("x", 1000)) // too many: all close
			var first rollup.Batch
			r.a.Flush(&first, false) // the first generation is on its way
			r.cells = 0
			r.apply(hourMS-10_000, 10_000, r.event("r", hourMS-20_000))
			r.apply(hourMS+11_000, 10_000) // final by this
			r.apply(hourMS+11_000, raised)
			r.apply(hourMS+30_000, raised)
			for range 10 {
				var b rollup.Batch
				r.a.Flush(&b, false)
				for _, w := range b.Watermarks {
					if w.FinalBefore >= hourMS || w.HoursTold >= hourMS {
						t.Fatalf("%+v is sent, and the hour's second generation waits", w)
					}
				}
			}
			r.a.Nack(r.a.token)
			r.s.write(&first)
			r.flushTo(&n, 20)
			if n.WM != hourMS+30_000 || n.HoursTold != hourMS || r.s.sum() != 2 {
				t.Errorf("%+v with %d events of 2", n.Watermark, r.s.sum())
			}
		})
	}
}

// While behind, a minute's row waits for its end. A pane of it that is final by a former lateness, whose minute has closed by that and was opened anew, holds
// the watermark back, also where only who is online changed.
func TestRaisedLatenessWhileBehind(t *testing.T) {
	for _, at := range []int64{65_000, 80_000} { // when it is raised: before the minute is final, after it
		r := newRig(t)
		r.apply(1000, 10_000, r.event("r", 1000))
		r.flush(10)
		r.apply(at, 10_000)
		r.apply(at, 600_000)
		r.apply(81_000, 600_000)
		r.flush(10)
		online := r.event("r", 1000)
		online.Slot, online.Mask, online.Flags = measure.Online, change.PaneOnly, 0
		r.apply(82_000, 600_000, online)
		if c := r.a.cells.At(r.a.index.get(cellID{online.Key, measure.Grain1m, 0})); c.reopened != (at == 80_000) {
			t.Errorf("raised at %d: opened anew after it was final: %v", at, c.reopened)
		}
		r.apply(300_000, 600_000)
		for range 10 {
			var b rollup.Batch
			token, _ := r.a.Flush(&b, true)
			r.a.Ack(token)
			for _, w := range b.Watermarks {
				if w.WM > 81_000 {
					t.Errorf("raised at %d: the watermark %d is sent, and a pane that changed at 81000 waits", at, w.WM)
					return
				}
			}
		}
	}
}

// A lateness counts in whole seconds, in which cells are due: what is final has closed.
func TestFinalHasClosed(t *testing.T) {
	for _, lateness := range []int64{1001, 1500, 2000} {
		r, n := newRig(t), newest{t: t}
		r.apply(1000, lateness, r.event("r", 1000))
		for wm := int64(hourMS + 900); wm < hourMS+3000; wm += 100 {
			r.apply(wm, lateness)
			r.flushTo(&n, 5)
			if told := wm >= hourMS+2000; n.WM != wm || n.HoursTold == hourMS != told || n.FinalBefore >= hourMS != told || told && r.s.sum() != 1 {
				t.Fatalf("lateness %d: %+v with %d events in the hour's row", lateness, n.Watermark, r.s.sum())
			}
		}
	}
}
