package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/deploy/embedded/child"
	"github.com/livemeter/livemeter/deploy/embedded/engines"
)

const (
	startTimeout  = 60 * time.Second // of a broker, on a loaded machine
	memberTimeout = 4 * time.Minute  // of a cluster's, which may have much to fetch from others, and waits for most of them
	stopTimeout   = 20 * time.Second
)

// ApacheOptions of a broker. The zero value will do.
type ApacheOptions struct {
	Config map[string]string // server.properties beside or instead of ours
}

// Apache is Apache Kafka's broker, a child of this process that ends with it.
type Apache struct {
	*child.Process
	addr string
	log  string
}

// StartApache starts Apache Kafka of the jars in libDir (engines.Kafka) as a single node at addr (port 0 takes any that is free), and waits until
// it answers. dir keeps its data, over restarts and crashes, and its log, kafka.log.
func StartApache(ctx context.Context, libDir, dir, addr string, options ApacheOptions) (*Apache, error) {
	java, err := engines.Java(ctx)
	if err != nil {
		return nil, err
	}
	if dir, err = absolute(dir); err != nil {
		return nil, err
	}
	return start(ctx, layout{dir: dir, addr: addr, config: options.Config, jvm: jvm(java, libDir)})
}

func absolute(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("kafka: data directory: %w", err)
	}
	if strings.ContainsAny(dir, ",\n") {
		return "", fmt.Errorf("kafka: data directory %q: Kafka can't take a comma or line break in it", dir)
	}
	return dir, nil
}

// start starts a node, or starts it again, and waits until it answers.
func start(ctx context.Context, node layout) (*Apache, error) {
	lock, err := lockDir(ctx, node.dir, apacheLockWait)
	if err != nil {
		return nil, err
	}
	defer lock.Close() // the child holds it on
	if node.addr, err = reserve(node.addr); err != nil {
		return nil, err
	}
	if node.host, err = advertised(node.addr); err != nil {
		return nil, err
	}
	if err := node.prepare(ctx); err != nil {
		return nil, err
	}
	process, err := run(node, lock)
	if err != nil {
		return nil, err
	}
	a := &Apache{Process: process, addr: node.client(), log: node.log()}
	if err := a.await(ctx, node.startTimeout()); err != nil {
		a.Kill()
		return nil, err
	}
	return a, nil
}

func jvm(java, libDir string) []string {
	return []string{java, "-Xmx512m", "-XX:+UseSerialGC", "-Djava.awt.headless=true",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
		"-cp", filepath.Join(libDir, "*")}
}

// run starts the broker. It inherits the lock of the directory.
func run(node layout, lock *os.File) (*child.Process, error) {
	out, err := os.Create(node.log())
	if err != nil {
		return nil, fmt.Errorf("kafka: log: %w", err)
	}
	defer out.Close()
	args := append(node.jvm[1:len(node.jvm):len(node.jvm)], "kafka.Kafka", node.properties())
	cmd := exec.Command(node.jvm[0], args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = node.dir, out, out
	cmd.ExtraFiles = []*os.File{lock}
	process, err := child.Start(cmd)
	if err != nil {
		return nil, fmt.Errorf("kafka: start Apache Kafka: %w", err)
	}
	return process, nil
}

// await waits until the broker answers as a client wants it to.
func (a *Apache) await(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(a.addr), kgo.RetryTimeout(time.Second), kgo.DialTimeout(time.Second))
	if err != nil {
		return fmt.Errorf("kafka: start Apache Kafka: %w", err)
	}
	defer client.Close()
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		if client.Ping(ctx) == nil {
			return nil
		}
		select {
		case <-a.Done():
			return fmt.Errorf("kafka: Apache Kafka ended while starting: %w; the end of %s:\n%s", cmp.Or(a.Err(), errors.New("exit status 0")), a.log, child.Tail(a.log))
		case <-ctx.Done():
			return fmt.Errorf("kafka: Apache Kafka did not answer at %s: %w; the end of %s:\n%s", a.addr, ctx.Err(), a.log, child.Tail(a.log))
		case <-retry.C:
		}
	}
}

// Brokers are the addresses for clients.
func (a *Apache) Brokers() []string { return []string{a.addr} }

// Close stops the broker in order, or kills it if that takes too long; its directory can be used again.
func (a *Apache) Close() error {
	if err := a.Stop(stopTimeout); err != nil {
		return fmt.Errorf("kafka: %w; its log is %s", err, a.log)
	}
	return nil
}
