//go:build synctests

package exact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/fused"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// process is one that can be killed, or suspended, at any moment: all that goes in or out of it passes alive.
type process struct {
	n       int
	w       *world
	ctx     context.Context
	cancel  context.CancelFunc
	done    chan struct{}
	err     error // once done
	readers []*runtime.Reader

	mu     sync.Mutex
	dead   bool
	frozen chan struct{} // closed when it goes on
	conns  map[net.Conn]struct{}
	rng    *rand.Rand
}

var errDead = errors.New("killed")

// simRebalance is shorter than the session timeout of 10 s: Kafka never expires a member that waits in a join, kfake does, without an answer to it, and
// begins the rebalance anew. With the client's 60 s no rebalance that waits for a dead member would come to its end.
const simRebalance = 5 * time.Second

// start adds a process with a collector and the readers of `run`, or of the services.
func (w *world) start() {
	w.started++
	p := &process{w: w, n: w.started, conns: map[net.Conn]struct{}{}, done: make(chan struct{}), rng: rand.New(rand.NewPCG(w.rng.Uint64(), 2))}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	opts := []kgo.Opt{kgo.Dialer(p.dial), kgo.ClientID(p.name()), kgo.RebalanceTimeout(simRebalance)}
	log, reg := w.log.Named(p.name()), prometheus.NewRegistry()
	stages := []func(context.Context) error{func(ctx context.Context) error {
		return runtime.RunCollector(ctx, runtime.CollectorConfig{Brokers: w.cluster.ListenAddrs(), KafkaOpts: opts, PseudonymKey: make([]byte, 16),
			Settings: eventlog.Settings{Partitions: simParts, HorizonMS: 6 * hour, LatenessMS: minute, SessionGapMS: hour, DedupeMS: 10 * minute, Zone: "Asia/Shanghai", MaxCells: 1 << 20},
			Now:      w.clock.now, IdleGrace: time.Millisecond, StallAfter: -1}, log.Named("collector"), reg)
	}}
	add := func(cfg runtime.ReaderConfig) {
		cfg.Brokers, cfg.KafkaOpts, cfg.Epoch = w.cluster.ListenAddrs(), opts, 1
		cfg.RejectedTopic, cfg.NewTask = runtime.TopicRejected, w.poison.faults().In(cfg.NewTask)
		r, err := runtime.NewReader(cfg, log, reg)
		if err != nil {
			w.t.Fatal(err)
		}
		p.readers, stages = append(p.readers, r), append(stages, r.Run)
	}
	if w.services {
		add(runtime.ReaderConfig{Group: "enricher", Topic: runtime.TopicEvents, Changelog: runtime.ChangelogEnricher, OutputTopic: runtime.TopicEnriched, NewTask: fused.NewEnricher})
		add(runtime.ReaderConfig{Group: "aggregator", Topic: runtime.TopicEnriched, Changelog: runtime.ChangelogAggregator, WholeLog: true, NewTask: fused.NewAggregator, Sink: p})
	} else {
		add(runtime.ReaderConfig{Group: "run", Topic: runtime.TopicEvents, Changelog: runtime.ChangelogRun, NewTask: fused.NewRun, Sink: p})
	}
	var all sync.WaitGroup
	errs := make([]error, len(stages))
	for i, run := range stages {
		all.Go(func() {
			errs[i] = run(p.ctx)
			if p.ctx.Err() == nil && p.alive() == nil {
				w.t.Errorf("%s ended by itself: %v", p.name(), errs[i])
			}
			p.cancel() // one that fails ends all
		})
	}
	go func() {
		all.Wait()
		p.err = errors.Join(errs...)
		close(p.done)
	}()
	w.processes = append(w.processes, p)
}

func (p *process) name() string { return fmt.Sprint("p", p.n) }

// alive waits while the process is suspended, and says whether it still lives.
func (p *process) alive() error {
	for {
		p.mu.Lock()
		dead, frozen := p.dead, p.frozen
		p.mu.Unlock()
		if dead {
			return errDead
		}
		if frozen == nil {
			return nil
		}
		<-frozen
	}
}

