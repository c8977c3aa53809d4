package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/livemeter/livemeter/cmd/livemeter/audit"
	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

type auditCmd struct {
	withConfig
	Since time.Duration `default:"24h" help:"Records received within this time until now; not with --from."`
	From  string        `placeholder:"TIME" help:"First receive time, as 2026-11-25T10:00:00Z or with an offset."`
	To    string        `placeholder:"TIME" help:"End of the receive times; without it, now."`
	Wait  time.Duration `default:"30s" help:"For rows to arrive of what was in Kafka when the audit began: so long it waits three times at most."`
	JSON  bool          `name:"json" help:"For programs: with every difference, up to 1000."`
}

func (auditCmd) Help() string {
	return `Checks the ledger of conservation while the pipeline is at work, and names where it does not hold:

  records       of each raw partition and minute of receive time: records in Kafka = accepted + duplicate + invalid in outcomes
  events        accepted events = the sum of the measure events over all rooms, of the whole log, by its partitions and together
  dead letters  invalid records in outcomes = rows in rejected, by source partition, minute and reason, as long as they are kept (7 days)
  offsets       what is not counted yet, which is not called a difference

It reads the raw records of the period from Kafka, and those of raw.cost from their beginning: of accepted events only cost events may name no room. What it
can't compare it says: minutes that the watermark has not passed, what retention has taken, what was counted of a deleted topic. Under way is what may be
on one side only while the pipeline works; the clocks of the hosts are taken to agree within a second. A difference within that is not seen; ask again when less is coming in. It needs to read the tables (both roles of
livemeter schema roles), writes nothing and joins no group. Exit code 1 on any difference.

Example:
    livemeter audit --since 6h
    livemeter audit --from 2026-11-25T10:00:00Z --to 2026-11-25T12:00:00Z --json`
}

// span is the period that was asked for.
func (c auditCmd) span(now time.Time) (from, to time.Time, err error) {
	from, to = now.Add(-c.Since), now
	for _, t := range []struct {
		flag, text string
		to         *time.Time
	}{{"--from", c.From, &from}, {"--to", c.To, &to}} {
		if t.text == "" {
			continue
		}
		if *t.to, err = time.Parse(time.RFC3339, t.text); err != nil {
			return from, to, usageError{fmt.Errorf("audit: %s %q: want a time such as 2026-11-25T10:00:00Z", t.flag, t.text)}
		}
	}
	if c.From == "" && c.To != "" {
		from = to.Add(-c.Since)
	}
	switch {
	case to.After(now):
		to = now
	case from.UnixMilli() < 0:
		from = time.UnixMilli(0)
	}
	if to.Sub(from) < time.Minute {
		return from, to, usageError{errors.New("audit: the period has no whole minute: see --since, --from and --to")}
	}
	return from, to, nil
}

func (c auditCmd) Run(ctx context.Context, g global, s streams) error {
	from, to, err := c.span(time.Now())
	if err != nil {
		return err
	}
	cfg, err := c.valid(g, s, config.Client)
	if err != nil {
		return err
	}
	if err := waitForKafka(ctx, cfg, s); err != nil {
		return err
	}
	var sink *clickhouse.Sink
	err = waiting(s, "waiting for ClickHouse at "+strings.Join(cfg.ClickHouse.Addr, ",")+" to answer", func() (err error) { sink, err = service.ReachStore(ctx, cfg); return err })
	if err != nil {
		return err
	}
	defer sink.Close()
	var doing atomic.Value
	doing.Store("looking")
	var report *audit.Report
	err = ui.During(sayTo(s.err), func() string { return doing.Load().(string) }, func() (err error) {
		report, err = audit.Run(ctx, audit.Options{Config: cfg, Store: sink, From: from, To: to, Wait: c.Wait, Doing: func(what string) { doing.Store(what) }})
		return err
	})
	switch {
	case ctx.Err() != nil:
		return errors.New("audit: interrupted before all was compared")
	case err != nil:
		return service.Tell(cfg, err)
	}
	if c.JSON {
		err = report.WriteJSON(s.out)
	} else {
		report.WriteTable(ui.NewTerminal(s.out))
	}
	if err == nil && !report.OK {
		err = errSilent
	}
	return err
}
