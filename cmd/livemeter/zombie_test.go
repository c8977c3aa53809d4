package main

import (
	"errors"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/livemeter/livemeter/bench/festival"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// zombieTime is longer than the groups wait for a member that is silent.
const zombieTime = 13 * time.Second

// TestZombiesChangeNothing: a process of each service is stopped in the middle of its work until others have its partitions, and goes on then; later each is
// told to end, and to end at once before it has. The tables equal the ledger.
func TestZombiesChangeNothing(t *testing.T) {
	t.Parallel()
	brokers := testengine.ApacheKafka(t)
	for wiring := range wirings {
		t.Run(wiring, func(t *testing.T) {
			t.Parallel()
			p := newPipeline(t, brokers)
			zombies := p.join(wiring)
			p.join(wiring)
			p.shares(wiring, 3, 3)
			sent := make(chan festival.Stats, 1)
			go func() {
				defer close(sent)
				sent <- p.festival(2, 1000, 25_000)
			}()
			time.Sleep(2 * time.Second) // of steady load, in the middle of which they are
			for _, one := range zombies {
				one.signal(syscall.SIGSTOP)
			}
			time.Sleep(zombieTime) // real: Kafka's own clock is to miss them
			all := p.processes
			p.processes = slices.DeleteFunc(slices.Clone(all), func(one *process) bool { return slices.Contains(zombies, one) })
			p.shares(wiring, movedPartitions)
			for _, one := range zombies {
				one.signal(syscall.SIGCONT)
			}
			p.processes = all
			p.shares(wiring, 3, 3)
			for _, one := range zombies {
				one.stopTwice()
				one.start()
			}
			stats, ok := <-sent
			if !ok {
				return
			}
			p.rest(stats)
			p.compare()
			for _, one := range p.processes {
				one.stop()
			}
		})
	}
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// stopTwice is SIGTERM, and again as soon as that is another one: it ends at once, unless it had already.
func (p *process) stopTwice() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	time.Sleep(samePress + 20*time.Millisecond) // sooner it would count as the same signal
	began := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.done:
		p.done = nil
		exit := (*exec.ExitError)(nil)
		if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 128+int(syscall.SIGTERM)) {
			p.t.Errorf("%s after two signals: %v", p.args[0], err)
		}
		p.t.Logf("%s ended %s after the second signal: %v", p.args[0], time.Since(began).Round(time.Millisecond), err)
	case <-time.After(stopLimit):
		p.t.Errorf("%s goes on after the second signal", p.args[0])
		p.kill()
	}
}
