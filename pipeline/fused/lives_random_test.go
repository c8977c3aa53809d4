package fused

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// -lives and -from play more random scripts, or one again.
var (
	livesPlayed = flag.Uint64("lives", 40, "random scripts of TestLives")
	livesFrom   = flag.Uint64("from", 0, "the first one's seed")
)

// scriptLog notes the records that a script makes.
type scriptLog struct {
	runtime.Task
	recs [][]byte
}

func (r *scriptLog) Apply(_ int64, v []byte) error { r.recs = append(r.recs, v); return nil }

// livesScript is events of few viewers in few rooms, late and out of order, with jumps of days and of more than a year, and settings that change.
func livesScript(rnd *rand.Rand) string {
	pick := func(of ...int64) int64 { return of[rnd.IntN(len(of))] }
	at, wm := int64(0), int64(0)
	lines := []string{"set horizon=720h", fmt.Sprintf("set cells=%d", pick(1<<20, 1<<20, 1<<20, 4, 20))}
	users := 1 + rnd.IntN(80)
	rooms := 1 + rnd.IntN(3)
	horizons := []string{"720h", "30h", "6h", "1h"}
	for range 60 + rnd.IntN(150) {
		switch rnd.IntN(40) {
		case 0:
			lines = append(lines, fmt.Sprintf("set cells=%d", pick(1<<20, 4, 20)))
		case 1:
			lines = append(lines, "set horizon="+horizons[rnd.IntN(len(horizons))])
		}
		if rnd.IntN(12) == 0 {
			lines = append(lines, []string{"set lateness=60", "set lateness=1h", "set lateness=0", "set lateness=10m", "set gap=1h", "set gap=10", "set gap=3h", "set dedupe=600", "set dedupe=30h"}[rnd.IntN(9)])
		}
		click := []string{"", "click=k1", "click=k2"}[rnd.IntN(3)]
		switch rnd.IntN(11) {
		case 0, 1, 2, 3, 4:
			at += pick(0, 1, 9, 10, 29, 30, 50, 700, 3600)
			late := min(at, pick(0, 0, 0, 5, 31, 60, 130, 3700, 30_000, 90_000))
			what := []string{"enter origin=feed/c1 exp=x:A", "enter", "heartbeat watch=11 exp=x:A", "heartbeat watch=9", "product_click sku=p", "gift gift=5 cur=CNY", "like", "rating rating=3", "leave watch=1", "product_exposure sku=q exp=x:A,y:B"}[rnd.IntN(10)]
			if !strings.HasPrefix(what, "enter") {
				click = ""
			}
			lines = append(lines, fmt.Sprintf("%s at=%d recv=%d view=v%d u=u%d room=r%d session=s%d %s", what, at-late, at, rnd.IntN(2), rnd.IntN(users), rnd.IntN(rooms), rnd.IntN(2), click))
		case 5, 6, 7:
			at += pick(0, 1, 50)
			room := fmt.Sprintf("room=r%d", rnd.IntN(rooms))
			if rnd.IntN(2) == 0 {
				room = "room=-"
			}
			late := min(at, pick(0, 0, 5, 60, 3700, 90_000))
			st := []string{"created", "paid", "paid", "refunded", "refunded", "cancelled", "settled", "deposit_paid", "shipped"}[rnd.IntN(9)]
			l := fmt.Sprintf("order order=o%d state=%s v=%d at=%d recv=%d u=u%d %s %s paid=%d goods=90 disc=3 items=1:p:1:5,2:q:2:0 cur=%s", rnd.IntN(4), st, 1+rnd.IntN(8), at-late, at, rnd.IntN(min(users, 3)), room, click, 10+rnd.IntN(9), []string{"CNY", "USD"}[rnd.IntN(2)])
			if st == "refunded" {
				l += fmt.Sprintf(" refund=f%d:%d:%d", rnd.IntN(2), rnd.IntN(3), rnd.IntN(9))
			}
			lines = append(lines, l)
		default:
			at += pick(0, 1, 31, 61, 119, 400, 3661, 3661, 7300, 90_000, 9*86400, 9*86400)
			if rnd.IntN(60) == 0 {
				at += 401 * 86400
			}
			wm = max(wm, at)
			lines = append(lines, fmt.Sprintf("wm %d", wm))
		}
	}
	lines = append(lines, fmt.Sprintf("wm %d", max(wm, at)+2*86400))
	return strings.Join(lines, "\n")
}

