// Package stack starts what demo and up need around the pipeline: the engines, on a directory that can be used again, and a key.
package stack

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/deploy/embedded"
	"github.com/livemeter/livemeter/deploy/embedded/engines"
	"github.com/livemeter/livemeter/deploy/embedded/kafka"
)

// Options of Start.
type Options struct {
	Dir            string
	Apache         bool // Apache Kafka instead of the embedded one
	KafkaAddr      string
	ClickHouseAddr string
	AllowNetwork   bool // let them listen beyond loopback
	Progress       func(string)
	DiskFailed     func(error) // hears what the embedded Kafka cannot write
	Stranger       func(error) // hears who speaks another protocol to it
}

// Stack is the running engines.
type Stack struct {
	Brokers    []string
	ClickHouse string

	stops []stop
	ends  []ended
}

// stop ends an engine.
type stop struct {
	name string
	do   func() error
}

// EndedError is of an engine that ended by itself.
type EndedError struct{ Engine, Log string }

func (e *EndedError) Error() string { return e.Engine + " has ended by itself; its log is " + e.Log }

// ended is an engine that may end by itself.
type ended struct {
	name, log string
	done      <-chan struct{}
}

// Start starts the engines; what it has started it stops again when it fails. ClickHouse is a child process of this binary, so that a crash
// of the library leaves the pipeline alone; both end with this process.
func Start(ctx context.Context, o Options) (*Stack, error) {
	if err := checkKafka(o.Dir, o.kafka()); err != nil {
		return nil, err
	}
	jars, err := o.fetch(ctx) // before anything is made
	if err != nil {
		return nil, err
	}
	s, fresh := &Stack{}, !begun(o.Dir, o.kafka())
	if err := o.step("Kafka", func() error { return s.startKafka(ctx, o, jars) }); err != nil {
		return nil, errors.Join(err, s.Stop(o.Progress))
	}
	if err := o.step("ClickHouse", func() error { return s.startClickHouse(ctx, o) }); err != nil {
		err = errors.Join(err, s.Stop(o.Progress))
		if fresh { // nothing is in it, and the next start may want another Kafka
			err = errors.Join(err, os.RemoveAll(o.kafkaDir()))
		}
		return nil, err
	}
	return s, nil
}

// fetch gets the engines that are not there yet. jars are Apache Kafka's.
func (o Options) fetch(ctx context.Context) (jars string, err error) {
	if o.Apache {
		if jars, err = engines.Kafka(ctx, o.Progress); err != nil {
			return "", err
		}
	}
	_, err = engines.ClickHouse(ctx, o.Progress) // here, since the child's progress goes to its log
	return jars, err
}

// step tells every few seconds that something is still starting: on a busy machine the engines take their time.
func (o Options) step(what string, start func() error) error {
	return ui.During(o.Progress, func() string { return "starting " + what }, start)
}

// kafkaDirs are where the brokers keep their data, by name of --kafka.
var kafkaDirs = map[string]string{"embedded": "kafka-embedded", "apache": "kafka-apache"}

const clickHouseDir = "clickhouse"

// ClickHouseDir is where the ClickHouse of a directory keeps its data.
func ClickHouseDir(dir string) string { return filepath.Join(dir, clickHouseDir) }

// kafka is the name of --kafka.
func (o Options) kafka() string {
	if o.Apache {
		return "apache"
	}
	return "embedded"
}

func (o Options) kafkaDir() string { return filepath.Join(o.Dir, kafkaDirs[o.kafka()]) }

// begun says whether a directory has data of a Kafka. A start that failed may have left its lock or its log.
func begun(dir, kafka string) bool {
	_, err := os.Stat(filepath.Join(dir, kafkaDirs[kafka], "data"))
	return err == nil
}

// CheckDir refuses a directory inside one that another livemeter's engine keeps its data in: the engine owns all that is there. log is the name of a
// livemeter's log.
func CheckDir(dir, log string) error {
	path, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	for at := path; at != filepath.Dir(at); at = filepath.Dir(at) {
		home := filepath.Dir(at)
		if !slices.Contains([]string{kafkaDirs["embedded"], kafkaDirs["apache"], clickHouseDir}, filepath.Base(at)) {
			continue
		}
		if _, err := os.Stat(filepath.Join(home, log)); err == nil {
			return fmt.Errorf("%s lies in the data of an engine, which is %s (--dir): go on with --dir %s, or take another directory", dir, at, home)
		}
	}
	return nil
}

