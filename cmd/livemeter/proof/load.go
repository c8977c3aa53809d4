package proof

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/livemeter/livemeter/bench/chaos/faults"
	"github.com/livemeter/livemeter/bench/festival"
	"github.com/livemeter/livemeter/bench/ledger"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
)

// hurt is what workers suffer: killed, some come back before their session in the groups is over (10 s) and some after; suspended, all come back after it,
// when others have what they had.
func hurt(workers []*worker) faults.Group {
	g := faults.Group{Name: "workers", Kill: faults.Span{Min: 0, Max: 12 * time.Second}, Suspend: faults.Span{Min: 12 * time.Second, Max: 20 * time.Second},
		Between: faults.Span{Min: 2 * time.Second, Max: 8 * time.Second}}
	for _, w := range workers {
		g.Victims = append(g.Victims, w)
	}
	return g
}

// load sends the stream, breaks workers meanwhile, and looks after them: the first that ends by itself ends it.
func (r *run) load(ctx context.Context, book *ledger.Ledger) (festival.Stats, error) {
	loading, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var broken atomic.Int64
	var away atomic.Value // the fault that is under way, as text
	away.Store("")
	watched := r.watch(loading, cancel)
	suffered := make(chan error, 1)
	go func() { suffered <- r.suffer(loading, cancel, &broken, &away) }()
	stats, err := r.festival(loading, book, func(s festival.Stats) {
		what := fmt.Sprintf("%s of %s: %s events sent, %s acknowledged", s.Elapsed.Round(time.Second), r.For, ui.Count(s.Sent), ui.Count(s.Acked))
		if r.Chaos {
			what += fmt.Sprintf(", faults so far: %d%s", broken.Load(), away.Load())
		}
		if f := r.fresh(); f.count() > 0 && r.Faster == 0 {
			what += fmt.Sprintf(", half of it visible within %s", ui.Age(f.quantile(.5)))
		}
		r.Now(what)
	})
	if cause := context.Cause(loading); cause != nil {
		err = cause // what else went wrong follows from it
	}
	cancel(nil)
	r.Now("waiting until every worker is back")
	err = cmp.Or(err, <-suffered)
	<-watched
	r.report.Events, r.report.Seconds = stats.Acked, stats.Elapsed.Seconds()
	if err == nil && stats.Acked == 0 {
		err = errors.New("nothing was sent, so there is nothing to compare: give it more time (--for) or a higher --rate")
	}
	return stats, err
}

func (r *run) festival(ctx context.Context, book *ledger.Ledger, told func(festival.Stats)) (festival.Stats, error) {
	k := r.place.cfg.Kafka
	opts, err := service.KafkaOpts(k)
	if err != nil {
		return festival.Stats{}, err
	}
	cfg := festival.Config{Seed: r.Seed, Faults: true, Prefix: k.Prefix}
	if r.Faster > 0 {
		cfg.Rate = r.Rate / r.Faster
		cfg.Start = time.Now().Add(-time.Duration(float64(r.For)*r.Faster) - time.Minute).Truncate(time.Second)
	}
	return festival.Run(ctx, cfg, festival.RunOptions{Brokers: k.Brokers, Client: opts, Rate: r.Rate, For: r.For, Ledger: book, Progress: told})
}

// suffer breaks workers until ctx ends, and returns when all are whole. Its seed is the stream's.
func (r *run) suffer(ctx context.Context, failed context.CancelCauseFunc, broken *atomic.Int64, away *atomic.Value) error {
	if !r.Chaos {
		return nil
	}
	counts, err := faults.Run(ctx, faults.Options{Seed: r.Seed, Groups: []faults.Group{hurt(r.workers)}, Told: func(e faults.Event) {
		away.Store("")
		if !e.Over {
			broken.Add(1)
			away.Store(fmt.Sprintf(" (%s %s)", e.Kind, e.Victim))
		}
	}})
	for _, c := range counts {
		r.report.Kills += c.Kills
		r.report.Suspensions += c.Suspensions
	}
	if err != nil {
		failed(err)
	}
	return err
}

// watch looks at the workers every second, their freshness included, until ctx ends; the channel is closed then.
func (r *run) watch(ctx context.Context, failed context.CancelCauseFunc) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := r.failed(); err != nil {
				failed(err)
				return
			}
			lookFresh(ctx, r.workers)
		}
	}()
	return done
}

// fresh is that of all workers.
func (r *run) fresh() (s samples) {
	for _, w := range r.workers {
		s = s.plus(w.fresh.sum())
	}
	return s
}