// life is a task that is flushed, saved in parts, cut short and restored at random.
type life struct {
	t     *testing.T
	make  func() runtime.Task
	task  runtime.Task
	store *memStore
	next  int
	saved map[string][]byte
	part  map[string][]byte
}

func (l *life) start() {
	l.task, l.part = l.make(), nil
	for k, v := range l.saved {
		if err := l.task.Restore([]byte(k), v); err != nil {
			l.t.Fatal(err)
		}
	}
	n, err := l.task.RestoreDone()
	if err != nil {
		l.t.Fatal(err)
	}
	l.next = int(n)
}

func (l *life) save(parts int, sweep bool) {
	for ; parts > 0 && l.part != nil; parts-- {
		if !l.task.Save(func(k, v []byte) {
			if l.part[string(k)] = v; v == nil {
				delete(l.part, string(k))
			}
		}) {
			l.saved, l.part = l.part, nil
			if sweep {
				switch t := l.task.(type) {
				case *Task:
					t.sweepKeys()
				case *services:
					t.Task.(*Task).sweepKeys()
					t.enricher.(*Task).sweepKeys()
				}
			}
		}
	}
}

func (l *life) run(rnd *rand.Rand, recs [][]byte) {
	for l.next < len(recs) {
		if err := l.task.Apply(int64(l.next), recs[l.next]); err != nil {
			l.t.Fatal(err)
		}
		l.next++
		if rnd == nil {
			l.flush(true, false, true)
			continue
		}
		if l.part != nil {
			l.save(rnd.IntN(3), rnd.IntN(2) == 0)
		}
		switch rnd.IntN(12) {
		case 0, 1, 2:
			l.flush(rnd.IntN(4) != 0, rnd.IntN(3) == 0, rnd.IntN(4) != 0)
		case 3, 4, 5:
			if l.part == nil {
				l.task.Snapshot()
				l.part = maps.Clone(l.saved)
				if l.part == nil {
					l.part = map[string][]byte{}
				}
				if rnd.IntN(2) == 0 {
					l.save(1<<30, rnd.IntN(2) == 0)
				}
			}
		case 6:
			if rnd.IntN(3) == 0 && l.saved != nil {
				l.start()
			}
		}
	}
}

func (l *life) flush(arrives, behind, ack bool) {
	var b rollup.Batch
	token, _ := l.task.Flush(&b, behind)
	if arrives {
		l.store.write(&b)
	}
	if arrives && ack {
		l.task.Ack(token)
	} else {
		l.task.Nack(token)
	}
}

func (l *life) finish() string {
	for range 80 {
		l.flush(true, false, true)
	}
	return l.store.text()
}

// Whatever is flushed, lost, saved, cut short, swept and restored when, as one task or as two: the rows are those of a life in which nothing happens.
func TestLives(t *testing.T) {
	played := *livesPlayed
	if testing.Short() {
		played = min(played, 5)
	}
	for seed := *livesFrom; seed < *livesFrom+played; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 77))
			script := livesScript(rnd)
			rec := &scriptLog{}
			p := newPlayer(t, rec)
			for l := range strings.Lines(script) {
				p.line(strings.TrimSpace(l))
			}
			play := func(rnd *rand.Rand, mk func() runtime.Task) string {
				l := &life{t: t, make: mk, store: &memStore{rows: map[string]memRow{}, watermarks: map[uint16]rollup.Watermark{}, times: true, months: true}}
				l.task = mk()
				l.run(rnd, rec.recs)
				return l.finish()
			}
			run := func() runtime.Task { return NewRun(0, nil) }
			want := play(nil, run)
			for k, name := range []string{"run", "services"} {
				got := play(rand.New(rand.NewPCG(seed, uint64(k))), tasks[name])
				if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); d != "" {
					t.Fatalf("%s differs:\n%.3000s\n%s", name, d, script)
				}
			}
		})
	}
}
