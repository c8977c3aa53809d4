package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
)

// TestHelpOfUpSaysWhereItsDataIs, also for who names no directory.
func TestHelpOfUpSaysWhereItsDataIs(t *testing.T) {
	if _, out, _ := livemeter(t, "", "up", "--help"); !strings.Contains(out, `--dir="./livemeter-data"`) {
		t.Errorf("no ./livemeter-data in\n%s", out)
	}
}

// TestUpTellsWhatRowsWaitFor as long as they do, and when it is over; nothing where they never waited.
func TestUpTellsWhatRowsWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		restore := errors.Join(errors.New("partition 0: restoring"), errors.New("partition 1: restoring"))
		for _, c := range []struct {
			what []error // of the looks
			want []string
		}{
			{[]error{nil}, nil},
			{[]error{restore, restore, restore, restore, restore, restore, restore, nil}, []string{
				"events are taken, rows have to wait for a while: partition 0: restoring; partition 1: restoring … 2s",
				"events are taken, rows have to wait for a while: partition 0: restoring; partition 1: restoring … 12s",
				"ready after 16s"}},
		} {
			var said []string
			n := 0
			tell := unready(func() error { n++; return c.what[n-1] }, yes, func(s string) { said = append(said, s) })
			for i := range c.what {
				time.Sleep(upLook) // in the bubble of synctest: its clock jumps, nobody waits
				if over := tell(); over != (i == len(c.what)-1) {
					t.Errorf("look %d: over %v", i, over)
				}
			}
			if !slices.Equal(said, c.want) {
				t.Errorf("said %q, want %q", said, c.want)
			}
		}
	})
}

func yes() bool { return true }

// TestUpTellsOutagesOnce: one line when ClickHouse has taken no rows for some seconds, one when it is over, and none about a write that failed once.
func TestUpTellsOutagesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		var since time.Time
		var err error
		takes := true
		look := clickHouseOutages(func() (time.Time, error) { return since, err }, func() bool { return takes }, func(s string) { said = append(said, s) })
		pass := func(d time.Duration, why error) {
			since, err = time.Now(), why
			for range d / upLook {
				look()
				time.Sleep(upLook) // in the bubble of synctest: its clock jumps, nobody waits
			}
		}
		pass(10*time.Second, nil)
		pass(4*time.Second, errors.New("refused"))
		pass(10*time.Second, nil)
		pass(30*time.Second, errors.Join(errors.New("no answer"), errors.New("to a write")))
		pass(10*time.Second, nil)
		takes = false
		pass(8*time.Second, errors.New("no space"))
		pass(2*time.Second, nil)
		pass(8*time.Second, fmt.Errorf("table: %w", &ch.Exception{Code: 60, Message: "gone"}))
		want := []string{"ClickHouse takes no rows, for 6 s: no answer; to a write; events are taken, their rows wait and none is lost", "ClickHouse takes rows again, after 30 s",
			"ClickHouse takes no rows, for 6 s: no space; rows wait, and none is lost of what was taken", "ClickHouse takes rows again, after 8 s",
			"ClickHouse takes no rows, for 6 s: table: code: 60, message: gone; new rows wait, and none of them is lost"}
		if !slices.Equal(said, want) {
			t.Errorf("said %q, want %q", said, want)
		}
	})
}

// TestUpSaysWhatItsStartWaitsFor: the disk first, where it is full.
func TestUpSaysWhatItsStartWaitsFor(t *testing.T) {
	const full = "less than 16 MiB of space is left for /data (--dir)"
	for _, c := range [][3]string{
		{"", "", "starting the pipeline"},
		{"kafka: refused\ntwice", "", "waiting for kafka: refused; twice"},
		{"", full, "waiting: less than 16 MiB of space is left for /data (--dir): free some, and it goes on"},
		{"schema: code 243", full, "waiting: less than 16 MiB of space is left for /data (--dir): free some, and it goes on; schema: code 243"},
	} {
		if got := starting(c[0], c[1]); got != c[2] {
			t.Errorf("%q, want %q", got, c[2])
		}
	}
}

// TestUpSaysWhatItsEndWaitsFor: a pipeline that takes its time is named.
func TestUpSaysWhatItsEndWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		l := &local{say: func(s string) { said = append(said, s) }, end: func() {}, quiet: func() {}, serving: true, ended: make(chan error, 1)}
		time.AfterFunc(7*time.Second, func() { l.ended <- nil }) // in the bubble of synctest: its clock jumps, nobody waits
		if err := l.stop(); err != nil || !slices.Equal(said, []string{"still stopping the pipeline, for 2 s", "still stopping the pipeline, for 5 s"}) {
			t.Errorf("%v, said %q", err, said)
		}
	})
}

// TestUpTellsOfItsClickHouse that hangs, that is there again, and that was killed.
func TestUpTellsOfItsClickHouse(t *testing.T) {
	dir := t.TempDir()
	r := startUp(t, dir)
	r.enters(t, 1)
	engine := engineOf(t, dir)
	signal := func(s syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(engine, s); err != nil {
			t.Fatal(err)
		}
	}
	says := func(want string) {
		t.Helper()
		eventually(t, "up says "+want, func() error {
			if said := r.err.String(); strings.Count(said, want) != 1 {
				return fmt.Errorf("so far %s", said)
			}
			return nil
		})
	}
	signal(syscall.SIGSTOP)
	r.sends(t, 2)
	says("ClickHouse takes no rows, for ")
	signal(syscall.SIGCONT)
	says("ClickHouse takes rows again, after ")
	signal(syscall.SIGKILL)
	says("ClickHouse has ended by itself; its log is " + filepath.Join(dir, "clickhouse", "clickhouse.log") + "; stopping\n")
	if code := <-r.code; code != exitFail || !strings.Contains(r.err.String(), "start `up` again with the same --dir ("+dir+"): nothing is lost") {
		t.Errorf("exit code %d, said %s", code, r.err.String())
	}
}

// TestUpPrintsALineThatTheGatewayTakes: where tokens are configured it has a place for one, named and never shown.
func TestUpPrintsALineThatTheGatewayTakes(t *testing.T) {
	const secret = "hush0123456789abcdef"
	t.Setenv("LIVEMETER_GATEWAY_TOKENS", "web:"+secret+",app:"+secret+"2")
	r := startUp(t, t.TempDir())
	defer r.end(t)
	said := r.out.String()
	if strings.Contains(said+r.err.String(), secret) || !strings.Contains(said, `(TOKEN is the secret of "web" in gateway.tokens)`) {
		t.Errorf("want the name of a token and no secret:\n%s", said)
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	line := regexp.MustCompile(`(?m)^ +curl .*/v1/events .*$`).FindString(said)
	answer, err := exec.Command("sh", "-c", strings.Replace(line, "Bearer TOKEN'", "Bearer "+secret+"'", 1)).CombinedOutput()
	if err != nil || !strings.Contains(string(answer), `"accepted":1`) {
		t.Errorf("%s\nanswers %s, %v", line, answer, err)
	}
}

// engineOf is the process of the ClickHouse of a directory.
func engineOf(t *testing.T, dir string) (pid int) {
	t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		line, err := os.ReadFile(path) // one that has ended since has none
		if err == nil && strings.Contains(string(line), "engine\x00clickhouse\x00--dir\x00"+filepath.Join(dir, "clickhouse")+"\x00") {
			if pid, err = strconv.Atoi(filepath.Base(filepath.Dir(path))); err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatalf("no process of the ClickHouse in %s", dir)
	return 0
}
