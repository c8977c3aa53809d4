package runtime

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A reader at the end of its log is behind all the same while the receive times in it run faster than the clock.
func TestPursuit(t *testing.T) {
	start := time.UnixMilli(1_700_000_000_000)
	for _, c := range []struct {
		name  string
		speed float64 // receive time gained in a unit of clock
		want  bool
	}{{"catching up", 10, true}, {"live", 1, false}, {"a source that is late", 0.5, false}, {"quiet", 0, false}} {
		t.Run(c.name, func(t *testing.T) {
			var p pursuit
			recv := start.Add(-time.Hour)
			if !p.going(start, recv.UnixMilli()) {
				t.Error("at first sight of an old record it must be taken for a backlog")
			}
			got := false
			for at := time.Duration(0); at <= 5*time.Second; at += 50 * time.Millisecond {
				got = p.going(start.Add(at), recv.Add(time.Duration(c.speed*float64(at))).UnixMilli())
			}
			if got != c.want {
				t.Errorf("after 5 s: %v, want %v", got, c.want)
			}
		})
	}
}

// Records that are missing are told by /readyz where they do not come again within the time that an enricher takes.
func TestNotReadyWhereRecordsAreMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &Reader{log: zap.NewNop(), joined: true, cfg: ReaderConfig{Topic: "events.enriched"}}
		s := &slot{id: 3}
		s.status.phase.Store(running)
		s.status.hole.log = r.log
		r.slots = map[int32]*slot{3: s}
		p := &partition{s: s, r: r, next: 9}
		look := func(after time.Duration, waits, ready bool) {
			t.Helper()
			time.Sleep(after) // simulated
			p.stats.Waits = waits
			p.tellHole()
			if err := r.Ready(); (err == nil) != ready || err != nil && !strings.Contains(err.Error(), "partition 3 of events.enriched: records are missing") {
				t.Errorf("ready: %v", err)
			}
		}
		look(0, false, true)
		look(0, true, true)
		look(holePatience/2, true, true)
		look(holePatience, true, false)
		look(time.Second, false, true)
	})
}

// A restart of a partition brings no missing record: they came where a life has read on behind the hole and nothing waits.
func TestARestartBringsNoMissingRecords(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	r := &Reader{log: zap.New(core), cfg: ReaderConfig{Topic: "events.enriched"}}
	s := &slot{id: 3}
	s.status.hole.log = r.log
	for _, look := range []struct {
		what  string
		next  int64
		waits bool
		came  int
	}{
		{"a record does not follow", 9, true, 0},
		{"a new life, restored", 5, false, 0}, {"it comes to the hole", 8, false, 0}, {"and waits", 9, true, 0}, {"still", 12, true, 0},
		{"the next life, restored", 5, false, 0}, {"all came", 15, false, 1}, {"and nothing more", 16, false, 1},
	} {
		p := &partition{s: s, r: r, next: look.next, stats: Stats{Waits: look.waits}}
		p.tellHole()
		if n := logs.FilterMessage("the missing records came").Len(); n != look.came {
			t.Errorf("%s: %d lines that the missing records came, want %d", look.what, n, look.came)
		}
	}
}

// waiting is a counter that says of itself what it is told to.
type waiting struct {
	*counter
	says *atomic.Pointer[Stats]
}

func (w waiting) Stats() Stats {
	s, says := w.counter.Stats(), w.says.Load()
	s.Waits, s.Unfinished = says.Waits, says.Unfinished
	return s
}

// Neither is drained what misses records, nor what has one in part, though all that there is was read and is acknowledged.
func TestWhatWaitsIsNotDrained(t *testing.T) {
	w := newWorld(t)
	w.send(100)
	var says atomic.Pointer[Stats]
	says.Store(&Stats{})
	cfg := w.config()
	cfg.NewTask = func(p int32, out Output) Task { return waiting{newCounter(p, out, nil), &says} }
	r := w.start(cfg)
	w.drain(r)
	for _, s := range []*Stats{{Waits: true}, {Unfinished: true}} {
		says.Store(s)
		eventually(t, "it is not drained", func() (bool, string) {
			ok, why, err := r.Drained(t.Context())
			return !ok && err == nil && strings.Contains(why, "waits for records that are missing, or for the rest of one"), why
		})
		says.Store(&Stats{})
		w.drain(r)
	}
}