// checkKafka refuses another broker than the directory was begun with: its log would be another one, and ClickHouse would not show it.
func checkKafka(dir, kafka string) error {
	for other := range kafkaDirs {
		if other != kafka && begun(dir, other) && !begun(dir, kafka) {
			return fmt.Errorf("%s was begun with --kafka %s: go on with that, or take another --dir", dir, other)
		}
	}
	return nil
}

func (s *Stack) startKafka(ctx context.Context, o Options, jars string) error {
	if !o.Apache {
		f, err := kafka.StartFakeTelling(kafka.Tell{Stranger: o.Stranger, Disk: o.DiskFailed}, o.kafkaDir(), o.KafkaAddr)
		if err != nil {
			return err
		}
		s.Brokers, s.stops = f.Brokers(), append(s.stops, stop{"Kafka", f.Close})
		return nil
	}
	a, err := kafka.StartApache(ctx, jars, o.kafkaDir(), o.KafkaAddr, kafka.ApacheOptions{})
	if err != nil {
		return err
	}
	s.Brokers, s.stops, s.ends = a.Brokers(), append(s.stops, stop{"Apache Kafka", a.Close}), append(s.ends, ended{"Apache Kafka", filepath.Join(o.kafkaDir(), "kafka.log"), a.Done()})
	return nil
}

func (s *Stack) startClickHouse(ctx context.Context, o Options) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program, to start ClickHouse with it: %w", err)
	}
	var flags []string
	if o.AllowNetwork {
		flags = append(flags, embedded.AllowNetwork)
	}
	dir := ClickHouseDir(o.Dir)
	p, err := embedded.StartClickHouseProcess(ctx, exe, dir, o.ClickHouseAddr, flags...)
	if err != nil {
		return err
	}
	s.ClickHouse, s.stops, s.ends = p.Addr(), append(s.stops, stop{"ClickHouse", p.Close}), append(s.ends, ended{"ClickHouse", filepath.Join(dir, "clickhouse.log"), p.Done()})
	return nil
}

// Watch returns an error when an engine ends by itself, nil when ctx ends.
func (s *Stack) Watch(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, e := range s.ends {
		go func() {
			select {
			case <-e.done:
				cancel(&EndedError{e.name, e.log})
			case <-ctx.Done():
			}
		}()
	}
	<-ctx.Done()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// Stop stops the engines, the last one first, and tells say of those that take long. Their directories can be used again.
func (s *Stack) Stop(say func(string)) error {
	var errs []error
	for i := len(s.stops) - 1; i >= 0; i-- {
		e := s.stops[i]
		errs = append(errs, ui.During(say, func() string { return "stopping " + e.name }, e.do))
	}
	s.stops, s.ends = nil, nil
	return errors.Join(errs...)
}

// Key reads the pseudonym key of a directory, making one the first time, and says where it is. Services never do that: a key that is made by
// accident splits every viewer in two.
func Key(dir string) (key, path string, err error) {
	path = filepath.Join(dir, "pseudonym.key")
	data, err := os.ReadFile(path)
	key = strings.TrimSpace(string(data))
	switch {
	case err == nil && key == "":
		return "", path, fmt.Errorf("%s is empty: restore it from a backup, for a new key makes every viewer a new one; where no event was sent yet, remove it", path)
	case err == nil:
		return key, path, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", path, err
	}
	for kafka, name := range kafkaDirs {
		if begun(dir, kafka) {
			return "", path, fmt.Errorf("%s is gone, and events in %s are named by it: restore the file from a backup, or begin another directory", path, filepath.Join(dir, name))
		}
	}
	raw := make([]byte, 32)
	rand.Read(raw) // never fails
	key = hex.EncodeToString(raw)
	return key, path, writeKey(path, key+"\n")
}

// writeKey makes the file whole or not at all: half a key would be another key.
func writeKey(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".pseudonym-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Link(f.Name(), path) // fails where another process was faster
	}
	return errors.Join(err, os.Remove(f.Name()))
}
