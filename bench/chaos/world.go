package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/livemeter/livemeter/deploy/embedded"
	"github.com/livemeter/livemeter/deploy/embedded/child"
	"github.com/livemeter/livemeter/deploy/embedded/engines"
	"github.com/livemeter/livemeter/deploy/embedded/kafka"
)

// world is the engines, and the pipelines on them.
type world struct {
	o          options
	dir        string
	say        func(format string, args ...any)
	fail       func(error) // ends the run
	cluster    *kafka.Cluster
	brokers    []*process
	clickHouse *process
	store      string // ClickHouse's address
	ports      []string
	lines      []*line
	gateways   *gateways
}

func (w *world) file(name string) string { return filepath.Join(w.dir, name) }

// port gives an address of the world's own.
func (w *world) port() string {
	addr := w.ports[0]
	w.ports = w.ports[1:]
	return addr
}

// engines starts brokers and ClickHouse.
func (w *world) engines(ctx context.Context) (err error) {
	progress := func(m string) { w.say("%s", m) }
	lib, err := engines.Kafka(ctx, progress)
	if err != nil {
		return err
	}
	if _, err := engines.ClickHouse(ctx, progress); err != nil {
		return err
	}
	w.say("starting %d brokers and ClickHouse", w.o.brokers)
	if w.ports, err = freePorts(2*w.o.brokers + 1 + 4 + 8); err != nil {
		return err
	}
	var nodes []kafka.Node
	for range w.o.brokers {
		nodes = append(nodes, kafka.Node{Client: w.port(), Controller: w.port()})
	}
	if w.cluster, err = kafka.NewCluster(ctx, lib, w.dir, nodes); err != nil {
		return err
	}
	for i := range nodes {
		w.brokers = append(w.brokers, w.broker(i))
	}
	w.clickHouse = w.clickHouseProcess()
	return together(append([]*process{w.clickHouse}, w.brokers...), func(p *process) error { return p.Start(ctx) })
}

func (w *world) broker(i int) *process {
	name := fmt.Sprint("broker-", i+1)
	p := &process{name: name, log: w.file(filepath.Join(name, "kafka.log")), fail: w.fail}
	p.start = func(ctx context.Context) (*child.Process, error) {
		_ = os.Rename(p.log, p.log+".before") // it begins a new one with each start
		a, err := w.cluster.Start(ctx, i)
		if err != nil {
			return nil, err
		}
		return a.Process, nil
	}
	return p
}

func (w *world) clickHouseProcess() *process {
	w.store = w.port()
	dir := w.file("clickhouse")
	p := &process{name: "clickhouse", log: filepath.Join(dir, "clickhouse.log"), fail: w.fail}
	p.start = func(ctx context.Context) (*child.Process, error) {
		c, err := embedded.StartClickHouseProcess(ctx, w.o.livemeter, dir, w.store)
		if err != nil {
			return nil, err
		}
		return c.Process, nil
	}
	return p
}

func (w *world) brokerList() string { return strings.Join(w.cluster.Brokers(), ",") }

// services are livemeter's processes.
func (w *world) services() (all []*process) {
	if w.gateways != nil {
		all = append(all, w.gateways.processes...)
	}
	for _, l := range w.lines {
		all = append(all, l.processes...)
	}
	return all
}

// kill ends what still runs.
func (w *world) kill() {
	for _, p := range append(append(w.services(), w.brokers...), w.clickHouse) {
		if p != nil && p.running != nil {
			_ = p.Kill() // it may have ended
		}
	}
}

// together does it to all at once.
func together(all []*process, do func(*process) error) error {
	var wait sync.WaitGroup
	errs := make([]error, len(all))
	for i, p := range all {
		wait.Go(func() { errs[i] = do(p) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// freePorts finds n addresses in a row that nobody listens on, below those that the system gives to outgoing connections: one of these would else take the
// port of a server that is away.
func freePorts(n int) ([]string, error) {
	const first, last = 20_000, 32_000
	begin := first + os.Getpid()*64%(last-first)
	for tries := range last - first {
		addrs, err := listenable(first+(begin-first+tries*n)%(last-first), n)
		if err == nil {
			return addrs, nil
		}
	}
	return nil, fmt.Errorf("no %d free ports in a row between %d and %d", n, first, last)
}

func listenable(from, n int) (addrs []string, err error) {
	for port := from; port < from+n; port++ {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, err
		}
		l.Close()
		addrs = append(addrs, addr)
	}
	return addrs, nil
}
