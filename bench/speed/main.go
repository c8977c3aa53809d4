// Speed measures livemeter on Apache Kafka and ClickHouse, prints the figures as a table and writes them to a file. `make bench` runs it.
//
// A benchmark tells, it does not judge: a missed figure is shown as missed, and the exit code stays 0. Ratios are taken within one run, and
// costs are CPU time, so that a slow day changes them little.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// options of a run.
type options struct {
	livemeter string
	events    int64
	rooms     int
	viewers   int
	repeats   int
	only      string
	dir       string
	out       string
	profiles  string
	rates     string
	runFlags  string
	seed      uint64
}

// sections in the order in which they run.
var sections = []string{"backlog", "peer", "stages", "latency", "memory", "moves"}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("speed", flag.ContinueOnError)
	f.StringVar(&o.livemeter, "livemeter", "bin/livemeter", "the program to measure")
	f.Int64Var(&o.events, "events", 5_000_000, "events of the backlog")
	f.IntVar(&o.rooms, "rooms", 10_000, "rooms of the backlog, Zipf-distributed")
	f.IntVar(&o.viewers, "viewers", 500_000, "viewers of the backlog")
	f.IntVar(&o.repeats, "repeats", 3, "times that floor and run take turns; the median counts")
	f.StringVar(&o.only, "only", "", "some sections alone, separated by commas: "+strings.Join(sections, ", "))
	f.StringVar(&o.dir, "dir", "", "where engines keep their data; a temporary directory if empty, removed at the end")
	f.StringVar(&o.out, "out", "", "file to write the results to, as Markdown")
	f.StringVar(&o.profiles, "profiles", "", "directory for CPU and heap profiles of the backlog")
	f.StringVar(&o.rates, "rates", "20000,50000", "events a second at which latency is measured")
	f.StringVar(&o.runFlags, "run", "", "more flags of livemeter run, to try a setting: '--flush-behind 5s'")
	f.Uint64Var(&o.seed, "seed", 1, "of the generator")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	for _, s := range strings.Split(o.only, ",") {
		if s != "" && !slices.Contains(sections, s) {
			return o, fmt.Errorf("--only: no section %q, there are %v", s, sections)
		}
	}
	if o.events < 1000 || o.repeats < 1 {
		return o, errors.New("--events: at least 1000; --repeats: at least 1")
	}
	return o, nil
}

func (o *options) wants(section string) bool {
	return o.only == "" || slices.Contains(strings.Split(o.only, ","), section)
}

// children are what this program does as a process of its own, so that its CPU time and memory are those of one thing alone.
var children = map[string]func(context.Context, []string) error{
	"floor":      floorMain,
	"stage":      stageMain,
	"clickhouse": clickHouseMain,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "speed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		if child, ok := children[args[0]]; ok {
			return child(ctx, args[1:])
		}
	}
	o, err := parse(args)
	if err != nil {
		return err
	}
	return measureAll(ctx, o)
}
