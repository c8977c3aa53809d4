package main

import (
	"context"
	"fmt"

	"github.com/livemeter/livemeter/deploy/embedded"
	"github.com/livemeter/livemeter/deploy/embedded/chhttp"
	"github.com/livemeter/livemeter/deploy/embedded/engines"
)

type enginesCmd struct {
	Which string `arg:"" optional:"" enum:"all,clickhouse,kafka" default:"all" help:"One of ${enum}."`
}

func (enginesCmd) Help() string {
	return `Fetches ClickHouse as a library (npm, 178 MB) and the jars of Apache Kafka (Maven, 43 MB) into a cache outside the source tree; what is there
is not fetched again. LIVEMETER_ENGINES sets another place. demo and up fetch what they need themselves.

Example:
    livemeter engines clickhouse`
}

func (c enginesCmd) Run(ctx context.Context, s streams) error {
	progress := func(message string) { fmt.Fprintln(s.err, message) }
	if c.Which != "kafka" {
		path, err := engines.ClickHouse(ctx, progress)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "ClickHouse %s: %s\n", engines.ClickHouseVersion, path)
	}
	if c.Which != "clickhouse" {
		path, err := engines.Kafka(ctx, progress)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "Apache Kafka %s: %s\n", engines.KafkaVersion, path)
	}
	return nil
}

// engineCmd is how demo and up start ClickHouse: a crash of the library must not take the pipeline with it.
type engineCmd struct {
	Clickhouse engineClickHouseCmd `cmd:"" name:"clickhouse" help:"The embedded ClickHouse."`
}

type engineClickHouseCmd struct {
	Dir          string `required:"" help:"Data directory."`
	Addr         string `default:"127.0.0.1:8123" help:"Where its HTTP interface listens."`
	AllowNetwork bool   `help:"Listen beyond this machine: whoever reaches it may read and write everything."`
}

func (engineClickHouseCmd) Help() string {
	return "Example:\n    livemeter engine clickhouse --dir /tmp/ch --addr 127.0.0.1:8123"
}

func (c engineClickHouseCmd) Run(ctx context.Context, s streams) error {
	if err := embedded.CheckAddr("ClickHouse", "--addr", c.Addr, c.AllowNetwork); err != nil {
		return err
	}
	lib, err := engines.ClickHouse(ctx, func(message string) { fmt.Fprintln(s.err, message) })
	if err != nil {
		return err
	}
	return embedded.ClickHouseMain(ctx, lib, c.Dir, c.Addr, chhttp.Options{})
}
