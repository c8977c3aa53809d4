package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// leftIn fails the test where something is left in the directory of temporary ones.
func leftIn(t *testing.T, tmp string) {
	t.Helper()
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestDemoThatNobodyReadsEnds: `demo | head -1` ends in order, and its directory is removed.
func TestDemoThatNobodyReadsEnds(t *testing.T) {
	tmp := t.TempDir()
	cmd := exec.Command(os.Args[0], append([]string{"demo", "--for", "1s", "--rate", "100"}, freePorts...)...)
	cmd.Env = append(os.Environ(), asBinary+"=1", "TMPDIR="+tmp)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err = errors.Join(err, out.Close()); err != nil || !strings.Contains(line, "Waiting until the pipeline has them all") {
		t.Errorf("its first line is %q, %v", line, err)
	}
	err = cmd.Wait()
	if cmd.ProcessState.ExitCode() != exitFail || !strings.Contains(said.String(), "nobody reads what is printed: write /dev/stdout: broken pipe") {
		t.Errorf("%v, want exit code 1 and why; it said %s", err, said.String())
	}
	leftIn(t, tmp)
}

// TestNohup: what was started to outlive its terminal does. A process of its own, since a signal that was ignored once stays so for children.
func TestNohup(t *testing.T) {
	cmd := exec.Command("sh", append([]string{"-c", `trap "" HUP; exec "$0" "$@"`, os.Args[0], "up", "--dir", t.TempDir()}, freePorts...)...)
	cmd.Env = append(os.Environ(), asBinary+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = errors.Join(cmd.Process.Kill(), cmd.Wait()) }()
	if line, err := bufio.NewReader(said).ReadString('\n'); err != nil || !strings.Contains(line, "starting Kafka") { // it listens to signals by now
		t.Fatalf("says %q, %v", line, err)
	}
	status := readFile(t, fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	m := regexp.MustCompile(`SigIgn:\s*([0-9a-f]+)`).FindStringSubmatch(status)
	if m == nil {
		t.Fatalf("no SigIgn in %s", status)
	}
	if ignored, err := strconv.ParseUint(m[1], 16, 64); err != nil || ignored&1 == 0 { // SIGHUP is signal 1
		t.Errorf("SigIgn %s, %v: the hang-up that nohup ignores is heard", m[1], err)
	}
}

// TestHangUpIsAnOrderlyEnd, however many of them come: who closes a terminal leaves no directory behind.
func TestHangUpIsAnOrderlyEnd(t *testing.T) {
	// A signal that this process takes is not ignored in its children, also where the tests run under nohup.
	taken := make(chan os.Signal, 1)
	signal.Notify(taken, syscall.SIGHUP)
	defer signal.Stop(taken)
	for command, c := range map[string]struct {
		says string // when
		want int
	}{"demo --rate 0.001": {"gateway http://", exitFail}, "up --dir " + t.TempDir(): {"Ctrl-C stops", exitOK}} {
		tmp := t.TempDir()
		t.Setenv("TMPDIR", tmp)
		p := startProcess(t, append(strings.Fields(command), freePorts...)...)
		eventually(t, command+" says "+c.says, func() error {
			if err := p.alive(); err != nil {
				t.Fatal(err)
			}
			if data, err := os.ReadFile(p.log); err != nil || !strings.Contains(string(data), c.says) {
				return errors.Join(err, errors.New("not yet"))
			}
			return nil
		})
		again := time.NewTicker(samePress)
		defer again.Stop()
		for limit := time.After(3 * stopLimit); p.done != nil; {
			if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
			select {
			case <-p.done:
				p.done = nil
			case <-again.C:
			case <-limit:
				t.Fatalf("%s goes on without a terminal", command)
			}
		}
		if code := p.cmd.ProcessState.ExitCode(); code != c.want {
			t.Errorf("%s: %v, want exit code %d", command, p.cmd.ProcessState, c.want)
		}
		leftIn(t, tmp)
	}
}

// refuses is a file that cannot be written.
type refuses struct{ err error }

func (r refuses) Write([]byte) (int, error) { return 0, r.err }

// TestWhatIsAReader: a closed pipe or terminal has none; a full disk is no reason to end.
func TestWhatIsAReader(t *testing.T) {
	for why, ends := range map[error]bool{nil: false, syscall.EPIPE: true, syscall.EIO: true, syscall.ENOSPC: false} {
		ctx, r, stop := whileRead(t.Context())
		io.WriteString(r.of(refuses{why}), "x")
		if err := r.err(); (ctx.Err() != nil) != ends || errors.Is(err, errUnread) != ends || ends && !errors.Is(err, why) {
			t.Errorf("%v: ended %v, %v", why, ctx.Err(), err)
		}
		stop()
	}
}

// TestDemoOfNothingIsNoSuccess: it says so at once, and has nothing to keep.
func TestDemoOfNothingIsNoSuccess(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	code, out, errOut := livemeter(t, "", append([]string{"demo", "--for", "1ms", "--rate", "1"}, freePorts...)...)
	if code != exitFail || !strings.Contains(errOut, "nothing was sent, so there is nothing to compare") || strings.Contains(out, "compared with the ledger") {
		t.Errorf("exit code %d\n%s%s", code, out, errOut)
	}
	leftIn(t, tmp)
}

// closes is a terminal that is closed some time.
type closes struct {
	output
	closed atomic.Bool
}

func (c *closes) Write(p []byte) (int, error) {
	if c.closed.Load() {
		return 0, syscall.EIO
	}
	return c.output.Write(p)
}

// TestInterruptedDemoKeepsItsDataForWhoHearsOfIt: not where its terminal was closed while it waited for the last views.
func TestInterruptedDemoKeepsItsDataForWhoHearsOfIt(t *testing.T) {
	for _, closed := range []bool{false, true} {
		tmp := t.TempDir()
		t.Setenv("TMPDIR", tmp)
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		var out output
		var errOut closes
		code := make(chan int, 1)
		go func() {
			code <- execute(ctx, append([]string{"demo", "--for", "1s", "--rate", "100"}, freePorts...), streams{strings.NewReader(""), &out, &errOut})
		}()
		eventually(t, "the generator has ended", func() error {
			if !strings.Contains(out.String(), "Waiting until") {
				return fmt.Errorf("so far %s%s", out.String(), errOut.String())
			}
			return nil
		})
		errOut.closed.Store(closed)
		interrupt()
		if got := <-code; got != exitFail {
			t.Errorf("exit code %d, want 1", got)
		}
		if said := errOut.String(); !closed && (!strings.Contains(said, "interrupted: nothing was compared\n") || !strings.Contains(said, "the data is kept in "+tmp)) {
			t.Errorf("it said %s", said)
		}
		if closed {
			leftIn(t, tmp)
		}
	}
}
