package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/livemeter/livemeter/deploy/embedded/child"
)

// process is a victim that is a process. It must not end but by Kill and stop.
type process struct {
	name  string
	log   string // file
	start func(context.Context) (*child.Process, error)
	fail  func(error) // hears that it has ended by itself

	mu      sync.Mutex
	running *child.Process
	wanted  bool // that it runs
}

func (p *process) Name() string { return p.name }

// Start may be called again after Kill.
func (p *process) Start(ctx context.Context) error {
	running, err := p.start(ctx)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.mu.Lock()
	p.running, p.wanted = running, true
	p.mu.Unlock()
	go func() {
		<-running.Done()
		p.mu.Lock()
		unasked := p.wanted && p.running == running
		p.mu.Unlock()
		if unasked {
			p.fail(p.ended(running))
		}
	}()
	return nil
}

func (p *process) ended(running *child.Process) error {
	return fmt.Errorf("%s ended by itself: %v; the end of %s:\n%s", p.name, running.Err(), p.log, child.Tail(p.log))
}

// expect says that the process is about to end, or is not, and gives it. It is an error where that has happened before.
func (p *process) expect(end bool) (*child.Process, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == nil {
		return nil, fmt.Errorf("%s does not run", p.name)
	}
	select {
	case <-p.running.Done():
		if p.wanted {
			return nil, p.ended(p.running)
		}
	default:
	}
	if end {
		p.wanted = false
	}
	return p.running, nil
}

func (p *process) Kill() error {
	running, err := p.expect(true)
	if err == nil {
		running.Kill()
	}
	return err
}

func (p *process) Suspend() error { return p.signal(syscall.SIGSTOP) }
func (p *process) Resume() error  { return p.signal(syscall.SIGCONT) }

func (p *process) signal(s syscall.Signal) error {
	running, err := p.expect(false)
	if err != nil {
		return err
	}
	return syscall.Kill(running.PID(), s)
}

// stopLimit is how long an orderly end may take here, where all end at once on a machine that may have more to do. That one takes 10 s at most other tests see to.
const stopLimit = 30 * time.Second

// stop is SIGTERM: it must end by itself and without an error.
func (p *process) stop() error {
	running, err := p.expect(true)
	if err != nil {
		return err
	}
	if err := running.Stop(stopLimit); err != nil {
		return err
	}
	if err := running.Err(); err != nil {
		return fmt.Errorf("%s after SIGTERM: %w; the end of %s:\n%s", p.name, err, p.log, child.Tail(p.log))
	}
	return nil
}

// livemeter makes a victim of `livemeter args…`. All its lives write the same log.
func (w *world) livemeter(name string, args ...string) *process {
	p := &process{name: name, log: w.file(name + ".log"), fail: w.fail}
	p.start = func(context.Context) (*child.Process, error) {
		out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		defer out.Close()
		cmd := exec.Command(w.o.livemeter, args...)
		cmd.Stdout, cmd.Stderr = out, out
		return child.Start(cmd)
	}
	return p
}
