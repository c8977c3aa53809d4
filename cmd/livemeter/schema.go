package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"go.uber.org/zap"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/schemas"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

type schemaCmd struct {
	Print schemaPrintCmd `cmd:"" default:"withargs" help:"Print schemas (the default)."`
	Apply schemaApplyCmd `cmd:"" help:"Create what is missing in ClickHouse and Kafka."`
}

func (schemaCmd) Help() string { return schemaHelp }

const schemaHelp = `Example:
    livemeter schema                      everything, one document after the other
    livemeter schema viewer > viewer.json the JSON Schema of one type of event
    livemeter schema openapi > openapi.yaml
    livemeter schema clickhouse           the DDL for this configuration
    livemeter schema roles                who may read what: for an administrator to run
    livemeter schema apply --config livemeter.yaml`

type schemaPrintCmd struct {
	What string `arg:"" optional:"" enum:"all,json-schema,viewer,interaction,order,cost,stock,asyncapi,openapi,clickhouse,roles" default:"all" help:"One of ${enum}."`
	withConfig
}

func (schemaPrintCmd) Help() string { return schemaHelp }

func (c schemaPrintCmd) Run(g global, s streams) error {
	cfg, err := c.valid(g, s, config.Client)
	if err != nil {
		return err
	}
	if files, _ := fs.Glob(schemas.FS, "events/"+c.What+"/*.json"); len(files) > 0 {
		return printFiles(s.out, files[len(files)-1], ".json", "//") // the newest version
	}
	all := c.What == "all"
	if all || c.What == "json-schema" {
		err = errors.Join(err, printFiles(s.out, "events", ".json", "//"))
	}
	if all || c.What == "asyncapi" {
		err = errors.Join(err, printFiles(s.out, "asyncapi.yaml", ".yaml", "#"))
	}
	if all || c.What == "openapi" {
		err = errors.Join(err, printFiles(s.out, "openapi.yaml", ".yaml", "#"))
	}
	if all || c.What == "clickhouse" {
		err = errors.Join(err, printSQL(s.out, clickhouse.DDL(service.SinkConfig(cfg))))
	}
	if c.What == "roles" {
		err = errors.Join(err, printSQL(s.out, clickhouse.RolesDDL(service.SinkConfig(cfg))))
	}
	return err
}

// printFiles prints the files below root. Where there are several, a comment names each.
func printFiles(w io.Writer, root, suffix, comment string) error {
	return fs.WalkDir(schemas.FS, root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, suffix) {
			return err
		}
		text, err := fs.ReadFile(schemas.FS, path)
		if err != nil {
			return err
		}
		if path != root {
			fmt.Fprintf(w, "%s schemas/%s\n", comment, path)
		}
		_, err = fmt.Fprintf(w, "%s\n", strings.TrimRight(string(text), "\n"))
		return err
	})
}

func printSQL(w io.Writer, statements []string) error {
	for _, s := range statements {
		if _, err := fmt.Fprintf(w, "%s;\n\n", strings.TrimRight(s, ";\n ")); err != nil {
			return err
		}
	}
	return nil
}

type schemaApplyCmd struct {
	withConfig
	NoKafka      bool `help:"Leave Kafka's topics alone."`
	NoClickhouse bool `name:"no-clickhouse" help:"Leave ClickHouse alone."`
}

func (schemaApplyCmd) Help() string {
	return `Creates missing topics, the database, tables, columns and views. Tables and topics that exist are checked, never dropped or retyped; views and how
long rows are kept (clickhouse.ttl) become those of this configuration, so give it the services' own. It can be run again at any time. The services do
the same when they start; this is for those whose rights do not suffice.

` + schemaHelp
}

func (c schemaApplyCmd) Run(ctx context.Context, g global, s streams) error {
	cfg, err := c.valid(g, s, config.Client)
	if err != nil {
		return err
	}
	log, err := service.NewLogger(cfg.Log, s.err)
	if err != nil {
		return err
	}
	if !c.NoKafka {
		err = applyKafka(ctx, cfg, log, s)
	}
	if c.NoClickhouse {
		return err
	}
	if c.NoKafka {
		fmt.Fprintf(s.err, "the zone %s is not compared with that of the log, since Kafka is left alone\n", cfg.Zone)
	} else if wrong := service.CheckZone(ctx, cfg); wrong != nil { // views would cut days by it
		return errors.Join(err, fmt.Errorf("%w; ClickHouse is left as it is (--no-kafka: do not ask)", wrong))
	}
	return errors.Join(err, applyClickHouse(ctx, cfg, log, s.out))
}

func applyKafka(ctx context.Context, cfg *config.Config, log *zap.Logger, s streams) error {
	if err := waitForKafka(ctx, cfg, s); err != nil {
		return err
	}
	made, err := service.EnsureTopics(ctx, cfg, log)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "Kafka %s: topics are there, %d of them created now\n", strings.Join(cfg.Kafka.Brokers, ","), made)
	return err
}

func applyClickHouse(ctx context.Context, cfg *config.Config, log *zap.Logger, out io.Writer) error {
	sink, err := service.OpenStore(cfg, log, nil)
	if err != nil {
		return err
	}
	defer sink.Close()
	made, err := sink.Apply(ctx)
	if err != nil {
		return service.StoreError(cfg, err)
	}
	_, err = fmt.Fprintf(out, "ClickHouse %s: database %s has all tables and views, %d of them created now\n", strings.Join(cfg.ClickHouse.Addr, ","), cfg.ClickHouse.Database, made)
	return err
}
