package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
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
	Events  int64         `help:"Stop after this many events."`
	Seed    uint64        `help:"Generate the same again; 0 takes another one each time."`
	Rooms   int           `help:"Number of rooms."`
	Viewers int           `help:"Number of people who come and go."`
	Faults  bool          `default:"true" negatable:"" help:"Duplicates, disorder, wrong clocks, malformed records."`
	Ledger  string        `placeholder:"FILE" help:"Write what must be in ClickHouse, for verify."`
	File    string        `placeholder:"FILE" help:"Write NDJSON to a file (- is standard output) instead of Kafka; wants --events."`
}

func (generateCmd) Help() string {
	return `Viewers who come, watch, interact and buy in Zipf-distributed rooms, with bursts, a bot room and, unless --no-faults, what goes wrong in real life.
The ledger covers this run alone: verify compares it with a ClickHouse that was fed nothing else.

Example:
    livemeter generate --rate 5000 --for 5m --ledger run.ledger
    livemeter generate --rate 0 --events 5000000 --kafka-brokers k1:9092
    livemeter generate --events 1000 --file events.ndjson`
}

func (c generateCmd) Run(ctx context.Context, g global, s streams) error {
	cfg, err := c.valid(g, config.Client, nil)
	if err != nil {
		return err
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64()>>32 | 1
	}
	fest := festival.Config{Seed: c.Seed, Rooms: c.Rooms, Viewers: c.Viewers, Faults: c.Faults, Prefix: cfg.Kafka.Prefix}
	if c.File != "" {
		return c.toFile(ctx, fest, s)
	}
	return c.toKafka(ctx, cfg, fest, s)
}

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
		return err
	}
	return errors.Join(festival.WriteFile(ctx, fest, f, c.Events), f.Close())
}

func (c generateCmd) toKafka(ctx context.Context, cfg *config.Config, fest festival.Config, s streams) error {
	log, err := service.NewLogger(cfg.Log, s.err)
	if err != nil {
		return err
	}
	opts, err := service.KafkaOpts(cfg.Kafka)
	if err != nil {
		return err
	}
	if err := service.EnsureTopics(ctx, cfg, log); err != nil {
		return err
	}
	run := festival.RunOptions{Brokers: cfg.Kafka.Brokers, Client: opts, Rate: c.Rate, For: c.For, Events: c.Events}
	if c.Ledger != "" {
		if run.Ledger, err = ledger.New(ledger.Options{Zone: cfg.Zone}); err != nil {
			return err
		}
		defer run.Ledger.Close()
	}
	run.Progress = func(st festival.Stats) {
		fmt.Fprintf(s.err, "%s sent, %s acknowledged, %s events/s\n", ui.Count(st.Sent), ui.Count(st.Acked), perSecond(st.Acked, st.Elapsed))
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
	fmt.Fprintf(s.out, "ledger of %s records: %s; compare with: livemeter verify --ledger %s\n", ui.Count(truth.Records), c.Ledger, c.Ledger)
	return nil
}

func perSecond(n int64, d time.Duration) string {
	if d <= 0 {
		return "0"
	}
	return ui.Count(int64(float64(n) / d.Seconds()))
}
