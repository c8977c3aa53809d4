package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/livemeter/livemeter/bench/ledger"
	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

type verifyCmd struct {
	withConfig
	Ledger string        `placeholder:"FILE" help:"File that generate --ledger wrote: compare the database with it."`
	Wait   time.Duration `help:"Compare again until all is equal or this has passed: the pipeline may still be at work, or ClickHouse away. 30 s with --self."`
	selfFlags
}

func (verifyCmd) Help() string {
	return `Compares every row of every table and grain with a ledger, measure by measure. Exit code 0 only if all is equal.

With --ledger: the database of a pipeline that is at work, with the file of a generate. Compared, equal, different, missing, extra, with the first
differences; what differs stands last on a terminal, and first in a file. Whole-view measures settle 31 s after the last event.

With --self: a proof on your own Kafka and ClickHouse, with the configuration of your services (brokers, security, partitions, limits). It makes topics
livemeter-verify-ID.* and a database livemeter_verify_ID, whose names it tells, refuses what is there already, and touches nothing else; starts workers
of this program, sends them a stream with all faults, kills and suspends them with --chaos, waits until all is in ClickHouse, compares, and removes topics,
groups and database; what Kafka remembers of transactions it forgets by itself. Ctrl-C stops and removes them, too; Ctrl-C again ends at once and says
how to remove what is left. Kafka and ClickHouse get the load of --rate, and are never killed.

Example:
    livemeter verify --ledger run.ledger --wait 2m
    livemeter verify --self --config livemeter.yaml
    livemeter verify --self --chaos --for 10m --wiring services --json --kafka-brokers k1:9092 --clickhouse-addr ch:8123`
}

func (c verifyCmd) Run(ctx context.Context, g global, s streams) error {
	switch err := c.check(); {
	case err != nil:
		return usageError{err}
	case c.Self == (c.Ledger != ""):
		return usageError{errors.New("verify: want --ledger FILE, which generate wrote, or --self, which proves it on this Kafka and ClickHouse")}
	case c.Self:
		return c.runSelf(ctx, g, s)
	}
	cfg, err := c.valid(g, s, config.Client)
	if err != nil {
		return err
	}
	truth, err := ledger.ReadFile(c.Ledger)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: generate --ledger writes the file at its end, which one that was killed has not come to", err)
	}
	if err != nil {
		return err
	}
	sink, err := service.OpenStore(cfg, zap.NewNop(), nil) // each comparison asks for an answer: with --wait the server may come later, or go and come back
	if err != nil {
		return err
	}
	defer sink.Close()
	report, err := c.compare(ctx, func(now func(string)) (*ledger.Report, error) {
		now("waiting for ClickHouse to answer")
		if err := service.AskStore(ctx, cfg, sink); err != nil {
			return nil, err
		}
		now("comparing with ClickHouse")
		report, err := ledger.Compare(ctx, sink.Conn(), truth, ledger.CompareOptions{Database: cfg.ClickHouse.Database})
		if err != nil {
			err = service.StoreError(cfg, err)
		}
		return report, err
	}, sayTo(s.err))
	if err != nil {
		return err
	}
	t := ui.NewTerminal(s.out)
	if err := report.WriteTable(t, t.TTY, t.Color); err != nil {
		return err
	}
	if !report.OK() {
		if h := hint(report.Total, cfg.ClickHouse.Database); h != "" {
			fmt.Fprintln(s.err, h)
		}
		if at, ok := lowestWatermark(ctx, sink.Conn(), cfg.ClickHouse.Database); ok {
			fmt.Fprint(s.err, c.early(at, truth))
		}
		return errSilent
	}
	return nil
}

// hint says what most likely is the matter with a comparison as a whole, "" where nothing does.
func hint(total ledger.Counts, database string) string {
	switch {
	case total.Compared == 0 && total.Missing > 0:
		return fmt.Sprintf("missing: database %s has none of it. Is --clickhouse-database right? Is the pipeline running, on the Kafka and with the --kafka-prefix that generate sent to?", database)
	case total.Extra > 0:
		return "extra: ClickHouse has what the ledger does not cover. Were there other events than those of this one generate? Give the test a --kafka-prefix and a --clickhouse-database of its own."
	}
	return ""
}

// lowestWatermark is how far the pipeline has come in all partitions, 0 where one has not begun. Without an answer the comparison stands for itself.
func lowestWatermark(ctx context.Context, db ledger.Querier, database string) (ms int64, ok bool) {
	rows, err := db.Query(ctx, "SELECT toUnixTimestamp64Milli(min(watermark)) FROM "+database+".watermarks HAVING count() > 0")
	if err != nil {
		return 0, false
	}
	defer rows.Close()
	ok = rows.Next() && rows.Scan(&ms) == nil
	return ms, ok && rows.Err() == nil
}

// early says that it is too soon to compare, "" where it is not: the pipeline is still at work on what the ledger has.
func (c verifyCmd) early(watermark int64, truth *ledger.Truth) string {
	if truth.Newest == 0 || watermark >= truth.Newest+service.ViewsClose.Milliseconds() {
		return ""
	}
	come := "has not begun in every partition"
	if watermark > 0 {
		come = "has come to " + moment(watermark)
	}
	wait := "--wait 2m"
	if c.Wait > 0 {
		wait = "a longer --wait"
	}
	return fmt.Sprintf("too early: the pipeline %s, the ledger ends at %s and views settle %.0f s later: %s waits for that\n", come, moment(truth.Newest), service.ViewsClose.Seconds(), wait)
}

func moment(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.DateTime + " UTC") }

// compareEvery is the pause of --wait: a comparison reads all rows.
const compareEvery = 2 * time.Second

// compare compares until all is equal or --wait has passed, and says meanwhile how far it is. A server that does not answer meanwhile may yet.
// once says what it is doing now.
func (c verifyCmd) compare(ctx context.Context, once func(now func(string)) (*ledger.Report, error), say func(string)) (*ledger.Report, error) {
	deadline := time.Now().Add(c.Wait)
	var doing atomic.Value
	tell, stop := ui.Still(say, func() string { return doing.Load().(string) })
	defer stop()
	pause := time.NewTicker(compareEvery)
	defer pause.Stop()
	for said := ""; ; {
		report, err := once(func(what string) { doing.Store(what) })
		if ctx.Err() != nil {
			return nil, errInterruptedVerify
		}
		left := time.Until(deadline)
		if left <= 0 || err == nil && report.OK() || clickhouse.IsPermanent(err) {
			return report, err
		}
		if why := notYet(report, err); err == nil || why != said { // the same error is told once, and then that it lasts
			said = why
			tell(fmt.Sprintf("%s; trying again for %s", why, left.Round(time.Second)))
		}
		select {
		case <-ctx.Done():
			return nil, errInterruptedVerify
		case <-pause.C:
		}
	}
}

var errInterruptedVerify = errors.New("verify: interrupted before all was equal")

// notYet is why a comparison has to be made again.
func notYet(report *ledger.Report, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s of %s rows are not equal yet", ui.Count(report.Total.Different+report.Total.Missing+report.Total.Extra), ui.Count(report.Total.Compared))
}
