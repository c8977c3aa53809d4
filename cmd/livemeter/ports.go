package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
)

// portWait is how long the ports of a directory that was used before may still be held: the engines of a process that was killed end a little after it.
const (
	portWait       = 2 * time.Second
	portWaitApache = 10 * time.Second
)

// freePorts looks at all addresses before anything is started, and names at once all that are taken.
func (f localFlags) freePorts(ctx context.Context, cfg *config.Config, dir string) error {
	var wait time.Duration
	if _, err := os.Stat(filepath.Join(dir, logName)); err == nil {
		wait = portWait
		if f.Kafka == "apache" {
			wait = portWaitApache
		}
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		taken := f.takenPorts(ctx, cfg)
		if len(taken) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("in use by another process: %s; is another livemeter running? Stop it, or choose other addresses with these flags", strings.Join(taken, ", "))
		case <-again.C:
		}
	}
}

// takenPorts are those that somebody listens on. What else may be wrong with an address, who listens there says.
func (f localFlags) takenPorts(ctx context.Context, cfg *config.Config) (taken []string) {
	for _, p := range []struct{ what, flag, addr string }{
		{"Kafka", "--kafka-addr", f.KafkaAddr}, {"ClickHouse", "--clickhouse-addr", cfg.ClickHouse.Addr[0]},
		{"gateway", "--gateway-addr", cfg.Gateway.Addr}, {"metrics", "--admin-addr", cfg.Admin.Addr},
	} {
		l, err := (&net.ListenConfig{}).Listen(context.WithoutCancel(ctx), "tcp", p.addr)
		if err == nil {
			l.Close()
		}
		if errors.Is(err, syscall.EADDRINUSE) {
			taken = append(taken, fmt.Sprintf("%s %s (%s)", p.what, p.addr, p.flag))
		}
	}
	return taken
}
