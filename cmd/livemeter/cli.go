package main

import (
	"errors"
	"maps"
	"os"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
)

const description = `Live-commerce events in Kafka become exact, live measures in ClickHouse.

    livemeter demo                          to look at it
    livemeter up                            with your own events
    livemeter run --config livemeter.yaml   in production`

// cli is the command line. Flags of the configuration are made from its keys.
type cli struct {
	Version kong.VersionFlag `help:"Print the version."`

	Demo demoCmd `cmd:"" group:"Try it" help:"Engines, a simulated festival, the pipeline and a live table; at the end compared with a ledger."`
	Up   upCmd   `cmd:"" group:"Try it" help:"Engines, pipeline and gateway, for your own events."`

	Run        runCmd        `cmd:"" group:"Services" help:"All services in one process."`
	Collector  collectorCmd  `cmd:"" group:"Services" help:"Raw topics to the log events: validate, repair clocks, pseudonymise."`
	Enricher   enricherCmd   `cmd:"" group:"Services" help:"events to events.enriched: dedupe, views, distinct viewers, orders."`
	Aggregator aggregatorCmd `cmd:"" group:"Services" help:"events.enriched to rows in ClickHouse."`
	Gateway    gatewayCmd    `cmd:"" group:"Services" help:"Events over HTTP to the raw topics."`

	Generate generateCmd `cmd:"" group:"Tools" help:"Realistic load to a Kafka or a file, with a ledger of what must come out."`
	Verify   verifyCmd   `cmd:"" group:"Tools" help:"Compare ClickHouse with a ledger, or prove it all on your own servers (--self)."`
	Audit    auditCmd    `cmd:"" group:"Tools" help:"Does every record have its outcome, every accepted event its place, every invalid one its dead letter?"`
	KPI      kpiCmd      `cmd:"" name:"kpi" group:"Tools" help:"The rooms, or one room's last minutes."`
	Rejected rejectedCmd `cmd:"" group:"Tools" help:"What was rejected: list it, show a record, replay it after a fix."`
	Check    checkCmd    `cmd:"" group:"Tools" help:"Which lines of NDJSON would be accepted, and why not."`
	Schema   schemaCmd   `cmd:"" group:"Tools" help:"Print the schemas, or apply ClickHouse's and create the topics."`
	Config   configCmd   `cmd:"" group:"Tools" help:"Check or show the configuration."`
	Engines  enginesCmd  `cmd:"" group:"Tools" help:"Fetch the engines of demo and up beforehand."`
	Engine   engineCmd   `cmd:"" hidden:"" help:"An engine as a process of its own; demo and up start it."`

	flags []*configFlags `kong:"-"`
}

func newCLI() *cli {
	c := &cli{}
	give := func(keep, show func(config.Key) bool, commands ...*withConfig) {
		f := newConfigFlags(keep, show)
		c.flags = append(c.flags, f)
		for _, with := range commands {
			with.Plugins = kong.Plugins{f.values}
		}
	}
	give(ownEngines, mainKeys(), &c.Demo.withConfig, &c.Up.withConfig)
	give(noSecret, mainKeys(), &c.Run.withConfig, &c.Config.Check.withConfig, &c.Config.Show.withConfig, &c.Schema.Apply.withConfig, &c.Schema.Print.withConfig)
	give(noSecret, mainKeys("clickhouse.", "gateway."), &c.Collector.withConfig)
	give(noSecret, mainKeys("horizon", "clickhouse.", "gateway.", "pseudonym_"), &c.Enricher.withConfig)
	give(noSecret, mainKeys("horizon", "gateway.", "pseudonym_"), &c.Aggregator.withConfig)
	give(noSecret, mainKeys("horizon", "clickhouse.", "pseudonym_"), &c.Gateway.withConfig)
	give(noSecret, mainKeys("horizon", "clickhouse.", "gateway.", "admin.", "pseudonym_", "log."), &c.Generate.withConfig)
	give(noSecret, mainKeys("horizon", "kafka.", "clickhouse.take_over", "gateway.", "admin.", "pseudonym_", "log."), &c.KPI.withConfig)
	give(noSecret, mainKeys("horizon", "kafka.prefix", "clickhouse.take_over", "gateway.", "admin.", "pseudonym_", "log."), &c.Verify.withConfig)
	give(noSecret, mainKeys("horizon", "clickhouse.take_over", "gateway.", "admin.", "pseudonym_", "log."), &c.Audit.withConfig, &c.Rejected.List.withConfig, &c.Rejected.Show.withConfig, &c.Rejected.Replay.withConfig)
	return c
}

// withConfig gives a command --config and a flag for every key of the configuration; help shows those that matter to it.
type withConfig struct {
	Config  string       `help:"YAML file with the configuration." env:"LIVEMETER_CONFIG" placeholder:"FILE" group:"Configuration (docs/config.md: every key; secrets are LIVEMETER_ variables or in the file)"`
	Plugins kong.Plugins `embed:""`
}

// noSecret keeps secrets off the command line, which the process list shows to everybody on the machine.
func noSecret(k config.Key) bool { return !k.Secret }

