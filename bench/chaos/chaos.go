package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/livemeter/livemeter/bench/chaos/faults"
)

// result is what a run came to.
type result struct {
	counts   map[string]faults.Count // by victim
	compared int64                   // rows
}

// chaos is one run, from nothing to the comparison. say hears each line of its story.
func chaos(ctx context.Context, o options, say func(string)) (res result, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	w := &world{o: o, dir: o.dir, fail: cancel, say: func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		say(time.Now().Format(time.TimeOnly) + " " + fmt.Sprintf(format, args...))
	}}
	w.say("seed %d, %s of faults, %d brokers, wiring %s, %v events/s", o.seed, o.length, o.brokers, o.wiring, o.rate)
	if w.dir, err = scratch(o.dir); err != nil {
		return res, err
	}
	defer func() {
		w.kill()
		for _, l := range w.lines {
			l.close()
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx) // what else there is to say follows from it
		}
		if err == nil && o.dir == "" {
			err = os.RemoveAll(w.dir)
		} else {
			w.say("logs and data are kept in %s", w.dir)
		}
	}()
	if err := w.begin(ctx); err != nil {
		return res, err
	}
	if res.counts, err = w.suffer(ctx); err != nil {
		return res, err
	}
	res.compared, err = w.judge(ctx)
	w.conclude(res)
	return res, err
}

// scratch is dir, new or empty, or a temporary directory.
func scratch(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "livemeter-chaos-")
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("--dir: %w", err)
	}
	if there, err := os.ReadDir(dir); err != nil || len(there) > 0 {
		return "", errors.Join(fmt.Errorf("--dir %s: want a directory that is empty or not there: each run has a cluster of its own", dir), err)
	}
	return dir, nil
}

// begin starts everything.
func (w *world) begin(ctx context.Context) error {
	if err := w.engines(ctx); err != nil {
		return err
	}
	for _, wiring := range w.o.lines() {
		l, err := w.newLine(ctx, wiring)
		if err != nil {
			return err
		}
		w.lines = append(w.lines, l)
	}
	w.gateways = w.newGateways()
	return together(w.services(), func(p *process) error { return p.Start(ctx) })
}

// suffer lets load and faults go on beside each other until the time is over, everything runs again, and all that was sent is acknowledged.
func (w *world) suffer(ctx context.Context) (counts map[string]faults.Count, err error) {
	loaded, stop := context.WithTimeout(ctx, w.o.length)
	defer stop()
	var all sync.WaitGroup
	errs := make([]error, len(w.lines)+1)
	for i, l := range w.lines {
		all.Go(func() {
			if errs[i] = l.generate(loaded); errs[i] != nil {
				w.fail(errs[i])
			}
		})
	}
	all.Go(func() { w.gateways.post(loaded) })
	all.Go(func() {
		counts, errs[len(w.lines)] = faults.Run(loaded, faults.Options{Seed: w.o.seed, Groups: w.groups(), Told: func(e faults.Event) { w.say("%s", e) }})
		if err := errs[len(w.lines)]; err != nil {
			w.fail(err)
		}
		w.say("calm: everything runs")
	})
	all.Wait()
	return counts, errors.Join(errs...)
}

// judge waits for rest, compares, ends the processes in order, and compares again: nobody may change anything any more.
func (w *world) judge(ctx context.Context) (compared int64, err error) {
	if err := w.gateways.judge(ctx); err != nil {
		return 0, err
	}
	for _, l := range w.lines {
		if err := l.rest(ctx); err != nil {
			return 0, err
		}
		if err := l.compare(ctx); err != nil {
			return 0, errors.Join(err, l.differences())
		}
	}
	if err := together(w.services(), (*process).stop); err != nil {
		return 0, err
	}
	for _, l := range w.lines {
		if err := l.compare(ctx); err != nil {
			return 0, errors.Join(err, l.differences())
		}
		w.say("%s: %d records sent and acknowledged, %d rows compared with the ledger: all equal", l.wiring, l.stats.Acked, l.report.Total.Compared)
		compared += l.report.Total.Compared
	}
	return compared, nil
}

// differences shows the report of a comparison that failed.
func (l *line) differences() error {
	if l.report == nil || l.report.OK() {
		return nil
	}
	var b strings.Builder
	_ = l.report.WriteTable(&b, true, false) // into memory
	return errors.New(b.String())
}

func (w *world) conclude(res result) {
	w.say("%-16s %6s %12s", "victim", "kills", "suspensions")
	var names []string
	var sum faults.Count
	for name, c := range res.counts {
		names = append(names, name)
		sum.Kills, sum.Suspensions = sum.Kills+c.Kills, sum.Suspensions+c.Suspensions
	}
	slices.Sort(names)
	for _, name := range names {
		w.say("%-16s %6d %12d", name, res.counts[name].Kills, res.counts[name].Suspensions)
	}
	w.say("%-16s %6d %12d", "together", sum.Kills, sum.Suspensions)
	if res.compared > 0 {
		w.say("seed %d, %s: %d rows compared, none differs", w.o.seed, w.o.length, res.compared)
	}
}
