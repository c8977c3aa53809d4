package admin

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// errNoAnswer stands for a check that takes too long. It goes on in the background; there is never a second call beside it.
var errNoAnswer = errors.New("the check did not answer in time")

// check is a named readiness function and the call of it that is under way, if any.
type check struct {
	name string
	f    func() error

	mu  sync.Mutex
	run *run
}

type run struct {
	done chan struct{}
	err  error // set before done is closed
}

// start calls f unless a call is still under way.
func (c *check) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run != nil && !c.run.finished() {
		return
	}
	r := &run{done: make(chan struct{})}
	c.run = r
	go func() {
		defer close(r.done)
		defer func() {
			if p := recover(); p != nil { // a broken check must not take the process down that it watches
				r.err = fmt.Errorf("the check panicked: %v", p)
			}
		}()
		r.err = c.f()
	}()
}

func (c *check) wait(ctx context.Context) error {
	c.mu.Lock()
	r := c.run
	c.mu.Unlock()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		if r.finished() {
			return r.err
		}
		return errNoAnswer
	}
}

func (r *run) finished() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}
