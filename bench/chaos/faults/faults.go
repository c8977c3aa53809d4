// Package faults kills and suspends things on a schedule that a seed decides. It does not know what they are.
package faults

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"
)

// Victim is what can be broken and mended: a process, or several at once (Together). Its methods are called by one goroutine at a time. Kill and Suspend of
// one that has ended by itself return an error: nobody but this package may end it meanwhile.
type Victim interface {
	Name() string
	Kill() error                     // SIGKILL; gone when it returns
	Start(ctx context.Context) error // again, after Kill; waits until it works as far as others depend on that
	Suspend() error                  // SIGSTOP
	Resume() error                   // SIGCONT
}

// Group is victims of which one is broken at a time. Groups know nothing of each other: one of each may be away at the same moment.
type Group struct {
	Name    string
	Victims []Victim
	Kill    Span // for how long a killed victim stays away; none is killed where it is zero
	Suspend Span // for how long a suspended one stands still; none is suspended where it is zero
	Between Span // from one that is whole again to the next fault; also before the first
}

// Span is a time between two bounds.
type Span struct{ Min, Max time.Duration }

func (s Span) draw(rnd *rand.Rand) time.Duration {
	return s.Min + time.Duration(rnd.Int64N(int64(s.Max-s.Min)+1))
}

// Kind of a fault.
type Kind string

// What can be done to a victim.
const (
	Kill    Kind = "kill"
	Suspend Kind = "suspend"
)

// Fault is what one victim suffers.
type Fault struct {
	Group  string
	Number int // in its group, from 1
	Victim string
	Kind   Kind
	For    time.Duration // as planned: the end of all faults may cut it short
	After  time.Duration // from when the group was whole to this fault
}

// Event tells a fault at its beginning and, when the victim is whole again, at its end.
type Event struct {
	Fault
	Since time.Duration // the schedule began
	Over  bool
}

// String is a line of the schedule.
func (e Event) String() string {
	what := fmt.Sprintf("%s %s for %.1f s", e.Kind, e.Victim, e.For.Seconds())
	if e.Over {
		what = map[Kind]string{Kill: "started ", Suspend: "resumed "}[e.Kind] + e.Victim
	}
	return fmt.Sprintf("+%06.1f %s %d: %s", e.Since.Seconds(), e.Group, e.Number, what)
}

// Count is what a victim has suffered.
type Count struct{ Kills, Suspensions int }

// Options of a schedule.
type Options struct {
	Seed   uint64
	For    time.Duration // no fault begins later; 0 leaves the end to the context
	Groups []Group
	Told   func(Event) // never by two goroutines at once
}

// Run breaks and mends victims until the time is over, or ctx is done, and returns when all that it broke is whole again. It ends early with the first
// error of a victim. A seed gives each group its faults, in their order and with their times, whatever the other groups and the victims do; that a
// victim takes long to start moves what comes after. No fault comes a second time in a group before each has come once: every victim, killed and suspended.
func Run(ctx context.Context, o Options) (map[string]Count, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if o.For > 0 {
		timer := time.AfterFunc(o.For, func() { cancel(nil) })
		defer timer.Stop()
	}
	r := &run{told: o.Told, began: time.Now(), counts: map[string]Count{}}
	var groups sync.WaitGroup
	errs := make([]error, len(o.Groups))
	for i, g := range o.Groups {
		groups.Go(func() {
			if errs[i] = r.group(ctx, newPlan(o.Seed, g)); errs[i] != nil {
				cancel(errs[i])
			}
		})
	}
	groups.Wait()
	return r.counts, errors.Join(errs...)
}

type run struct {
	told  func(Event)
	began time.Time

	mu     sync.Mutex
	counts map[string]Count
}

func (r *run) group(ctx context.Context, p *plan) error {
	for {
		f, victim, ok := p.next()
		if !ok || !wait(ctx, f.After) {
			return nil
		}
		if err := r.suffer(ctx, f, victim); err != nil {
			return fmt.Errorf("%s %s: %w", f.Kind, f.Victim, err)
		}
	}
}

// suffer mends what it broke though ctx is done meanwhile.
func (r *run) suffer(ctx context.Context, f Fault, v Victim) error {
	whole := context.WithoutCancel(ctx)
	hurt, heal := v.Kill, func() error { return v.Start(whole) }
	if f.Kind == Suspend {
		hurt, heal = v.Suspend, v.Resume
	}
	r.tell(f, false)
	if err := hurt(); err != nil {
		return errors.Join(err, heal())
	}
	wait(ctx, f.For)
	if err := heal(); err != nil {
		return err
	}
	r.tell(f, true)
	return nil
}

func (r *run) tell(f Fault, over bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.counts[f.Victim]; !over {
		if f.Kind == Kill {
			c.Kills++
		} else {
			c.Suspensions++
		}
		r.counts[f.Victim] = c
	}
	if r.told != nil {
		r.told(Event{f, time.Since(r.began), over})
	}
}

// wait is false where ctx is done before.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}

// plan is the endless schedule of a group.
type plan struct {
	Group
	rnd  *rand.Rand
	deck []card // what is left of this round
	n    int
}

type card struct {
	victim Victim
	kind   Kind
}

func newPlan(seed uint64, g Group) *plan {
	name := fnv.New64a() // groups are told apart by name: another one beside it changes nothing
	name.Write([]byte(g.Name))
	return &plan{Group: g, rnd: rand.New(rand.NewPCG(seed, name.Sum64()))}
}

func (p *plan) next() (Fault, Victim, bool) {
	if len(p.deck) == 0 {
		p.shuffle()
	}
	if len(p.deck) == 0 {
		return Fault{}, nil, false
	}
	c := p.deck[0]
	p.deck = p.deck[1:]
	p.n++
	length := p.Kill
	if c.kind == Suspend {
		length = p.Suspend
	}
	return Fault{Group: p.Name, Number: p.n, Victim: c.victim.Name(), Kind: c.kind, After: p.Between.draw(p.rnd), For: length.draw(p.rnd)}, c.victim, true
}

func (p *plan) shuffle() {
	for _, v := range p.Victims {
		if p.Kill != (Span{}) {
			p.deck = append(p.deck, card{v, Kill})
		}
		if p.Suspend != (Span{}) {
			p.deck = append(p.deck, card{v, Suspend})
		}
	}
	p.rnd.Shuffle(len(p.deck), func(i, j int) { p.deck[i], p.deck[j] = p.deck[j], p.deck[i] })
}
