package fused

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// weeks is what should be counted of two viewers in one live session that goes on for weeks.
type weeks struct {
	p    *player
	rnd  *rand.Rand
	now  int64 // receive time, ms after golden0
	wm   int64 // before the record
	late int
	want map[string]int
	seen map[string]bool
}

const weeksHorizon = 6 * 3600_000

// Distinct counts of all grains under one session id, with random events up to days out of order, at and beyond the horizon's border, and restarts now and then.
func TestDistinctsOverWeeks(t *testing.T) {
	for seed := range uint64(60) {
		w := &weeks{p: newPlayer(t, NewRun(0, nil)), rnd: rand.New(rand.NewPCG(seed, 4)), want: map[string]int{}, seen: map[string]bool{}}
		w.p.store.months = true
		w.p.line("show room_measures")
		for range 60 {
			w.step()
		}
		got := w.shown()
		for k, n := range w.want {
			if got[k] != n {
				t.Errorf("seed %d: %s is %d, want %d", seed, k, got[k], n)
			}
		}
		if len(got) != len(w.want) {
			t.Errorf("seed %d: %d counts, want %d", seed, len(got), len(w.want))
		}
	}
}

func (w *weeks) step() {
	pick := func(of ...int64) int64 { return of[w.rnd.IntN(len(of))] }
	w.now += w.rnd.Int64N(pick(20_000, 20_000, 20_000, 3600_000, 3600_000, 5*3600_000, 5*3600_000, 7*24*3600_000))
	lag := pick(0, 0, w.rnd.Int64N(700_000), pick(weeksHorizon, weeksHorizon+1, w.rnd.Int64N(2*weeksHorizon), w.rnd.Int64N(7*weeksHorizon)))
	if ts := w.now - lag; ts >= 0 {
		w.event(ts, fmt.Sprint("u", w.rnd.IntN(2)))
		w.wm = w.now
	}
	if w.rnd.IntN(10) == 0 {
		w.p.flush(false)
		w.p.restart()
	}
	if w.rnd.IntN(3) == 0 {
		w.p.flush(true)
	}
}

func (w *weeks) event(ts int64, who string) {
	measure, what := "viewers", "heartbeat watch=1"
	if w.rnd.IntN(2) == 0 {
		measure, what = "interactors", "like"
	}
	w.p.line(fmt.Sprintf("%s at=%d.%03d recv=%d.%03d u=%s view=a", what, ts/1000, ts%1000, w.now/1000, w.now%1000, who))
	if ts < w.wm-weeksHorizon {
		w.late++
		measure, who = "beyond_horizon", fmt.Sprint(w.late)
	}
	at := time.UnixMilli(golden0 + ts).In(time.FixedZone("", 8*3600))
	for grain, start := range map[string]time.Time{"10s": at.Truncate(10 * time.Second), "1m": at.Truncate(time.Minute), "1h": at.Truncate(time.Hour),
		"1d": time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, at.Location())} {
		k := fmt.Sprintf("%s %s %s", grain, start.Format("01-02 15:04:05"), measure)
		if !w.seen[k+who] {
			w.seen[k+who] = true
			w.want[k]++
		}
	}
}

// shown is what the store shows, but for sessions.
func (w *weeks) shown() map[string]int {
	got := map[string]int{}
	for line := range strings.Lines(w.p.shown("room_measures")) {
		words := strings.Fields(line)
		if len(words) < 5 || words[1] == "session" {
			continue
		}
		for _, word := range words[4:] {
			var n int
			switch name, value, _ := strings.Cut(word, "="); name {
			case "viewers", "interactors", "beyond_horizon":
				if _, err := fmt.Sscan(value, &n); err == nil {
					got[fmt.Sprintf("%s %s %s %s", words[1], words[2], words[3], name)] += n
				}
			}
		}
	}
	return got
}
