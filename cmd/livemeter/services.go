package main

import (
	"context"
	"fmt"

	"go.uber.org/zap"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/pipeline/runtime"
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
	return c.serve(ctx, g, s, config.Pipeline, func(p *service.Process) ([]service.Stage, func(), error) {
		store, err := p.Store(ctx)
		if err != nil {
			return nil, nil, err
		}
		_, fused, err := p.Fused(store)
		stages := []service.Stage{p.Collector(), fused, p.Rejected(store), store.Roller()}
		if err == nil && c.ServeHTTP {
			var gateway service.Stage
			gateway, _, err = p.Gateway()
			stages = append(stages, gateway)
		}
		return stages, closer(p, store), err
	})
}

type collectorCmd struct{ withConfig }

func (collectorCmd) Help() string {
	return "Example:\n    livemeter collector --config livemeter.yaml"
}

func (c collectorCmd) Run(ctx context.Context, g global, s streams) error {
	return c.serve(ctx, g, s, config.Pipeline, func(p *service.Process) ([]service.Stage, func(), error) {
		return []service.Stage{p.Collector()}, nil, nil
	})
}

type enricherCmd struct{ withConfig }

func (enricherCmd) Help() string {
	return "Example:\n    livemeter enricher --config livemeter.yaml"
}

func (c enricherCmd) Run(ctx context.Context, g global, s streams) error {
	return c.serve(ctx, g, s, config.Client, func(p *service.Process) ([]service.Stage, func(), error) {
		_, stage, err := p.Enricher()
		return []service.Stage{stage}, nil, err
	})
}

type aggregatorCmd struct{ withConfig }

func (aggregatorCmd) Help() string {
	return `Also copies events.rejected into ClickHouse and, in the owner of partition 0, folds closed rows.

Example:
    livemeter aggregator --config livemeter.yaml`
}

func (c aggregatorCmd) Run(ctx context.Context, g global, s streams) error {
	return c.serve(ctx, g, s, config.Client, func(p *service.Process) ([]service.Stage, func(), error) {
		store, err := p.Store(ctx)
		if err != nil {
			return nil, nil, err
		}
		var r *runtime.Reader
		r, stage, err := p.Aggregator(store)
		_ = r
		return []service.Stage{stage, p.Rejected(store), store.Roller()}, closer(p, store), err
	})
}

type gatewayCmd struct{ withConfig }

func (gatewayCmd) Help() string {
	return `POST /v1/events takes a JSON array or NDJSON, gzip or zstd, of at most 500 KB and 2,500 events; "livemeter schema openapi" describes it.

Example:
    livemeter gateway --config livemeter.yaml
    curl -s 127.0.0.1:8080/v1/events -H 'Content-Type: application/x-ndjson' --data-binary @events.ndjson`
}

func (c gatewayCmd) Run(ctx context.Context, g global, s streams) error {
	return c.serve(ctx, g, s, config.Client, func(p *service.Process) ([]service.Stage, func(), error) {
		stage, _, err := p.Gateway()
		return []service.Stage{stage}, nil, err
	})
}

// serve runs a service from its configuration to its orderly end. build makes the stages once the topics are there.
func (w withConfig) serve(ctx context.Context, g global, s streams, need config.Service, build func(*service.Process) ([]service.Stage, func(), error)) error {
	cfg, err := w.valid(g, need, nil)
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
	return p.Serve(ctx, func(ctx context.Context) ([]service.Stage, func(), error) {
		if err := p.Topics(ctx); err != nil {
			return nil, nil, err
		}
		return build(p)
	})
}

func closer(p *service.Process, s *service.Store) func() {
	return func() {
		if err := s.Close(); err != nil {
			p.Log.Warn("closing ClickHouse", zap.Error(fmt.Errorf("%w", err)))
		}
	}
}
