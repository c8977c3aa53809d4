package main

import (
	"context"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
)

type runCmd struct {
	withConfig
	ServeHTTP bool `name:"serve-gateway" default:"true" negatable:"" help:"Run the gateway too."`
}

func (runCmd) Help() string {
	return `Collector, enricher, aggregator and gateway in one process, against any Kafka and ClickHouse. Start more of them for more throughput: they
share the partitions. /readyz on the admin port says what a process waits for.

Example:
    livemeter run --config livemeter.yaml
    livemeter run --kafka-brokers k1:9092,k2:9092 --clickhouse-addr ch:8123 --pseudonym-key-file /run/secrets/pseudonym.key`
}

func (c runCmd) Run(ctx context.Context, g global, s streams) error {
	return c.serve(ctx, g, s, config.Pipeline, func(ctx context.Context, p *service.Process) (service.Plan, error) {
		store, err := p.Store(ctx, service.GroupRun)
		if err != nil {
			return service.Plan{}, err
		}
		plan := service.Plan{Close: store.Close}
		whole, err := p.Whole(store)
		if err != nil {
			return plan, err
		}
		plan.Stages = whole.Stages()
		if c.ServeHTTP {
			_, gateway, _, err := p.Gateway()
			if err != nil {
				return plan, err
			}
			plan.Stages = append(plan.Stages, gateway)
		}
		return plan, nil
	})
}

type collectorCmd struct{ withConfig }

func (collectorCmd) Help() string {
	return "Example:\n    livemeter collector --config livemeter.yaml"
}

func (c collectorCmd) Run(ctx context.Context, g global, s streams) error {
	return c.serve(ctx, g, s, config.Pipeline, func(ctx context.Context, p *service.Process) (service.Plan, error) {
		_, stage := p.Collector()
		return service.Plan{Stages: []service.Stage{stage}}, nil
	})
}

type enricherCmd struct{ withConfig }

func (enricherCmd) Help() string {
	return "Example:\n    livemeter enricher --config livemeter.yaml"
}

func (c enricherCmd) Run(ctx context.Context, g global, s streams) error {
	return c.serve(ctx, g, s, config.Client, func(ctx context.Context, p *service.Process) (service.Plan, error) {
		_, stage, err := p.Enricher()
		return service.Plan{Stages: []service.Stage{stage}}, err
	})
}

type aggregatorCmd struct{ withConfig }

func (aggregatorCmd) Help() string {
	return `Also copies events.rejected into ClickHouse and, in the owner of partition 0, folds closed rows.

Example:
    livemeter aggregator --config livemeter.yaml`
}

func (c aggregatorCmd) Run(ctx context.Context, g global, s streams) error {
	return c.serve(ctx, g, s, config.Client, func(ctx context.Context, p *service.Process) (service.Plan, error) {
		store, err := p.Store(ctx, service.GroupAggregator)
		if err != nil {
			return service.Plan{}, err
		}
		_, stage, err := p.Aggregator(store)
		return service.Plan{Stages: []service.Stage{stage, p.Rejected(store), store.Roller()}, Close: store.Close}, err
	})
}

type gatewayCmd struct{ withConfig }

func (gatewayCmd) Help() string {
	return `POST /v1/events takes a JSON array or NDJSON, gzip or zstd, of at most 500 KB and 2,500 events; "livemeter schema openapi" describes it.
Load balancers ask GET /readyz on the same port: it is about the gateway alone.

Example:
    livemeter gateway --config livemeter.yaml
    curl -s 127.0.0.1:8080/v1/events -H 'Content-Type: application/x-ndjson' --data-binary @events.ndjson`
}

func (c gatewayCmd) Run(ctx context.Context, g global, s streams) error {
	return c.serve(ctx, g, s, config.Client, func(ctx context.Context, p *service.Process) (service.Plan, error) {
		_, stage, _, err := p.Gateway()
		return service.Plan{Stages: []service.Stage{stage}}, err
	})
}

// serve runs a service from its configuration to its orderly end. plan is asked for the stages once the topics are there.
func (w withConfig) serve(ctx context.Context, g global, s streams, need config.Service, plan func(context.Context, *service.Process) (service.Plan, error)) error {
	cfg, err := w.valid(g, s, need)
	if err != nil {
		return err
	}
	log, err := service.NewLogger(cfg.Log, s.err)
	if err != nil {
		return err
	}
	defer log.Sync()
	p, err := service.New(cfg, log)
	if err != nil {
		return err
	}
	return p.Serve(ctx, func(ctx context.Context) (service.Plan, error) {
		if err := p.Topics(ctx); err != nil {
			return service.Plan{}, err
		}
		return plan(ctx, p)
	})
}
