package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asBinary makes the test binary be livemeter: real processes, which can be killed, of the code under test (and under its race detector).
// It has not the prefix of keys: a process warns of what looks like one.
const asBinary = "TEST_AS_LIVEMETER_BINARY"

// process is a livemeter process of a test.
type process struct {
	t    *testing.T
	args []string
	log  string
	cmd  *exec.Cmd
	done chan error
}

// startProcess starts `livemeter args…`; its log is shown when the test fails. The process ends with the test at the latest.
func startProcess(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, args: args, log: filepath.Join(t.TempDir(), args[0]+".log")}
	p.start()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			p.showLog()
		}
	})
	return p
}

func (p *process) start() {
	p.t.Helper()
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer out.Close()
	p.cmd = exec.Command(os.Args[0], p.args...)
	p.cmd.Env = append(os.Environ(), asBinary+"=1")
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.done = make(chan error, 1)
	go func() { p.done <- p.cmd.Wait() }()
}

// kill is SIGKILL: nothing is finished, flushed or said.
func (p *process) kill() {
	if p.done == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.done
	p.done = nil
}

// stopLimit is how long an orderly end may take.
const stopLimit = 10 * time.Second

// stop is SIGTERM: the process must end by itself, in time and with exit code 0.
func (p *process) stop() {
	p.t.Helper()
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.done:
		p.done = nil
		if err != nil {
			p.t.Errorf("%s after SIGTERM: %v", p.args[0], err)
		}
		if took := time.Since(began); took > stopLimit {
			p.t.Errorf("%s took %s to end after SIGTERM, limit %s", p.args[0], took, stopLimit)
		}
	case <-time.After(3 * stopLimit):
		p.t.Errorf("%s does not end after SIGTERM", p.args[0])
		p.kill()
	}
}

// alive fails the test when the process has ended by itself.
func (p *process) alive() error {
	if p.done == nil {
		return nil
	}
	select {
	case err := <-p.done:
		p.done <- err
		return errors.Join(fmt.Errorf("%s ended by itself", p.args[0]), err)
	default:
		return nil
	}
}

// showLog prints the end of the log.
func (p *process) showLog() {
	data, _ := os.ReadFile(p.log)
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if n := len(lines); n > 60 {
		told := slices.DeleteFunc(slices.Clone(lines[:n-60]), func(l string) bool { return strings.Contains(l, `"level":"info"`) })
		lines = slices.Concat([]string{fmt.Sprintf("… %d lines, of which:", n-60)}, told, []string{"…"}, lines[n-60:])
	}
	p.t.Logf("log of %s:\n%s", strings.Join(p.args, " "), strings.Join(lines, "\n"))
}
