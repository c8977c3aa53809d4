package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/livemeter/livemeter/bench/festival"
	"github.com/livemeter/livemeter/bench/ledger"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/deploy/embedded"
)

type demoCmd struct {
	For  time.Duration `help:"Stop the generator after this long; without it, at Ctrl-C." placeholder:"DURATION"`
	Rate float64       `default:"20000" help:"Events a second."`
	Seed uint64        `help:"Generate the same again; 0 takes another one each time."`
	Dir  string        `help:"Data directory, to be kept and used again; without it a temporary one." placeholder:"DIR"`
	localFlags
}

func (demoCmd) Help() string {
	return `Starts Kafka and ClickHouse, lets a simulated shopping festival flow through the pipeline and shows the hottest rooms as ClickHouse has them. At
the end it waits until all views are closed, computes from the raw records alone what every table must hold, and compares: exit code 0 only if
no row differs. Ctrl-C ends the generator; once it has ended, Ctrl-C ends everything at once. Without a terminal there is a line each five seconds.
The engines are its own: of a --config, what belongs to servers elsewhere (kafka.brokers, users, TLS) is ignored, and clickhouse.addr is where its ClickHouse listens.

Example:
    livemeter demo --for 60s
    livemeter demo --for 5m --rate 50000 --kafka apache`
}

func (c demoCmd) Run(ctx context.Context, g global, s streams) (err error) {
	if !(c.Rate > 0 && c.Rate <= festival.MaxRate) {
		return usageError{fmt.Errorf("demo --rate %v: must be above 0, and at most %s", c.Rate, ui.Count(festival.MaxRate))}
	}
	dir, temporary := c.Dir, c.Dir == ""
	if temporary {
		if dir, err = os.MkdirTemp("", "livemeter-demo-"); err != nil {
			return fmt.Errorf("temporary data directory: %w; name another place with TMPDIR, or a directory to keep with --dir", err)
		}
	}
	ctx, readers, stop := whileRead(ctx)
	defer stop()
	t := ui.NewTerminal(s.out)
	t.Writer, s.err = readers.of(t.Writer), readers.of(s.err)
	l, err := c.startLocal(ctx, g, dir, sayTo(s.err))
	if err != nil {
		if ctx.Err() != nil {
			err = cmp.Or(readers.err(), errors.New("interrupted while starting"))
		}
		return errors.Join(err, removeIf(temporary, dir))
	}
	d := &demo{local: l, cmd: c, t: t, readers: readers}
	equal, err := d.run(ctx)
	nothing := errors.Is(err, errUnread) || errors.Is(err, errNothingSent) // is to be looked for
	stopped := l.stop()
	if err = errors.Join(l.explain(err), stopped); err == nil && !equal {
		err = errSilent
	}
	return errors.Join(err, leave(dir, temporary && (err == nil || nothing && stopped == nil), d.say))
}

var errNothingSent = errors.New("demo: nothing was sent, so there is nothing to compare: give it more time (--for) or a higher --rate")

// leave says what becomes of the data: a temporary directory goes, unless something is to be looked for in it.
func leave(dir string, remove bool, say func(string)) error {
	if !remove {
		say(fmt.Sprintf("the data is kept in %s, the log is %s", dir, filepath.Join(dir, logName)))
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	say("the data is thrown away; --dir DIR keeps it")
	return nil
}

func removeIf(yes bool, dir string) error {
	if !yes {
		return nil
	}
	return os.RemoveAll(dir)
}

// demo is one run: generator, table, comparison.
type demo struct {
	*local
	cmd     demoCmd
	t       *ui.Terminal
	readers *readers
	stats   atomic.Pointer[festival.Stats]
	told    time.Time // of the last line about progress
}

func (d *demo) run(ctx context.Context) (equal bool, err error) {
	seed := d.cmd.Seed
	if seed == 0 {
		seed = rand.Uint64()>>32 | 1
	}
	d.say(fmt.Sprintf("gateway http://%s, ClickHouse http://%s, Kafka %s, metrics http://%s/metrics, seed %d", embedded.Dial(d.gateway), d.cfg.ClickHouse.Addr[0],
		d.cfg.Kafka.Brokers[0], embedded.Dial(d.process.Addr), seed))
	stats, err := d.generate(ctx, seed)
	if err != nil {
		return false, err
	}
	if stats.Sent == 0 {
		return false, errNothingSent
	}
	d.t.Settle()
	fmt.Fprintf(d.t, "%s events in %s. Waiting until the pipeline has them all and every view is over (%s after its last event).\n",
		ui.Count(stats.Acked), ui.Age(stats.Elapsed), ui.Age(service.ViewsClose))
	if err := d.readers.err(); err != nil {
		return false, err
	}
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx) // Ctrl-C has ended the generator; the next one ends the process
	}
	report, err := d.settle(ctx, stats.Acked)
	if ctx.Err() != nil {
		d.say("interrupted: nothing was compared") // a terminal that was closed is found out by that: nobody would hear where the data is
		return false, d.readers.err()
	}
	if err != nil {
		return false, err
	}
	if err = d.tell(report); report.OK() && err != nil {
		err = cmp.Or(d.readers.err(), err)
	}
	return report.OK(), err
}

