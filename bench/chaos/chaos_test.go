package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livemeter/livemeter/deploy/embedded/child"
)

// build makes the program that the processes run.
func build(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "livemeter")
	if out, err := exec.Command("go", "build", "-o", exe, "github.com/livemeter/livemeter/cmd/livemeter").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return exe
}

// Both wirings beside each other on three brokers, while brokers, ClickHouse and every service are killed and suspended: every row equals the ledger, and
// every event that the gateway acknowledged is in Kafka. More of it is `make chaos`.
func TestTablesEqualTheLedgerThroughChaos(t *testing.T) {
	o, err := parse([]string{"--livemeter", build(t), "--for", "70s", "--seed", "11", "--rate", "1000"})
	if err != nil {
		t.Fatal(err)
	}
	res, err := chaos(t.Context(), o, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	if res.compared < 10_000 {
		t.Errorf("%d rows were compared, want many", res.compared)
	}
	for _, group := range groupNames {
		if n := res.faultsOf(group); n == 0 {
			t.Errorf("nothing happened to %s", group)
		}
	}
}

// faultsOf is how many there were in a group.
func (r result) faultsOf(group string) (n int) {
	for name, c := range r.counts {
		if kind, _, _ := strings.Cut(name, "-"); strings.TrimSuffix(group, "s") == kind {
			n += c.Kills + c.Suspensions
		}
	}
	return n
}

// A service that ends by itself is a failure, whether the schedule meets it or not.
func TestAProcessThatEndsByItselfIsAFailure(t *testing.T) {
	failed := make(chan error, 1)
	p := &process{name: "collector-1", log: "/dev/null", fail: func(err error) { failed <- err }}
	p.start = func(context.Context) (*child.Process, error) { return child.Start(exec.Command("sleep", "1000")) }
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, do := range []func() error{p.Suspend, p.Resume, p.Suspend, p.Kill} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-failed:
		t.Errorf("it was killed, and called one that ended by itself: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	p.start = func(context.Context) (*child.Process, error) { return child.Start(exec.Command("false")) }
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; !strings.Contains(err.Error(), "collector-1 ended by itself: exit status 1") {
		t.Errorf("got %v", err)
	}
	for _, do := range []func() error{p.Suspend, p.Kill, p.stop} {
		if err := do(); err == nil || !strings.Contains(err.Error(), "ended by itself") {
			t.Errorf("got %v", err)
		}
	}
}

// What cannot be meant is refused before anything starts.
func TestMistakesOfFlags(t *testing.T) {
	for _, args := range []string{"--for 1s", "--brokers 0", "--wiring both-of-them", "--rate 0", "--clock 0.5", "--spare zookeeper", "--livemeter /nowhere", "extra"} {
		if _, err := parse(strings.Fields("--livemeter /bin/sh " + args)); err == nil {
			t.Errorf("%s is taken", args)
		} else if first, _, _ := strings.Cut(args, " "); !strings.Contains(err.Error(), first) {
			t.Errorf("%s: %v does not name it", args, err)
		}
	}
	if _, err := parse([]string{"--help"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("--help: %v", err)
	}
	dir := t.TempDir()
	for _, there := range []bool{false, true} {
		if got, err := scratch(dir); (err != nil) != there {
			t.Errorf("a directory with another run's data (%t): %q %v", there, got, err)
		}
		if err := os.WriteFile(filepath.Join(dir, "clickhouse.log"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
