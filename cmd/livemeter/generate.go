package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/livemeter/livemeter/bench/festival"
	"github.com/livemeter/livemeter/bench/ledger"
	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
)

type generateCmd struct {
	withConfig
	Rate    float64       `default:"20000" help:"Events a second; 0 is as fast as it goes, with a simulated clock that ends about now."`
	For     time.Duration `help:"Stop after this long."`
	Events  int64         `default:"-1" help:"Stop after this many events; -1 is no limit."`
	Seed    uint64        `help:"Generate the same again: --file the same bytes, with --start also --rate 0. 0 takes another one each time."`
	Start   time.Time     `placeholder:"2026-11-22T12:00:00Z" help:"Where the simulated clock of --file or --rate 0 starts; by default so that it ends about now, for --file with --seed always at the same time."`
	Rooms   *int          `help:"Number of rooms; by default a tenth of the rate, 50 to 10,000."`
	Viewers *int          `help:"Number of people who come and go, 100 or more; by default ten times the rate, 2,000 to 500,000."`
	Faults  bool          `default:"true" negatable:"" help:"Duplicates, disorder, wrong clocks, malformed records."`
	Ledger  string        `placeholder:"FILE" help:"Write what must be in ClickHouse, for verify."`
	File    string        `placeholder:"FILE" help:"Write NDJSON to a file (- is standard output) instead of Kafka; wants --events."`
}

func (generateCmd) Help() string {
	return `Viewers who come, watch, interact and buy in Zipf-distributed rooms, with bursts, a bot room and, unless --no-faults, what goes wrong in real life.
Without --for and --events it ends at Ctrl-C. The ledger covers this run alone: verify compares it with a database that was fed nothing else, so give
the test a --kafka-prefix and a --clickhouse-database of its own where others send. Where the broker sets the receive times (LogAppendTime) the
ledger takes them from the raw topics, which this client must then be allowed to read.

Example:
    livemeter generate --rate 5000 --for 5m --ledger run.ledger
    livemeter generate --rate 0 --events 5000000 --kafka-brokers k1:9092
    livemeter generate --events 1000 --file events.ndjson`
}

func (c generateCmd) Run(ctx context.Context, g global, s streams) error {
	if err := c.numbers(); err != nil {
		return usageError{err}
	}
	cfg, err := c.valid(g, s, config.Client)
	if err != nil {
		return err
	}
	seeded := c.Seed != 0
	if !seeded {
		c.Seed = rand.Uint64()>>32 | 1
	}
	fest := festival.Config{Seed: c.Seed, Rooms: orZero(c.Rooms), Viewers: orZero(c.Viewers), Faults: c.Faults, Prefix: cfg.Kafka.Prefix}
	fest.Start = c.Start
	if c.File != "" {
		if fest.Start.IsZero() && seeded {
			fest.Start = fileStart
		}
		return c.toFile(ctx, fest, s)
	}
	if !c.Start.IsZero() && c.Rate > 0 {
		return usageError{errors.New("generate --start: records sent at a --rate carry the time at which they are sent; want --rate 0 or --file")}
	}
	return c.toKafka(ctx, cfg, g.given(), fest, s)
}

// numbers judges those that were given: what is not takes a default.
func (c generateCmd) numbers() error {
	switch {
	case !(c.Rate >= 0 && c.Rate <= festival.MaxRate):
		return fmt.Errorf("generate --rate %v: must be 0 or more, and at most %s; 0 is as fast as it goes", c.Rate, ui.Count(festival.MaxRate))
	case c.Events == 0 || c.Events < -1:
		return fmt.Errorf("generate --events %d: want a number above 0; without --events and --for it ends at Ctrl-C", c.Events)
	case c.Rooms != nil && *c.Rooms < 1:
		return fmt.Errorf("generate --rooms %d: must be 1 or more", *c.Rooms)
	case c.Viewers != nil && *c.Viewers < festival.MinViewers:
		return fmt.Errorf("generate --viewers %d: must be %d or more", *c.Viewers, festival.MinViewers)
	}
	return nil
}

func orZero(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

// fileStart makes a file a function of its seed: events carry times, and what counts of them is how far they lie apart.
var fileStart = time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)

