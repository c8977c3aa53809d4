package proof

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/deploy/embedded/child"
)

// wirings are the ways to run the pipeline: the services, two of `run` so that partitions move between them.
var wirings = map[string][]string{"run": {"run", "run"}, "services": {"collector", "enricher", "aggregator"}}

// worker is one process of the pipeline, ended and started as often as is wanted. It ends with this process at the latest.
type worker struct {
	name string
	cmd  []string
	env  []string
	log  string // file

	mu        sync.Mutex
	process   *child.Process // nil while it is not to run
	suspended bool
	began     int64  // where the log of this process begins in the file
	addr      string // of its admin port, once it has told
	fresh     freshness
}

// newWorkers makes the workers of a wiring on files in dir, and starts none.
func newWorkers(wiring, exe, dir string, cfg *config.Config) ([]*worker, error) {
	file := filepath.Join(dir, "livemeter.yaml")
	if err := os.WriteFile(file, []byte(cfg.YAML()), 0o600); err != nil {
		return nil, err
	}
	var out []*worker
	for i, service := range wirings[wiring] {
		w := &worker{name: service, cmd: []string{exe, service, "--config", file}, env: environment(cfg)}
		if service == "run" {
			w.name = fmt.Sprintf("run-%d", i+1)
			w.cmd = append(w.cmd, "--no-serve-gateway")
		}
		// One of two has a name in its groups and gets its partitions back, the other gives them away: both are to be right. Where the brokers assign there are no names.
		if (service != "run" || i == 0) && !cfg.Kafka.BrokersAssign() {
			w.cmd = append(w.cmd, "--instance-id", "verify-"+w.name)
		}
		w.log = filepath.Join(dir, w.name+".log")
		out = append(out, w)
	}
	return out, nil
}

// environment is ours without the variables of keys, which are in the file and would win over it, and with the secrets, which are on no disk.
func environment(cfg *config.Config) []string {
	keys := map[string]bool{"LIVEMETER_CONFIG": true}
	for _, k := range config.Keys() {
		keys[k.Env()] = true
	}
	var out []string
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); !keys[name] {
			out = append(out, e)
		}
	}
	for path, secret := range map[string]string{"pseudonym_key": cfg.PseudonymKey, "kafka.sasl.password": cfg.Kafka.SASL.Password, "clickhouse.password": cfg.ClickHouse.Password} {
		if secret != "" {
			out = append(out, config.Key{Path: path}.Env()+"="+secret)
		}
	}
	return out
}

// Name is what the report calls it.
func (w *worker) Name() string { return w.name }

// Start starts it, which must not run.
func (w *worker) Start(context.Context) error {
	out, err := os.OpenFile(w.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	info, err := out.Stat()
	if err != nil {
		return err
	}
	cmd := exec.Command(w.cmd[0], w.cmd[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = w.env, out, out
	w.mu.Lock()
	defer w.mu.Unlock()
	process, err := child.Start(cmd)
	if err != nil {
		return fmt.Errorf("start %s: %w", w.name, err)
	}
	w.process, w.began, w.addr = process, info.Size(), ""
	w.fresh.next()
	return nil
}

// running is the process, nil while it is not to run.
func (w *worker) running() *child.Process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.process
}

// taken is the process, which from now on is not to run.
func (w *worker) taken() *child.Process {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.process
	w.process, w.suspended = nil, false
	return p
}

// Kill is SIGKILL: nothing is finished, flushed or said.
func (w *worker) Kill() error {
	if err := w.failed(); err != nil {
		return err
	}
	if p := w.taken(); p != nil {
		p.Kill()
	}
	return nil
}

// Suspend is SIGSTOP: the process holds its connections and says nothing, until Resume.
func (w *worker) Suspend() error { return w.signal(syscall.SIGSTOP, true) }

// Resume is SIGCONT: what was suspended goes on, and does not know that others have taken over.
func (w *worker) Resume() error { return w.signal(syscall.SIGCONT, false) }

func (w *worker) signal(s syscall.Signal, suspends bool) error {
	if err := w.failed(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.process == nil {
		return fmt.Errorf("%s does not run", w.name)
	}
	w.suspended = suspends
	return syscall.Kill(w.process.PID(), s)
}

const stopGrace = 15 * time.Second // an orderly end takes 10 s at most

// stop lets it end in order, which it must.
func (w *worker) stop() error {
	if err := w.failed(); err != nil {
		return err
	}
	p := w.taken()
	if p == nil {
		return nil
	}
	_ = syscall.Kill(p.PID(), syscall.SIGCONT)
	err := p.Stop(stopGrace)
	if err == nil {
		err = p.Err()
	}
	if err != nil {
		return fmt.Errorf("%s did not end in order: %w\n%s", w.name, err, child.Tail(w.log))
	}
	return nil
}

// failed says that it has ended by itself.
func (w *worker) failed() error {
	p := w.running()
	if p == nil {
		return nil
	}
	select {
	case <-p.Done():
		return fmt.Errorf("%s ended by itself (%v)\n%s", w.name, cmp.Or(p.Err(), errors.New("exit code 0")), child.Tail(w.log))
	default:
		return nil
	}
}

// admin is where its admin port listens, "" until it has told.
func (w *worker) admin() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.process == nil || w.suspended {
		return ""
	}
	if w.addr == "" {
		text, err := os.ReadFile(w.log)
		if err == nil && int64(len(text)) > w.began {
			w.addr = listening(text[w.began:])
		}
	}
	return w.addr
}

// listening finds the line of a log that says where the admin port is.
func listening(log []byte) string {
	for line := range bytes.Lines(log) {
		var l struct{ Msg, Addr string }
		if json.Unmarshal(line, &l) == nil && l.Msg == "listening" {
			return l.Addr
		}
	}
	return ""
}

var asker = http.Client{Timeout: time.Second}

// get asks the admin port.
func (w *worker) get(ctx context.Context, path string) (status int, body []byte, err error) {
	addr := w.admin()
	if addr == "" {
		return 0, nil, errors.New("not started yet")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return 0, nil, err
	}
	res, err := asker.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

// missing is what it waits for before it can work, "" if nothing.
func (w *worker) missing(ctx context.Context) string {
	status, body, err := w.get(ctx, "/readyz")
	switch {
	case err != nil:
		return w.name + ": " + err.Error()
	case status != http.StatusOK:
		return w.name + ": " + unready(body)
	}
	return ""
}

// unready are the checks of /readyz that fail, with what they say.
func unready(body []byte) string {
	var answer struct{ Checks map[string]string }
	if json.Unmarshal(body, &answer) != nil {
		return string(body)
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(answer.Checks)) {
		if says := answer.Checks[name]; says != "ok" {
			out = append(out, name+": "+says)
		}
	}
	return strings.Join(out, "; ")
}
