package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// output is a buffer that a command writes while the test reads.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// freePorts lets every listener take any port, so that tests and a developer's own livemeter do not meet.
var freePorts = []string{"--kafka-addr", "127.0.0.1:0", "--clickhouse-addr", "127.0.0.1:0", "--gateway-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0"}

// running is `livemeter up` in this process.
type running struct {
	out, err output
	code     chan int
	stop     context.CancelFunc
}

func startUp(t *testing.T, dir string, flags ...string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r := &running{code: make(chan int, 1), stop: stop}
	go func() {
		r.code <- execute(ctx, slices.Concat([]string{"up", "--dir", dir}, freePorts, flags), streams{strings.NewReader(""), &r.out, &r.err})
	}()
	eventually(t, "up prints its addresses", func() error {
		select {
		case code := <-r.code:
			t.Fatalf("up ended with exit code %d\n%s", code, r.err.String())
		default:
		}
		if !strings.Contains(r.out.String(), "Ctrl-C stops") {
			return fmt.Errorf("so far %q %q", r.out.String(), r.err.String())
		}
		return nil
	})
	return r
}

func (r *running) end(t *testing.T) {
	t.Helper()
	r.stop()
	select {
	case code := <-r.code:
		if code != exitOK {
			t.Fatalf("up ended with exit code %d\n%s", code, r.err.String())
		}
		if said := strings.TrimSpace(r.err.String()); !strings.HasPrefix(said[strings.LastIndex(said, "\n")+1:], "stopped; the data is kept in ") {
			t.Errorf("the last word of up is not where its data is:\n%s", said)
		}
	case <-time.After(3 * stopLimit):
		t.Fatalf("up does not end\n%s", r.err.String())
	}
}

// sends an enter of user u<n> to room r through the gateway.
func (r *running) sends(t *testing.T, n int64) {
	t.Helper()
	now := time.Now().UnixMilli()
	event := strings.NewReplacer(`"e1"`, fmt.Sprintf(`"e%d"`, n), `"u"`, fmt.Sprintf(`"u%d"`, n), `"client_ts":1,"sent_ts":1`, fmt.Sprintf(`"client_ts":%d,"sent_ts":%d`, now, now)).Replace(enter)
	res, err := http.Post("http://"+r.address(t, "Gateway")+"/v1/events", "application/x-ndjson", strings.NewReader(event))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != http.StatusOK || !strings.Contains(string(body), `"accepted":1`) {
		t.Fatalf("gateway: %s %s", res.Status, body)
	}
}

// enters sends an enter of user u<n>, and waits until ClickHouse counts n viewers in room r.
func (r *running) enters(t *testing.T, n int64) {
	t.Helper()
	r.sends(t, n)
	eventually(t, "the event is in ClickHouse", func() error {
		res, err := http.Post("http://"+r.address(t, "ClickHouse"), "text/plain", strings.NewReader("SELECT sum(viewers) FROM livemeter.room_measures WHERE grain = 'session' AND room_id = 'r'"))
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if body, _ := io.ReadAll(res.Body); strings.TrimSpace(string(body)) != fmt.Sprint(n) {
			return fmt.Errorf("viewers %s, want %d", body, n)
		}
		return nil
	})
}

// address finds an address in what up printed.
func (r *running) address(t *testing.T, name string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + name + ` +(?:http://)?([a-z0-9.]*:[0-9]+)`).FindStringSubmatch(r.out.String())
	if m == nil {
		t.Fatalf("up printed no address of %s:\n%s", name, r.out.String())
	}
	return m[1]
}

// eventually polls what has no event to wait for, with a bound.
func eventually(t *testing.T, what string, ok func() error) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		<-again.C
	}
}

// TestUpTakesOwnEventsAndGoesOnAfterARestart follows what up tells a newcomer to do.
func TestUpTakesOwnEventsAndGoesOnAfterARestart(t *testing.T) {
	dir := t.TempDir()
	for run := int64(1); run <= 2; run++ {
		r := startUp(t, dir)
		r.enters(t, run)
		ch := r.address(t, "ClickHouse")
		res, err := http.Post("http://"+ch, "text/plain", strings.NewReader(readmeQuery(t, "r")))
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if !strings.HasPrefix(string(answer), "window_start\tstatus\tviewers\tinteraction_rate\tonline\n") {
			t.Errorf("the README's query: %s %s", res.Status, answer)
		}
		for title, args := range map[string][]string{"last event": {"kpi", "--clickhouse-addr", ch}, "peak online": {"kpi", "r", "--clickhouse-addr", ch}} {
			eventually(t, strings.Join(args, " "), func() error {
				code, out, errOut := livemeter(t, "", args...)
				if code != exitOK || !strings.Contains(out, "viewers") || !strings.Contains(out, title) {
					return fmt.Errorf("exit code %d\n%s%s", code, out, errOut)
				}
				return nil
			})
		}
		r.end(t)
	}
	info, err := os.Stat(filepath.Join(dir, "pseudonym.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("pseudonym.key: %v, %v; want mode 0600", info.Mode(), err)
	}
}

// TestDemoEqualsItsLedger is the promise of the README: a festival with all faults, and not one row that differs.
func TestDemoEqualsItsLedger(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute: views close 31 s after the last event")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var out, errOut output
	dir := t.TempDir()
	for run := 1; run <= 2; run++ { // the second on what the first left behind
		code := execute(ctx, append([]string{"demo", "--for", "3s", "--rate", "1000", "--dir", dir}, freePorts...), streams{strings.NewReader(""), &out, &errOut})
		if code != exitOK || !strings.Contains(out.String(), "rows compared with the ledger, 0 differ") {
			t.Fatalf("run %d: exit code %d\n%s\n%s", run, code, out.String(), errOut.String())
		}
	}
}

// TestUpNamesTheFileOfAnotherKey: a lost key file is made anew by a start, and must be found again.
func TestUpNamesTheFileOfAnotherKey(t *testing.T) {
	dir := t.TempDir()
	r := startUp(t, dir)
	r.enters(t, 1) // a log is begun by its first record: until then another key is as good
	r.end(t)
	key := filepath.Join(dir, "pseudonym.key")
	if err := os.WriteFile(key, []byte(strings.Repeat("0f", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errOut := livemeter(t, "", append([]string{"up", "--dir", dir}, freePorts...)...)
	if code != exitFail || !strings.Contains(errOut, "was begun with") || !strings.Contains(errOut, key) {
		t.Errorf("up with another key: exit code %d, says %q, want 1 and the file %s", code, errOut, key)
	}
}
