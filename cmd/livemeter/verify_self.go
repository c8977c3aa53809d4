package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/livemeter/livemeter/bench/festival"
	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/proof"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
)

// selfFlags are those of verify --self. What is not given is its zero: without --self none may be.
type selfFlags struct {
	Self   bool          `group:"Prove it on your servers" help:"Run the pipeline in topics and a database of its own on this Kafka and ClickHouse, send it a known stream, compare, and remove all of it."`
	Chaos  bool          `group:"Prove it on your servers" help:"Meanwhile kill its processes, and suspend them for longer than their sessions; never Kafka or ClickHouse."`
	For    time.Duration `group:"Prove it on your servers" placeholder:"2m" help:"Length of the stream."`
	Rate   float64       `group:"Prove it on your servers" placeholder:"5000" help:"Events a second."`
	Seed   uint64        `group:"Prove it on your servers" help:"The same stream and the same faults again; 0 takes others each time."`
	Wiring string        `group:"Prove it on your servers" placeholder:"run" enum:",run,services" default:"" help:"run: two processes that do all of it; services: collector, enricher and aggregator apart."`
	Keep   bool          `group:"Prove it on your servers" help:"Leave topics, groups and database, to look into a difference."`
	Remove string        `group:"Prove it on your servers" placeholder:"ID" help:"Do nothing but remove what a --self has left that was killed or told to --keep it."`
	JSON   bool          `group:"Prove it on your servers" name:"json" help:"The report as JSON."`
}

// check judges what was given together.
func (f selfFlags) check() error {
	if !f.Self {
		for flag, given := range map[string]bool{"chaos": f.Chaos, "for": f.For != 0, "rate": f.Rate != 0, "seed": f.Seed != 0, "wiring": f.Wiring != "", "keep": f.Keep, "remove": f.Remove != "", "json": f.JSON} {
			if given {
				return fmt.Errorf("verify --%s: only with --self", flag)
			}
		}
		return nil
	}
	if !(f.Rate >= 0 && f.Rate <= festival.MaxRate) {
		return fmt.Errorf("verify --self --rate %v: must be above 0, and at most %s", f.Rate, ui.Count(festival.MaxRate))
	}
	return nil
}

const (
	selfFor      = 2 * time.Minute
	selfRate     = 5000
	selfPatience = 30 * time.Second // it is at rest by then
)

// runSelf is verify --self.
func (c verifyCmd) runSelf(ctx context.Context, g global, s streams) error {
	cfg, err := c.valid(g, s, config.Client)
	if err != nil {
		return err
	}
	ctx, readers, stop := whileRead(ctx) // a closed pipe must not end it before it has cleaned up
	defer stop()
	t := ui.NewTerminal(s.out)
	t.Writer = readers.of(t.Writer)
	told := ui.NewTerminal(s.err)
	told.Writer = readers.of(told.Writer)
	if c.Remove != "" {
		return ui.During(sayTo(told), func() string { return "removing what is left of " + c.Remove }, func() error { return proof.Remove(ctx, cfg, c.Remove, sayTo(told)) })
	}
	id := proof.NewID()
	remove := self() + " verify --self --remove " + id + c.file() + serverFlags(g.given())
	say, now, quiet := moving(told)
	report, err := proof.Run(ctx, proof.Options{Config: cfg, ID: id, Wiring: cmp.Or(c.Wiring, "run"), Rate: cmp.Or(c.Rate, selfRate), For: cmp.Or(c.For, selfFor), Seed: c.Seed,
		Chaos: c.Chaos, Keep: c.Keep, Patience: cmp.Or(c.Wait, selfPatience), Say: say, Now: now, Left: func(yes bool) { leaves(yes, remove) }})
	quiet()
	if c.Keep || left.Load() != nil {
		fmt.Fprintln(told, "to remove what is left: "+remove)
	}
	if report == nil {
		return cmp.Or(readers.err(), err)
	}
	if c.JSON {
		e := json.NewEncoder(t)
		e.SetIndent("", "  ")
		err = errors.Join(err, e.Encode(report))
	} else {
		err = errors.Join(err, report.Write(t))
	}
	if err == nil && !report.Equal {
		err = errSilent
	}
	return err
}

// leaves notes what an end at once has to name.
func leaves(yes bool, remove string) {
	left.Store(nil)
	if yes {
		left.Store(&remove)
	}
}

// serverFlags are those with which another command finds the same Kafka and ClickHouse.
func serverFlags(given map[string]string) string {
	var b strings.Builder
	for _, k := range config.Keys() {
		value, ok := given[k.Path]
		for _, prefix := range []string{"kafka.brokers", "kafka.tls.", "kafka.sasl.", "clickhouse.addr", "clickhouse.protocol", "clickhouse.user", "clickhouse.tls.", "clickhouse.password_file"} {
			if ok && strings.HasPrefix(k.Path, prefix) {
				b.WriteString(" --" + k.Flag() + "=" + value)
			}
		}
	}
	return b.String()
}

const (
	movesEvery = 250 * time.Millisecond // on a terminal
	tellEvery  = 3 * time.Second        // elsewhere
)

// moving tells what is being done now: in a line that moves on a terminal, in a line every few seconds elsewhere. say prints what stays. quiet ends it.
func moving(t *ui.Terminal) (say, now func(string), quiet func()) {
	var mu sync.Mutex
	what, since := "", time.Now()
	done, ended := make(chan struct{}), make(chan struct{})
	every := tellEvery
	if t.TTY {
		every = movesEvery
	}
	draw := func() {
		line := what
		if long := time.Since(since); long > tellEvery {
			line += fmt.Sprintf(" … for %.0f s", long.Seconds())
		}
		switch {
		case what == "":
		case t.TTY:
			t.Frame([]string{line})
		default:
			fmt.Fprintln(t, line)
		}
	}
	clear := func() {
		if t.TTY {
			t.Frame(nil)
		}
	}
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-done:
				clear()
				return
			case <-tick.C:
				mu.Lock()
				draw()
				mu.Unlock()
			}
		}
	}()
	say = func(line string) {
		mu.Lock()
		defer mu.Unlock()
		clear()
		fmt.Fprintln(t, line)
	}
	now = func(line string) {
		mu.Lock()
		defer mu.Unlock()
		if line != what {
			what, since = line, time.Now()
		}
	}
	return say, now, func() { close(done); <-ended }
}
