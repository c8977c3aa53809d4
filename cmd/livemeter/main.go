// Command livemeter is the one binary: the services, the demo, and the tools around them. `livemeter --help` lists them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
)

// Exit codes.
const (
	exitOK    = 0
	exitFail  = 1 // a difference, invalid input, or a failure
	exitUsage = 2
)

func main() {
	ctx := untilSignal()
	os.Exit(execute(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// samePress is the time within which two signals are one: timeout(1) and others send theirs to the process and then to its group.
const samePress = 300 * time.Millisecond

// untilSignal is a context that the first signal ends, which asks every command to finish in order. The second ends the process at once,
// with the code that shells give for it; engines that it started end with it.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // under nohup it is
		ends = append(ends, syscall.SIGHUP)
	}
	signal.Notify(signals, ends...)
	go func() {
		<-signals
		first := time.Now()
		cancel()
		for second := range signals {
			if time.Since(first) < samePress || second == syscall.SIGHUP { // nobody presses that: a terminal that is closed may send several
				continue
			}
			fmt.Fprintln(os.Stderr, "\nlivemeter: ended at once"+where())
			os.Exit(128 + int(second.(syscall.Signal)))
		}
	}()
	return ctx
}

// dataDir is the directory that demo or up is at work on: an end at once leaves it, and the temporary one of demo has to be named.
var dataDir atomic.Pointer[string]

// left is the command that removes what verify --self has made in somebody's servers, nil while there is nothing.
var left atomic.Pointer[string]

func where() string {
	if remove := left.Load(); remove != nil {
		return "; to remove what is left: " + *remove
	}
	if dir := dataDir.Load(); dir != nil {
		return "; what is on disk can be used again: --dir " + *dir
	}
	return ""
}

// streams are what a command reads and prints to. Results go to out, everything else to err.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// waiting does what may take long, and says meanwhile what it is.
func waiting(s streams, what string, do func() error) error {
	return ui.During(sayTo(s.err), func() string { return what }, do)
}

// errSilent is a failure whose reason has been printed.
var errSilent = errors.New("failed")

func execute(ctx context.Context, args []string, io streams) int {
	if len(args) == 0 {
		args = []string{"--help"}
	}
	c := newCLI()
	// kong leaves through Exit after --help and --version; a panic with the code brings it back here.
	type exit struct{ code int }
	code := exitOK
	err := func() (err error) {
		defer func() {
			if r := recover(); r != nil {
				e, ok := r.(exit)
				if !ok {
					panic(r)
				}
				code = e.code
			}
		}()
		parser, err := kong.New(c, kong.Name("livemeter"), kong.Description(description), kong.UsageOnError(), kong.Writers(io.out, io.err),
			kong.Exit(func(code int) { panic(exit{code}) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 120}),
			kong.Vars{"version": version()}, kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(io),
			kong.TypeMapper(reflect.TypeFor[time.Duration](), kong.MapperFunc(durationFlag)))
		if err != nil {
			return err
		}
		k, err := parser.Parse(withNegatives(args))
		if err != nil {
			return usageError{unknownCommand(parser, err)}
		}
		return k.Run(c.global())
	}()
	var usage usageError
	switch {
	case err == nil:
		return code
	case errors.As(err, &usage):
		fmt.Fprintf(io.err, "livemeter: %v\nTry: livemeter --help, or --help after a command.\n", err)
		return exitUsage
	case !errors.Is(err, errSilent):
		fmt.Fprintf(io.err, "livemeter: %v\n", err)
	}
	return exitFail
}

// durationFlag reads durations as the configuration does, days included.
func durationFlag(k *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := k.Scan.PopValueInto("duration", &text); err != nil {
		return err
	}
	d, err := config.ParseDuration(text)
	if err == nil && d < 0 {
		err = fmt.Errorf("%q: want no negative duration", text)
	}
	if err != nil {
		return err
	}
	target.SetInt(int64(d))
	return nil
}

// usageError is a mistake on the command line.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }
