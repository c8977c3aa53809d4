package faults_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livemeter/livemeter/bench/chaos/faults"
)

// world is what victims look like, and fails the test when it is done to them what can't be.
type world struct {
	t     *testing.T
	mu    sync.Mutex
	state map[string]string // "" is whole
	fails string            // the victim that has ended by itself
}

type victim struct {
	w     *world
	name  string
	start time.Duration
}

func (v victim) Name() string { return v.name }

func (v victim) become(from, to string) error {
	v.w.mu.Lock()
	defer v.w.mu.Unlock()
	if is := v.w.state[v.name]; is != from {
		v.w.t.Errorf("%s is %q, and is to become %q", v.name, is, to)
	}
	v.w.state[v.name] = to
	return nil
}

func (v victim) Kill() error {
	if v.w.fails == v.name {
		return errors.New("it has ended by itself")
	}
	return v.become("", "killed")
}

func (v victim) Start(ctx context.Context) error {
	if v.w.fails == v.name {
		return nil
	}
	time.Sleep(v.start) // in the bubble of synctest: its clock jumps, nobody waits
	if ctx.Err() != nil {
		v.w.t.Errorf("%s is started with a context that is done", v.name)
	}
	return v.become("killed", "")
}

func (v victim) Suspend() error { return v.become("", "suspended") }
func (v victim) Resume() error  { return v.become("suspended", "") }

func span(min, max int) faults.Span {
	return faults.Span{Min: time.Duration(min) * time.Second, Max: time.Duration(max) * time.Second}
}

// play runs a schedule over two groups in simulated time, and checks while it goes on that at most one of a group is away.
func play(t *testing.T, seed uint64, length, start time.Duration, fails string) (schedule []string, counts map[string]faults.Count, err error) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, state: map[string]string{}, fails: fails}
		a, b := victim{w, "a", start}, victim{w, "b", start}
		groups := []faults.Group{
			{Name: "one", Victims: []faults.Victim{a, b, faults.Together("a and b", a, b)}, Kill: span(1, 5), Suspend: span(10, 20), Between: span(1, 10)},
			{Name: "other", Victims: []faults.Victim{victim{w, "c", start}}, Kill: span(1, 5), Between: span(1, 10)},
		}
		away := map[string]bool{}
		counts, err = faults.Run(t.Context(), faults.Options{Seed: seed, For: length, Groups: groups, Told: func(e faults.Event) {
			if !e.Over && away[e.Group] {
				t.Errorf("%s, while another of its group is away", e)
			}
			away[e.Group] = !e.Over
			if !e.Over {
				schedule = append(schedule, e.String()[len("+0000.0 "):])
			}
		}})
		for name, is := range w.state {
			if is != "" && name != fails {
				t.Errorf("%s is %s in the end", name, is)
			}
		}
	})
	return schedule, counts, err
}

func ofGroup(schedule []string, name string) (out []string) {
	for _, line := range schedule {
		if strings.HasPrefix(line, name+" ") {
			out = append(out, line)
		}
	}
	return out
}

// The same seed is the same schedule, also where victims take long to come back, and another seed is another.
func TestASeedIsASchedule(t *testing.T) {
	fast, counts, err := play(t, 7, 10*time.Minute, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	slow, _, err := play(t, 7, 10*time.Minute, 3*time.Second, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range []string{"one", "other"} {
		want, got := ofGroup(fast, group), ofGroup(slow, group)
		if len(got) < 6 || !slices.Equal(got, want[:len(got)]) {
			t.Errorf("group %s with slow victims:\n%s\nwant the beginning of:\n%s", group, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	if other, _, _ := play(t, 8, 10*time.Minute, 0, ""); slices.Equal(fast, other) {
		t.Error("another seed gave the same schedule")
	}
	for _, name := range []string{"a", "b", "a and b"} {
		if c := counts[name]; c.Kills < 3 || c.Suspensions < 3 {
			t.Errorf("%s was killed %d times and suspended %d times in ten minutes", name, c.Kills, c.Suspensions)
		}
	}
	if c := counts["c"]; c.Kills < 3 || c.Suspensions != 0 {
		t.Errorf("c was killed %d times and suspended %d times", c.Kills, c.Suspensions)
	}
}

// In the first round each victim suffers each fault once.
func TestNoFaultComesTwiceBeforeEachHasComeOnce(t *testing.T) {
	for seed := range uint64(20) {
		schedule, _, err := play(t, seed, 5*time.Minute, 0, "")
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, line := range ofGroup(schedule, "one")[:6] {
			_, what, _ := strings.Cut(line, ": ")
			what, _, _ = strings.Cut(what, " for ")
			if seen[what] {
				t.Errorf("seed %d: %s a second time: %q", seed, what, schedule)
			}
			seen[what] = true
		}
	}
}

// The end comes at any moment, and what is away then is whole when Run returns.
func TestWhatIsBrokenIsMended(t *testing.T) {
	for seconds := range 60 {
		if _, _, err := play(t, 3, time.Duration(seconds+1)*time.Second, time.Second, ""); err != nil {
			t.Fatal(err)
		}
	}
}

// A victim that has ended by itself is an error that names it, and ends the schedule.
func TestAVictimThatHasEndedIsAnError(t *testing.T) {
	_, _, err := play(t, 1, time.Hour, 0, "c")
	if err == nil || !strings.Contains(err.Error(), "kill c: it has ended by itself") {
		t.Errorf("got %v", err)
	}
}
