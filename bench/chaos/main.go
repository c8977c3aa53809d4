// Chaos lets livemeter count under load on three brokers of Apache Kafka and a ClickHouse, kills and suspends all of them and its own processes meanwhile,
// and compares every row with the ledger of what was sent. `make chaos` runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options of a run.
type options struct {
	livemeter string
	seed      uint64
	length    time.Duration
	brokers   int
	wiring    string
	rate      float64
	faster    float64
	drain     time.Duration
	dir       string
	spare     string
	static    bool
}

// wirings are the two ways to run the same stages.
var wirings = map[string][]string{"run": {"run"}, "services": {"collector", "enricher", "aggregator"}}

const usage = `Starts a cluster of Apache Kafka, a ClickHouse and two processes of each service of livemeter, sends a festival's events, kills (SIGKILL) and suspends
(SIGSTOP, longer than Kafka waits for a member) brokers, ClickHouse and services on a schedule that the seed decides, then lets everything come to rest
and compares all tables with the ledger. Exit code 1 on any difference, and where a process ends by itself or does not come to rest.

Example:
    go run ./bench/chaos --for 5m --seed 7
    make chaos CHAOS='--for 10m --wiring services'

`

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("chaos", flag.ContinueOnError)
	f.Usage = func() {
		fmt.Fprint(f.Output(), usage)
		f.PrintDefaults()
	}
	f.DurationVar(&o.length, "for", 2*time.Minute, "how long there are load and faults")
	f.Uint64Var(&o.seed, "seed", 0, "the same again: events and schedule of faults; 0 takes another one each time")
	f.IntVar(&o.brokers, "brokers", 3, "brokers of the cluster; one alone is a cluster, too")
	f.StringVar(&o.wiring, "wiring", "both", "run, services, or both: two pipelines beside each other on the same engines")
	f.Float64Var(&o.rate, "rate", 1500, "events a second for each pipeline")
	f.Float64Var(&o.faster, "clock", 1, "how much faster than ours the clock of the events runs: 10 closes hours within minutes")
	f.DurationVar(&o.drain, "drain", 4*time.Minute, "how long it may take to come to rest after the last fault, and then to be equal")
	f.StringVar(&o.livemeter, "livemeter", "bin/livemeter", "the program to run")
	f.StringVar(&o.dir, "dir", "", "where logs and data are kept; a temporary directory if empty, removed when all is equal")
	f.StringVar(&o.spare, "spare", "", "groups that are left alone, separated by commas: "+strings.Join(groupNames, ", "))
	f.BoolVar(&o.static, "static", false, "one process of each service is a static member of its groups: one such may end by itself, fenced by its own id (CHANGELOG, known problems)")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.seed == 0 {
		o.seed = rand.Uint64()>>32 | 1
	}
	for _, name := range o.spared() {
		if !slices.Contains(groupNames, name) {
			return o, fmt.Errorf("--spare: there is no group %q; there are %s", name, strings.Join(groupNames, ", "))
		}
	}
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("%q is no flag; --help shows them", f.Arg(0))
	case o.wiring != "both" && wirings[o.wiring] == nil:
		return o, fmt.Errorf("--wiring %q: want run, services or both", o.wiring)
	case o.brokers < 1 || o.brokers > 9:
		return o, fmt.Errorf("--brokers %d: want 1 to 9", o.brokers)
	case o.length < 10*time.Second:
		return o, fmt.Errorf("--for %s: want at least 10s: the first fault comes after some seconds", o.length)
	case !(o.rate >= 1 && o.rate <= 100_000):
		return o, fmt.Errorf("--rate %v: want 1 to 100000", o.rate)
	case !(o.faster >= 1 && o.faster <= 1000):
		return o, fmt.Errorf("--clock %v: want 1 to 1000", o.faster)
	}
	path, err := filepath.Abs(o.livemeter)
	if err != nil {
		return o, err
	}
	if _, err := os.Stat(path); err != nil {
		return o, fmt.Errorf("--livemeter: %w; make build makes it", err)
	}
	o.livemeter = path
	return o, nil
}

// spared are the groups without faults.
func (o *options) spared() []string {
	return strings.FieldsFunc(o.spare, func(r rune) bool { return r == ',' || r == ' ' })
}

// lines are the wirings of the pipelines.
func (o *options) lines() []string {
	if o.wiring == "both" {
		return []string{"run", "services"}
	}
	return []string{o.wiring}
}

var errDiffers = errors.New("ClickHouse differs from the ledger")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		_, err = chaos(ctx, o, func(line string) { fmt.Println(line) })
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}
