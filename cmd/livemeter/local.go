package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"go.uber.org/zap"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/stack"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// localFlags are what demo and up have in common.
type localFlags struct {
	withConfig
	Kafka        string `enum:"embedded,apache" default:"embedded" help:"embedded needs nothing; apache is the real broker and wants Java and Maven."`
	KafkaAddr    string `default:"127.0.0.1:9092" help:"Where Kafka listens."`
	AllowNetwork bool   `help:"Let Kafka and ClickHouse listen beyond this machine: whoever reaches them may read and write everything."`
}

// local is a whole livemeter on this machine: engines and pipeline.
type local struct {
	cfg       *config.Config
	log       *zap.Logger
	say       func(string) // to who sits at the terminal
	stack     *stack.Stack
	kafka     *kafkaWatch
	process   *service.Process
	store     *service.Store
	reader    *runtime.Reader
	gateway   string // its address
	logFile   string
	stopInput func() // ends gateway
	stopFeed  func() // ends the collector
	serving   bool
	ended     chan error // what the pipeline ended with
	quiet     func()     // ends what is said between the end of an engine and that of the pipeline
	end       context.CancelFunc
}

// logName is the log of a directory.
const logName = "livemeter.log"

// startLocal starts everything on dir. The pipeline does not end with ctx but with stop: its orderly end comes after that of the input.
func (f localFlags) startLocal(ctx context.Context, g global, dir string, say func(string)) (_ *local, err error) {
	cfg, err := f.localConfig(ctx, g, dir, say)
	if err != nil {
		return nil, err
	}
	dataDir.Store(&dir)
	if why := noSpace(dir); why != "" {
		return nil, errors.New(why + ": free some and start again; nothing was begun")
	}
	l := &local{cfg: cfg, say: say, logFile: filepath.Join(dir, logName), ended: make(chan error, 1), end: func() {}, quiet: func() {}}
	out, err := os.OpenFile(l.logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return nil, err
	}
	if l.log, err = service.NewLogger(cfg.Log, &logWriter{w: out, say: say}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.stop())
		}
	}()
	if l.process, err = service.New(cfg, l.log); err != nil {
		return nil, err
	}
	l.kafka = &kafkaWatch{dir: dir, log: l.log, say: say}
	say("starting Kafka (" + f.Kafka + ") and ClickHouse in " + dir)
	l.stack, err = stack.Start(ctx, stack.Options{Dir: dir, Apache: f.Kafka == "apache", KafkaAddr: f.KafkaAddr, ClickHouseAddr: cfg.ClickHouse.Addr[0],
		AllowNetwork: f.AllowNetwork, Progress: say, DiskFailed: l.kafka.diskFailed,
		Stranger: func(err error) { l.log.Warn(err.Error()); say(err.Error()) }})
	if err != nil {
		return nil, err
	}
	cfg.Kafka.Brokers, cfg.ClickHouse.Addr = l.stack.Brokers, []string{l.stack.ClickHouse}
	return l, ofDirectory(l.startPipeline(ctx), dir)
}

func (l *local) startPipeline(ctx context.Context) error {
	p := l.process
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	l.end, l.serving = end, true
	ready := make(chan error, 1)
	go func() {
		l.ended <- p.Serve(running, func(context.Context) (service.Plan, error) {
			plan, err := l.plan(ctx)
			ready <- err
			return plan, err
		})
	}()
	what := func() string { return starting(p.Waiting(), noSpace(filepath.Dir(l.logFile))) }
	if err := ui.During(l.say, what, func() error { return <-ready }); err != nil {
		l.serving = false
		return <-l.ended
	}
	return nil
}

// starting is what the start of the pipeline waits for. An engine that finds no room may say less than that, or nothing.
func starting(waiting, noSpace string) string {
	waiting = strings.ReplaceAll(waiting, "\n", "; ")
	switch {
	case noSpace != "" && waiting != "":
		return "waiting: " + noSpace + ": free some, and it goes on; " + waiting
	case noSpace != "":
		return "waiting: " + noSpace + ": free some, and it goes on"
	case waiting != "":
		return "waiting for " + waiting
	}
	return "starting the pipeline"
}

// plan makes the stages. Gateway and collector can be ended before the others, to drain.
func (l *local) plan(ctx context.Context) (service.Plan, error) {
	p := l.process
	if err := p.Topics(ctx); err != nil {
		return service.Plan{}, err
	}
	store, err := p.Store(ctx, service.GroupRun)
	if err != nil {
		return service.Plan{}, err
	}
	l.store = store
	plan := service.Plan{Close: store.Close}
	whole, err := p.Whole(store)
	if err != nil {
		return plan, err
	}
	server, gateway, addr, err := p.Gateway()
	if err != nil {
		return plan, err
	}
	l.reader, l.gateway = whole.Reader, addr
	l.kafka.gateway, l.kafka.collector = server, whole.Health.Ready
	whole.Collector, l.stopFeed = service.Stoppable(whole.Collector)
	gateway, l.stopInput = service.Stoppable(gateway)
	plan.Stages = append(whole.Stages(), gateway, service.Stage{Name: "engines", Run: l.watch})
	return plan, nil
}

// watch is that of the engines. It says at once that one has ended: the end of the pipeline, which tells the rest, takes some seconds without it.
func (l *local) watch(ctx context.Context) error {
	err := l.stack.Watch(ctx)
	if err != nil {
		l.say(err.Error() + "; stopping")
		_, l.quiet = ui.Still(l.say, func() string { return "stopping the pipeline" })
	}
	return err
}

// stop ends the pipeline in order, then the engines, and tells what it waits for: an engine that hangs takes its time.
func (l *local) stop() error {
	var err error
	l.end()
	if l.serving {
		err = ui.During(l.say, l.stopping, func() error { return <-l.ended })
		l.quiet()
	}
	if l.stack != nil {
		err = errors.Join(err, l.stack.Stop(l.say))
	}
	return err
}

// stopping is what the end of the pipeline waits for.
func (l *local) stopping() string {
	if l.reader != nil {
		if _, err := l.reader.SinkFailing(); err != nil {
			return "waiting for ClickHouse to take the last rows (those that it does not take are written after the next start)"
		}
	}
	return "stopping the pipeline"
}

// died is what to say when the pipeline ended without being asked to.
func (l *local) died(err error) error {
	l.serving = false
	l.quiet()
	if err == nil {
		err = errors.New("the pipeline ended by itself")
	}
	return fmt.Errorf("%w; more in %s", ofDirectory(err, filepath.Dir(l.logFile)), l.logFile)
}

// explain adds what the engines' errors do not say: that nothing can be written any more.
func (l *local) explain(err error) error {
	if noSpace := noSpace(filepath.Dir(l.logFile)); err != nil && noSpace != "" {
		return fmt.Errorf("%s: free some and start again, what is there can be used: %w", noSpace, err)
	}
	return err
}

func sayTo(w io.Writer) func(string) {
	return func(message string) { fmt.Fprintln(w, message) }
}

// logWriter tells once that the log cannot be written, instead of at every line.
type logWriter struct {
	w    io.Writer
	say  func(string)
	once sync.Once
}

func (l *logWriter) Write(p []byte) (int, error) {
	if _, err := l.w.Write(p); err != nil {
		l.once.Do(func() { l.say("the log cannot be written: " + err.Error()) })
	}
	return len(p), nil
}
