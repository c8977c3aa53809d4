package faults

import (
	"context"
	"errors"
	"sync"
)

// Together is several victims that suffer at once, as one more victim of their group.
func Together(name string, all ...Victim) Victim { return together{name, all} }

type together struct {
	name string
	all  []Victim
}

func (t together) Name() string   { return t.name }
func (t together) Kill() error    { return t.each(Victim.Kill) }
func (t together) Suspend() error { return t.each(Victim.Suspend) }
func (t together) Resume() error  { return t.each(Victim.Resume) }

func (t together) Start(ctx context.Context) error {
	return t.each(func(v Victim) error { return v.Start(ctx) })
}

// each does it to all at once: one may wait for the others, as brokers do that need a quorum.
func (t together) each(do func(Victim) error) error {
	var all sync.WaitGroup
	errs := make([]error, len(t.all))
	for i, v := range t.all {
		all.Go(func() { errs[i] = do(v) })
	}
	all.Wait()
	return errors.Join(errs...)
}