// kill lets nothing in or out any more, and then waits until what is left of it has noticed.
func (p *process) kill() {
	p.mu.Lock()
	p.dead = true
	p.mu.Unlock()
	p.disconnect()
	p.thaw()
	p.cancel()
	<-p.done
}

// stop ends it as SIGTERM does.
func (p *process) stop() error {
	p.thaw()
	p.cancel()
	<-p.done
	return p.err
}

// freeze suspends it as SIGSTOP does.
func (p *process) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen == nil {
		p.frozen = make(chan struct{})
	}
}

func (p *process) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen != nil {
		close(p.frozen)
		p.frozen = nil
	}
}

// disconnect closes all its connections: what was under way may have arrived or not.
func (p *process) disconnect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

// chance is true once in n times, until all is calm.
func (p *process) chance(n int) bool { return !p.w.calm.Load() && p.draw(n) == 0 }

func (p *process) draw(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rng.IntN(n)
}

// latency of a request or an answer: mostly none or little, once in a while much.
func (p *process) latency() time.Duration {
	switch n := p.draw(400); {
	case n == 0:
		return time.Duration(p.draw(1500)) * time.Millisecond
	case n < 40:
		return time.Duration(p.draw(30)) * time.Millisecond
	}
	return 0
}

func (p *process) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if p.alive() != nil {
		return nil, broken("dial", syscall.ECONNREFUSED)
	}
	c, err := p.w.network.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		c.Close()
		return nil, broken("dial", syscall.ECONNREFUSED)
	}
	p.conns[c] = struct{}{}
	return &conn{c, p}, nil
}

// conn is a connection of a process.
type conn struct {
	net.Conn
	p *process
}

// simBroken is once in how many requests a connection breaks, before the request or after it.
const simBroken = 2000

func (c *conn) Write(b []byte) (n int, err error) {
	time.Sleep(c.p.latency()) // simulated, as all sleeps here: the bubble's clock jumps, nobody waits
	if c.p.alive() != nil {
		return 0, broken("write", syscall.ECONNRESET)
	}
	if c.p.chance(simBroken) {
		c.Close()
		return 0, broken("write", syscall.ECONNRESET)
	}
	if n, err = c.Conn.Write(b); err == nil && c.p.chance(simBroken) {
		c.Close()
	}
	if errors.Is(err, io.ErrClosedPipe) {
		err = broken("write", syscall.ECONNRESET)
	}
	return n, err
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.p.alive() != nil || errors.Is(err, io.ErrClosedPipe) {
		return 0, broken("read", syscall.ECONNRESET)
	}
	return n, err
}

// broken is what the system says of a connection that cannot be made or breaks. The client knows it and waits before it tries again; what it does not know it
// may repeat at once, for ever.
func broken(op string, errno syscall.Errno) error {
	return &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError(op, errno)}
}

func (c *conn) Close() error {
	c.p.mu.Lock()
	delete(c.p.conns, c.Conn)
	c.p.mu.Unlock()
	return c.Conn.Close()
}

// Write is the store as a process reaches it: it refuses, takes a part, takes everything and says nothing, or takes its time.
func (p *process) Write(_ context.Context, b *rollup.Batch) error {
	if err := p.alive(); err != nil {
		return err
	}
	fault := -1
	if p.chance(8) {
		fault = p.draw(4)
	}
	keep := func() bool { return true }
	switch fault {
	case 0:
		return errors.New("store: refused")
	case 1:
		keep = func() bool { return p.draw(2) == 0 }
	case 2:
		time.Sleep(time.Duration(p.draw(5000)) * time.Millisecond)
		if err := p.alive(); err != nil {
			return err
		}
	}
	p.w.store.Lock()
	p.w.store.write(b, keep)
	p.w.store.Unlock()
	if fault == 1 || fault == 3 {
		return errors.New("store: lost on the way")
	}
	return p.alive()
}
