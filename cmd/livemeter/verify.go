package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/livemeter/livemeter/bench/ledger"
	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
)

type verifyCmd struct {
	withConfig
	Ledger string        `required:"" placeholder:"FILE" help:"File that generate --ledger wrote."`
	Wait   time.Duration `help:"Compare again until all is equal or this has passed: the pipeline may still be at work."`
}

func (verifyCmd) Help() string {
	return `Compares every row of every table and grain, measure by measure: compared, equal, different, missing, extra, with the first differences. Whole-view
measures settle 31 s after the last event. Exit code 1 on any difference.

Example:
    livemeter verify --ledger run.ledger --wait 2m`
}

func (c verifyCmd) Run(ctx context.Context, g global, s streams) error {
	cfg, err := c.valid(g, config.Client, nil)
	if err != nil {
		return err
	}
	truth, err := ledger.ReadFile(c.Ledger)
	if err != nil {
		return err
	}
	sink, err := service.OpenStore(ctx, cfg, zap.NewNop(), nil)
	if err != nil {
		return err
	}
	defer sink.Close()
	report, err := c.compare(ctx, sink.Conn(), truth, cfg.ClickHouse.Database)
	if err != nil {
		return err
	}
	t := ui.NewTerminal(s.out)
	if err := report.WriteTable(t, t.Color); err != nil {
		return err
	}
	if !report.OK() {
		return errSilent
	}
	return nil
}

func (c verifyCmd) compare(ctx context.Context, db ledger.Querier, truth *ledger.Truth, database string) (*ledger.Report, error) {
	deadline := time.Now().Add(c.Wait)
	pause := time.NewTicker(2 * time.Second)
	defer pause.Stop()
	for {
		report, err := ledger.Compare(ctx, db, truth, ledger.CompareOptions{Database: database})
		if err != nil || report.OK() || time.Now().After(deadline) {
			return report, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(errors.New("verify: interrupted"), fmt.Errorf("%d rows still differ", report.Total.Different+report.Total.Missing+report.Total.Extra))
		case <-pause.C:
		}
	}
}