// ownEngines says which keys mean something to demo and up, which start the engines themselves.
func ownEngines(k config.Key) bool {
	if !noSecret(k) {
		return false
	}
	for _, p := range []string{"kafka.brokers", "kafka.tls.", "kafka.sasl.", "topics.replication", "clickhouse.protocol", "clickhouse.user", "clickhouse.password", "clickhouse.tls."} {
		if strings.HasPrefix(k.Path, p) {
			return false
		}
	}
	return true
}

// mainKeys are the keys that help shows, but for those that mean nothing to a command. It takes them all the same: services share a file.
func mainKeys(foreign ...string) func(config.Key) bool {
	return func(k config.Key) bool {
		return k.Main && !slices.ContainsFunc(foreign, func(prefix string) bool { return strings.HasPrefix(k.Path, prefix) })
	}
}

// global is what commands get from the command line as a whole: the flags of keys. Only those of one command can be given.
type global []*configFlags

func (c *cli) global() global { return c.flags }

func (g global) given() map[string]string {
	out := map[string]string{}
	for _, f := range g {
		maps.Copy(out, f.given())
	}
	return out
}

// load reads the configuration of a command, and warns of variables that look like a key's and are none: else a slip has no effect and no sign.
func (w withConfig) load(g global, say func(string), base func(*config.Config)) (*config.Config, error) {
	for _, mistake := range config.MistypedEnv(os.Environ()) {
		say("warning: " + mistake)
	}
	return w.read(g, base)
}

// read reads file, environment and flags.
func (w withConfig) read(g global, base func(*config.Config)) (*config.Config, error) {
	return config.Load(config.Sources{File: w.Config, Env: os.LookupEnv, Flags: g.given(), Base: base})
}

// valid is load with every mistake reported.
func (w withConfig) valid(g global, s streams, need config.Service) (*config.Config, error) {
	c, err := w.load(g, sayTo(s.err), nil)
	return c, errors.Join(err, service.Validate(c, need))
}

// configFlags are one flag for each key: a struct made at run time, since kong reads structs.
type configFlags struct {
	values any // pointer to the struct
	keys   []config.Key
}

func newConfigFlags(keep, show func(config.Key) bool) *configFlags {
	keys := slices.DeleteFunc(config.Keys(), func(k config.Key) bool { return !keep(k) })
	fields := make([]reflect.StructField, len(keys))
	for i, k := range keys {
		tag := `name:"` + k.Flag() + `" help:"` + flagHelp(k) + `" placeholder:"` + placeholder(k) + `" group:"Configuration (docs/config.md: every key; secrets are LIVEMETER_ variables or in the file)"`
		if !show(k) {
			tag += ` hidden:""`
		}
		typ := reflect.TypeFor[*string]()
		if k.Kind == "true or false" {
			typ = reflect.TypeFor[*bool]()
		}
		fields[i] = reflect.StructField{Name: "F" + strings.ReplaceAll(strings.ReplaceAll(k.Path, ".", "_"), "-", "_"), Type: typ, Tag: reflect.StructTag(tag)}
	}
	return &configFlags{values: reflect.New(reflect.StructOf(fields)).Interface(), keys: keys}
}

// flagHelp is the first sentence of the reference, in what a struct tag can hold.
func flagHelp(k config.Key) string {
	text, _, _ := strings.Cut(k.Doc, ". ")
	if k.Kind != "true or false" {
		text, _, _ = strings.Cut(text, ": ")
	}
	return strings.NewReplacer(`"`, "'", `\`, `/`, "${", "{").Replace(strings.TrimSuffix(text, ".")) + "."
}

func placeholder(k config.Key) string {
	if k.Default != "" {
		return k.Default
	}
	return strings.ToUpper(k.Kind)
}

// given are the flags on the command line by key.
func (f *configFlags) given() map[string]string {
	out := map[string]string{}
	v := reflect.ValueOf(f.values).Elem()
	for i, k := range f.keys {
		switch p := v.Field(i).Interface().(type) {
		case *string:
			if p != nil {
				out[k.Path] = *p
			}
		case *bool:
			if p != nil {
				out[k.Path] = map[bool]string{true: "true", false: "false"}[*p]
			}
		}
	}
	return out
}

// file is --config as another command takes it.
func (w withConfig) file() string {
	if w.Config == "" {
		return ""
	}
	return " --config " + w.Config
}

// clickHouseFlags are those with which another command finds the same ClickHouse: where it is, and how to reach it as far as this command line says.
func clickHouseFlags(cfg *config.Config, given map[string]string) string {
	flags := " --clickhouse-addr " + strings.Join(cfg.ClickHouse.Addr, ",")
	if _, ok := given["clickhouse.database"]; ok || cfg.ClickHouse.Database != config.Default().ClickHouse.Database {
		flags += " --clickhouse-database " + cfg.ClickHouse.Database
	}
	for _, k := range config.Keys() {
		value, ok := given[k.Path]
		if ok && (k.Path == "clickhouse.protocol" || k.Path == "clickhouse.user" || strings.HasPrefix(k.Path, "clickhouse.tls.")) {
			flags += " --" + k.Flag() + "=" + value
		}
	}
	return flags
}

// version is the module's version and the commit that go build saw.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	out := "livemeter " + info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && !strings.Contains(out, s.Value[:min(12, len(s.Value))]) {
			out += " " + s.Value[:min(12, len(s.Value))]
		}
	}
	return out + " " + info.GoVersion
}