func (c generateCmd) toFile(ctx context.Context, fest festival.Config, s streams) error {
	switch {
	case c.Events <= 0:
		return usageError{errors.New("generate --file: --events says how many")}
	case c.Ledger != "":
		return usageError{errors.New("generate --file: a ledger needs the receive times, which only Kafka keeps")}
	}
	fest.Rate = c.Rate
	if c.File == "-" {
		return festival.WriteFile(ctx, fest, s.out, c.Events)
	}
	f, err := os.Create(c.File)
	if err != nil {
		return fmt.Errorf("generate --file: %w", err)
	}
	w := &progressWriter{Writer: f, to: s.err, said: time.Now()}
	if err := errors.Join(festival.WriteFile(ctx, fest, w, c.Events), f.Close()); err != nil {
		return fmt.Errorf("generate --file: %w", err)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("generate: interrupted, %s holds fewer than %s events", c.File, ui.Count(c.Events))
	}
	_, err = fmt.Fprintf(s.err, "%s events, %s bytes in %s, seed %d\n", ui.Count(c.Events), ui.Count(w.n), c.File, c.Seed)
	return err
}

func (c generateCmd) toKafka(ctx context.Context, cfg *config.Config, given map[string]string, fest festival.Config, s streams) error {
	if c.Ledger != "" { // now, not when events have been sent that no ledger covers
		if err := writable(c.Ledger); err != nil {
			return err
		}
	}
	opts, err := service.KafkaOpts(cfg.Kafka)
	if err != nil {
		return err
	}
	if err := waitForKafka(ctx, cfg, s); err != nil {
		return err
	}
	var doubt string
	err = waiting(s, "looking at the topics", func() (err error) { doubt, err = topicsToFill(ctx, cfg, opts); return err })
	if err != nil {
		return err
	}
	if doubt != "" {
		fmt.Fprintln(s.err, doubt)
	}
	run := festival.RunOptions{Brokers: cfg.Kafka.Brokers, Client: opts, Rate: c.Rate, For: c.For, Events: max(c.Events, 0)}
	if c.Ledger != "" {
		if run.Ledger, err = ledger.New(ledger.Options{Zone: cfg.Zone}); err != nil {
			return err
		}
		defer run.Ledger.Close()
	}
	watch, stop := watchAcks(cfg.Kafka.Brokers, sayTo(s.err))
	defer stop()
	run.Progress = func(st festival.Stats) {
		watch(st)
		fmt.Fprintf(s.err, "%s sent, %s acknowledged, %s events/s\n", ui.Count(st.Sent), ui.Count(st.Acked), perSecond(st.Acked, st.Elapsed))
	}
	run.Waiting = func(n int64, grace time.Duration) {
		fmt.Fprintf(s.err, "waiting for %s acknowledgements, at most %.0f s; Ctrl-C again ends at once\n", ui.Count(n), grace.Seconds())
	}
	stats, err := festival.Run(ctx, fest, run)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s events, %s bytes in %s, seed %d\n", ui.Count(stats.Acked), ui.Count(stats.Bytes), ui.Age(stats.Elapsed), c.Seed)
	if run.Ledger == nil {
		return nil
	}
	truth, err := run.Ledger.Finish()
	if err != nil {
		return err
	}
	if err := truth.WriteFile(c.Ledger); err != nil {
		return err
	}
	unknown := cfg.Kafka.Prefix != "" && cfg.ClickHouse.Database == config.Default().ClickHouse.Database
	if unknown {
		cfg.ClickHouse.Database = "DATABASE"
	}
	fmt.Fprintf(s.out, "ledger of %s records: %s; compare with: %s verify --wait 2m --ledger %s%s\n", ui.Count(truth.Records), c.Ledger, self(), c.Ledger, c.file()+clickHouseFlags(cfg, given))
	if unknown {
		fmt.Fprintf(s.out, "DATABASE is that of the pipeline with --kafka-prefix %s\n", cfg.Kafka.Prefix)
	}
	return nil
}

// writable says whether a ledger can be written where it is to be. What is there stays.
func writable(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return usageError{fmt.Errorf("generate --ledger: %s is a directory", path)}
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("generate --ledger: %s cannot be written: %w", path, errors.Unwrap(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// progressWriter says every two seconds how much went through it.
type progressWriter struct {
	io.Writer
	to   io.Writer
	n    int64
	said time.Time
}

func (w *progressWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.n += int64(n)
	if now := time.Now(); now.Sub(w.said) >= 2*time.Second {
		w.said = now
		fmt.Fprintf(w.to, "%s bytes\n", ui.Count(w.n))
	}
	return n, err
}

func perSecond(n int64, d time.Duration) string {
	if d <= 0 {
		return "0"
	}
	return ui.Count(int64(float64(n) / d.Seconds()))
}
