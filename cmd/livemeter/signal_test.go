package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSecondSignalEndsAtOnce: the first ends the generator of demo, which then waits half a minute for views to close; the second ends that.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp) // where demo makes its directory
	p := startProcess(t, append([]string{"demo", "--rate", "100"}, freePorts...)...)
	says := func(text string) {
		t.Helper()
		eventually(t, fmt.Sprintf("demo says %q", text), func() error {
			if err := p.alive(); err != nil {
				t.Fatal(err)
			}
			if data, err := os.ReadFile(p.log); err != nil || !strings.Contains(string(data), text) {
				return errors.Join(err, fmt.Errorf("so far: %s", data))
			}
			return nil
		})
	}
	signal := func() {
		if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
	}
	says("events/s")
	signal()
	says("Waiting until the pipeline has them all")
	signal() // the same press of a key, when it comes as fast as this; else the second
	again := time.NewTicker(samePress)
	defer again.Stop()
	limit := time.After(stopLimit)
	for {
		select {
		case err := <-p.done:
			p.done = nil
			exit := (*exec.ExitError)(nil)
			if !errors.As(err, &exit) || exit.ExitCode() != 128+int(syscall.SIGINT) {
				t.Errorf("demo ended with %v, want exit code 130", err)
			}
			if log := readFile(t, p.log); !strings.Contains(log, "--dir "+tmp+"/livemeter-demo-") {
				t.Errorf("the directory that stays is not named:\n%s", log)
			}
			return
		case <-again.C:
			signal()
		case <-limit:
			t.Fatal("demo goes on after the second signal")
		}
	}
}

// TestWhereOnlyOfDirectories: an end at once speaks of the disk only where a command has something there.
func TestWhereOnlyOfDirectories(t *testing.T) {
	before := dataDir.Swap(nil)
	defer dataDir.Store(before)
	if got := where(); got != "" {
		t.Errorf("without a directory: %q", got)
	}
	dir := "d"
	dataDir.Store(&dir)
	if got := where(); got != "; what is on disk can be used again: --dir d" {
		t.Errorf("with a directory: %q", got)
	}
}

func TestCommandsNameTheAddressThatDoesNotAnswer(t *testing.T) {
	for _, c := range []struct {
		args string
		want []string
	}{
		{"kpi --clickhouse-addr 127.0.0.1:1", []string{"127.0.0.1:1", "--clickhouse-addr", "connection refused"}},
		{"generate --events 1 --kafka-brokers 127.0.0.1:1", []string{"127.0.0.1:1", "--kafka-brokers", "connection refused"}},
		{"schema apply --no-clickhouse --kafka-brokers 127.0.0.1:1", []string{"127.0.0.1:1", "--kafka-brokers", "connection refused"}},
		{"schema apply --no-kafka --clickhouse-addr 127.0.0.1:1", []string{"127.0.0.1:1", "--clickhouse-addr", "connection refused"}},
		{"generate --file /dev/full --events 1000", []string{"--file", "no space left"}},
		{"verify --ledger nosuch", []string{"nosuch", "no such file", "generate --ledger writes the file at its end"}},
		{"demo --dir /dev/null/x --kafka-addr 127.0.0.1:0 --clickhouse-addr 127.0.0.1:0 --gateway-addr 127.0.0.1:0 --admin-addr 127.0.0.1:0", []string{"--dir", "not a directory"}},
	} {
		code, _, errOut := livemeter(t, "", strings.Fields(c.args)...)
		for _, want := range c.want {
			if code != exitFail || !strings.Contains(errOut, want) {
				t.Errorf("%s: exit code %d, want 1 and %q in: %s", c.args, code, want, errOut)
			}
		}
	}
}

// TestSeedGivesTheSameFile: whenever it is written.
func TestSeedGivesTheSameFile(t *testing.T) {
	args := []string{"generate", "--events", "300", "--file", "-", "--seed", "7"}
	_, first, _ := livemeter(t, "", args...)
	_, again, _ := livemeter(t, "", args...)
	_, other, _ := livemeter(t, "", append(args, "--start", "2026-11-01T00:00:00Z")...)
	if first == "" || first != again || first == other {
		t.Errorf("%d bytes; the same again: %v; with another start: %v", len(first), first == again, first == other)
	}
	if !strings.Contains(first, fmt.Sprint(fileStart.Unix())) {
		t.Error("the file does not begin at its fixed time")
	}
}
