// Package proof is `verify --self`: it runs the pipeline as processes of their own on somebody's Kafka and ClickHouse, in a place that it makes there and
// removes again, sends it a known stream, kills its processes where asked, and compares what came out with the ledger.
//
// proof.go has its course, place.go what it makes in the servers, clean.go how that goes, workers.go the processes, load.go stream and faults, settle.go
// the wait for the last row and the comparison, freshness.go what the processes' metrics tell, report.go what was found.
package proof

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/livemeter/livemeter/bench/ledger"
	"github.com/livemeter/livemeter/cmd/livemeter/config"
)

// Options of a proof.
type Options struct {
	Config *config.Config // the user's, valid: where the servers are, how to reach them, how much of everything
	ID     string         // of the place; NewID
	Wiring string         // run or services
	Rate   float64        // events a second
	For    time.Duration
	Seed   uint64 // 0 takes another one each time
	Chaos  bool   // kill and suspend workers
	Keep   bool   // leave the place as it is
	// Patience is for how long tables that differ are compared again: a server that is slow to show what it has taken is given that.
	Patience time.Duration
	// Faster, where above 1, gives the events a clock that lies in the past and runs so much faster than ours: no view is open when they have been sent,
	// and freshness means nothing. Topics must take the producer's time. For tests, which have no half a minute.
	Faster float64

	Say  func(string) // what stays to be read
	Now  func(string) // what it is doing now, several times a second
	Left func(bool)   // says whether there is now something in the servers that an end at once would leave
}

// Run is the whole of it. The report is nil where nothing could be compared. What it has made is gone when it returns, or the error names it.
func Run(ctx context.Context, o Options) (_ *Report, err error) {
	began := time.Now()
	o.Seed = cmp.Or(o.Seed, rand.Uint64()>>32|1)
	p, err := openPlace(ctx, o.Config, o.ID)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if err := p.refuse(ctx); err != nil {
		return nil, err
	}
	r := &run{Options: o, place: p, report: &Report{ID: o.ID, Wiring: o.Wiring, Seed: o.Seed, Rate: o.Rate, Chaos: o.Chaos, Prefix: p.cfg.Kafka.Prefix, Database: p.cfg.ClickHouse.Database}}
	if err := r.report.servers(ctx, p); err != nil {
		return nil, err
	}
	o.Say(fmt.Sprintf("in %s, seed %d; on Kafka %s and ClickHouse %s", p.names(), o.Seed, r.report.Kafka, r.report.ClickHouse))
	compared, err := r.all(ctx)
	if err = errors.Join(err, r.end(ctx, err, r.report.Equal)); !compared {
		return nil, err
	}
	r.report.Took = time.Since(began).Seconds()
	return r.report, err
}

// run is one proof under way.
type run struct {
	Options
	place   *place
	dir     string // of the workers' files
	workers []*worker
	report  *Report
}

// ErrInterrupted is that of ctx: nothing was compared.
var ErrInterrupted = errors.New("interrupted: nothing was compared")

// directory is where the workers of a place have configuration and logs.
func directory(id string) string { return filepath.Join(os.TempDir(), prefixes+id) }

// all is from an empty place to a comparison.
func (r *run) all(ctx context.Context) (compared bool, err error) {
	defer func() {
		if ctx.Err() != nil {
			compared, err = false, ErrInterrupted // what else is said then follows from it
		}
	}()
	r.Left(true)
	r.Now("making topics and database")
	if err := r.place.make(ctx); err != nil {
		return false, err
	}
	if err := os.Mkdir(directory(r.ID), 0o700); err != nil {
		return false, err
	}
	r.dir = directory(r.ID)
	book, err := ledger.New(ledger.Options{Zone: r.place.cfg.Zone})
	if err != nil {
		return false, err
	}
	defer book.Close()
	if err := r.startWorkers(ctx); err != nil {
		return false, err
	}
	stats, err := r.load(ctx, book)
	if err != nil {
		return false, err
	}
	truth, err := book.Finish()
	if err != nil {
		return false, err
	}
	return r.settle(ctx, stats, truth)
}

// startLimit is how long workers may wait for the same before it is called a failure.
const startLimit = time.Minute

func (r *run) startWorkers(ctx context.Context) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	if r.workers, err = newWorkers(r.Wiring, exe, r.dir, r.place.cfg); err != nil {
		return err
	}
	for _, w := range r.workers {
		if err := w.Start(ctx); err != nil {
			return err
		}
	}
	return r.until(ctx, startLimit, func(ctx context.Context) (string, error) {
		for _, w := range r.workers {
			if why := w.missing(ctx); why != "" {
				return "waiting for " + why, nil
			}
		}
		return "", nil
	})
}

// until asks until nothing is missing, a worker ends, or the same has been missing for limit.
func (r *run) until(ctx context.Context, limit time.Duration, missing func(context.Context) (string, error)) error {
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	said, since := "", time.Now()
	for {
		if err := r.failed(); err != nil {
			return err
		}
		why, err := missing(ctx)
		if err != nil || why == "" {
			return err
		}
		if why != said {
			said, since = why, time.Now()
		}
		r.Now(why)
		if time.Since(since) > limit {
			return r.place.lacks(fmt.Errorf("for %v, %s\n%s", limit, why, r.logs()))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
}

// failed is that of the first worker that ended by itself.
func (r *run) failed() error {
	for _, w := range r.workers {
		if err := w.failed(); err != nil {
			return r.place.lacks(err)
		}
	}
	return nil
}

// end stops the workers and removes what was made, unless it is to be kept. Nobody hears ctx any more: what is begun is finished. Logs stay where there is
// something to look for in them. failed is what the proof ended with.
func (r *run) end(ctx context.Context, failed error, equal bool) error {
	interrupted := ctx.Err() != nil
	ctx = context.WithoutCancel(ctx)
	r.Now("stopping the workers")
	stopped := r.stopWorkers()
	if failed != nil {
		stopped = nil // it says so already; and one that is asked to end in the middle of a start may say so
	}
	if r.Keep {
		r.Left(false)
		r.Say("kept: " + r.place.names() + "; the workers' logs are in " + r.dir)
		return stopped
	}
	r.Now("removing topics, groups and database")
	err := r.place.clean(ctx)
	if err == nil {
		r.Left(false)
		r.Say("removed: " + r.place.names() + "; nothing remains")
	}
	switch {
	case r.dir == "":
	case equal && failed == nil && stopped == nil || interrupted:
		err = errors.Join(err, os.RemoveAll(r.dir))
	default:
		r.Say("the workers' logs are kept in " + r.dir)
	}
	return errors.Join(stopped, err)
}

// stopWorkers ends all at once, in order.
func (r *run) stopWorkers() error {
	errs := make([]error, len(r.workers))
	var all errgroup.Group
	for i, w := range r.workers {
		all.Go(func() error { errs[i] = w.stop(); return nil })
	}
	_ = all.Wait()
	return errors.Join(errs...)
}
