package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/livemeter/livemeter/deploy/embedded/chhttp"
	"github.com/livemeter/livemeter/deploy/embedded/child"
)

const (
	readyLine    = "clickhouse ready at "
	startTimeout = 60 * time.Second
	stopTimeout  = shutdownGrace + 10*time.Second
)

// ClickHouseMain is the body of `livemeter engine clickhouse`: a process that is nothing but the embedded ClickHouse. It says on standard output
// when it takes requests, and ends on SIGTERM or SIGINT.
func ClickHouseMain(ctx context.Context, lib, dir, addr string, options chhttp.Options) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	return RunClickHouse(ctx, lib, dir, addr, options, func(addr string) { fmt.Println(readyLine + Dial(addr)) })
}

// ClickHouseProcess is the embedded ClickHouse in a process of its own, which ends with this one.
type ClickHouseProcess struct {
	*child.Process
	addr string
}

// StartClickHouseProcess runs `exe engine clickhouse --dir DIR --addr ADDR FLAGS` and waits until it takes requests. Its log is clickhouse.log in dir.
func StartClickHouseProcess(ctx context.Context, exe, dir, addr string, flags ...string) (*ClickHouseProcess, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("clickhouse: data directory: %w", err)
	}
	path := filepath.Join(dir, "clickhouse.log")
	log, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("clickhouse: log: %w", err)
	}
	defer log.Close()
	out, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("clickhouse: %w", err)
	}
	cmd := exec.Command(exe, append([]string{"engine", "clickhouse", "--dir", dir, "--addr", addr}, flags...)...)
	cmd.Stdout, cmd.Stderr = in, log
	process, err := child.Start(cmd)
	in.Close()
	if err != nil {
		out.Close()
		return nil, fmt.Errorf("clickhouse: start %s: %w", exe, err)
	}
	p := &ClickHouseProcess{Process: process}
	if p.addr, err = awaitReady(ctx, out); err != nil {
		p.Kill()
		if said := strings.TrimSpace(child.Tail(path)); said != "" && errors.Is(err, errEnded) {
			return nil, errors.New(strings.TrimPrefix(said, "livemeter: "))
		}
		return nil, fmt.Errorf("clickhouse: the process of the embedded ClickHouse did not start: %w\n%s", err, child.Tail(path))
	}
	return p, nil
}

var errEnded = errors.New("it ended")

// awaitReady reads what the child prints up to the line that says it is ready, and drains the rest.
func awaitReady(ctx context.Context, out io.ReadCloser) (string, error) {
	ready := make(chan string, 1)
	go func() {
		defer out.Close()
		defer close(ready)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if addr, ok := strings.CutPrefix(lines.Text(), readyLine); ok {
				ready <- addr
			}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	select {
	case addr, ok := <-ready:
		if !ok {
			return "", errEnded
		}
		return addr, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Addr is where its HTTP interface is.
func (p *ClickHouseProcess) Addr() string { return p.addr }

// Close stops it; running statements may end.
func (p *ClickHouseProcess) Close() error {
	if err := p.Stop(stopTimeout); err != nil {
		return fmt.Errorf("clickhouse: %w", err)
	}
	return nil
}