// tell prints what was found.
func (d *demo) tell(report *ledger.Report) error {
	code := "1;32"
	if !report.OK() {
		code = "1;31"
		if err := report.WriteTable(d.t, d.t.TTY, d.t.Color); err != nil {
			return err
		}
	}
	differ := report.Total.Different + report.Total.Missing + report.Total.Extra
	_, err := fmt.Fprintln(d.t, d.t.Paint(code, fmt.Sprintf("%s rows compared with the ledger, %s differ", ui.Count(report.Total.Compared), ui.Count(differ))))
	if none := report.Unexercised(); none != "" && err == nil {
		_, err = fmt.Fprintln(d.t, none)
	}
	return err
}

// generate runs the festival and shows the rooms meanwhile.
func (d *demo) generate(ctx context.Context, seed uint64) (festival.Stats, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	shown := make(chan error, 1)
	go func() { shown <- d.show(ctx) }()
	type result struct {
		stats festival.Stats
		err   error
	}
	done := make(chan result, 1)
	go func() {
		stats, err := festival.Run(ctx, festival.Config{Seed: seed, Faults: true, Prefix: d.cfg.Kafka.Prefix}, festival.RunOptions{
			Brokers: d.cfg.Kafka.Brokers, Rate: d.cmd.Rate, For: d.cmd.For, Progress: func(s festival.Stats) { d.stats.Store(&s) }})
		done <- result{stats, err}
	}()
	select {
	case r := <-done:
		cancel()
		return r.stats, errors.Join(r.err, <-shown)
	case err := <-d.ended:
		cancel()
		<-done
		<-shown
		return festival.Stats{}, d.died(err)
	}
}

const topRooms = 12

// show prints the hottest rooms twice a second on a terminal, one line each five seconds elsewhere.
func (d *demo) show(ctx context.Context) error {
	every := 500 * time.Millisecond
	if !d.t.TTY {
		every = 5 * time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		rooms, err := ui.Hottest(ctx, d.store.Conn(), d.store.Database(), time.Hour, topRooms)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		d.draw(rooms)
	}
}

func (d *demo) draw(rooms []ui.Room) {
	now := time.Now()
	stats := d.stats.Load()
	if stats == nil {
		stats = &festival.Stats{}
	}
	var newest time.Time
	for _, r := range rooms {
		if r.Updated.After(newest) {
			newest = r.Updated
		}
	}
	fresh := "no row in ClickHouse yet"
	if !newest.IsZero() {
		fresh = fmt.Sprintf("newest event visible %s ago", ui.Age(now.Sub(newest)))
	}
	head := fmt.Sprintf("%4s  %s events  %s events/s  %s", ui.Age(stats.Elapsed), ui.Count(stats.Acked), perSecond(stats.Acked, stats.Elapsed), fresh)
	if d.t.TTY {
		d.t.Frame(append([]string{"", d.t.Paint("1;36", head), ""}, d.t.RoomTable(rooms, now, ui.Freshness)...))
		return
	}
	if len(rooms) > 0 {
		r := rooms[0]
		head += fmt.Sprintf("  hottest %s: %s online, interaction rate %s, %s orders, GMV %s", r.Room, ui.Count(r.Online), ui.Ratio(r.Interactors, r.Viewers),
			ui.Count(r.Orders), ui.Money(r.GMV, r.Currency))
	}
	io.WriteString(d.t, head+"\n")
}
