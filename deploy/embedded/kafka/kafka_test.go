package kafka_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sys/unix"

	"github.com/livemeter/livemeter/deploy/embedded/engines"
	"github.com/livemeter/livemeter/deploy/embedded/kafka"
)

// The test binary is also the process that starts a broker and is killed.
const childDir = "LIVEMETER_TEST_KAFKA_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		startAndWait(dir)
		return
	}
	os.Exit(m.Run())
}

type broker interface {
	Brokers() []string
	Close() error
}

func startApache(t *testing.T, dir, addr string) *kafka.Apache {
	t.Helper()
	lib, err := engines.Kafka(t.Context(), func(m string) { t.Log(m) })
	if err != nil {
		t.Fatal(err)
	}
	a, err := kafka.StartApache(t.Context(), lib, dir, addr, kafka.ApacheOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func startFake(t *testing.T, dir, addr string) *kafka.Fake {
	t.Helper()
	f, err := kafka.StartFake(dir, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func client(t *testing.T, b broker, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append(options, kgo.SeedBrokers(b.Brokers()...))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Records and a group's position written before a restart are there after it, at the same address.
func TestDataSurvivesRestart(t *testing.T) {
	for name, start := range map[string]func(*testing.T, string, string) broker{
		"fake":   func(t *testing.T, dir, addr string) broker { return startFake(t, dir, addr) },
		"apache": func(t *testing.T, dir, addr string) broker { return startApache(t, dir, addr) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			b := start(t, dir, "127.0.0.1:0")
			addr := b.Brokers()[0]
			produceInTransaction(t, b, "one", "two", "three")
			if got := consume(t, b, 2); got != "one two" {
				t.Fatalf("consumed %q", got)
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			b = start(t, dir, addr)
			if got := b.Brokers()[0]; got != addr {
				t.Fatalf("broker is at %s, was at %s", got, addr)
			}
			if got := consume(t, b, 1); got != "three" {
				t.Fatalf("after the restart the group goes on with %q, want three", got)
			}
		})
	}
}

func produceInTransaction(t *testing.T, b broker, values ...string) {
	t.Helper()
	c := client(t, b, kgo.TransactionalID("tx"), kgo.DefaultProduceTopic("orders"))
	if _, err := kadm.NewClient(c).CreateTopic(t.Context(), 1, 1, nil, "orders"); err != nil {
		t.Fatal(err)
	}
	if err := c.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		if err := c.ProduceSync(t.Context(), kgo.StringRecord(v)).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
}

// consume reads and commits n records as the group "g".
func consume(t *testing.T, b broker, n int) string {
	t.Helper()
	c := client(t, b, kgo.ConsumerGroup("g"), kgo.ConsumeTopics("orders"), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
	defer c.Close()
	var got []string
	for len(got) < n {
		fetches := c.PollRecords(t.Context(), n-len(got))
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		for _, r := range fetches.Records() {
			got = append(got, string(r.Value))
			if err := c.CommitRecords(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
	}
	return strings.Join(got, " ")
}

func TestTopicsAreNotMadeByThemselves(t *testing.T) {
	for name, b := range map[string]broker{"fake": startFake(t, "", "127.0.0.1:0"), "apache": startApache(t, t.TempDir(), "127.0.0.1:0")} {
		c := client(t, b, kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(1))
		err := c.ProduceSync(t.Context(), &kgo.Record{Topic: "typo", Value: []byte("x")}).FirstErr()
		if !errors.Is(err, kerr.UnknownTopicOrPartition) {
			t.Errorf("%s: producing to a topic that was not made gives %v", name, err)
		}
	}
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr := l.Addr().String()
	lib, err := engines.Kafka(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, fake := kafka.StartFake(t.TempDir(), addr)
	_, apache := kafka.StartApache(t.Context(), lib, t.TempDir(), addr, kafka.ApacheOptions{})
	for _, err := range []error{fake, apache} {
		if err == nil || !strings.Contains(err.Error(), addr) || !strings.Contains(err.Error(), "--kafka-addr") {
			t.Errorf("the error must name port and flag: %v", err)
		}
	}
}

func TestDirectoryInUseNamesTheProcess(t *testing.T) {
	dir := t.TempDir()
	f, err := kafka.StartFake(dir, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = kafka.StartFake(dir, "127.0.0.1:0")
	if want := fmt.Sprintf("in use by process %d", os.Getpid()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a second start on the directory: %v, want %q", err, want)
	}
}

func TestBrokenConfigShowsTheLog(t *testing.T) {
	lib, err := engines.Kafka(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = kafka.StartApache(t.Context(), lib, t.TempDir(), "127.0.0.1:0", kafka.ApacheOptions{Config: map[string]string{"log.cleaner.threads": "many"}})
	if err == nil || !strings.Contains(err.Error(), "log.cleaner.threads") {
		t.Fatalf("the error must show what the broker complains of: %v", err)
	}
}

// A broker must not outlive a process that is killed, and its directory must be good for the next.
func TestBrokerDiesWithItsParent(t *testing.T) {
	dir := t.TempDir()
	if _, err := engines.Kafka(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var addr string
	if _, err := fmt.Fscan(bufio.NewReader(out), &pid, &addr); err != nil {
		t.Fatal(err)
	}
	handle, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(handle)
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(handle), Events: unix.POLLIN}}, 10_000); n != 1 {
		t.Fatalf("the broker lives on: %v", err)
	}
	startApache(t, dir, addr)
}

func startAndWait(dir string) {
	ctx := context.Background()
	lib, err := engines.Kafka(ctx, nil)
	if err != nil {
		panic(err)
	}
	a, err := kafka.StartApache(ctx, lib, dir, "127.0.0.1:0", kafka.ApacheOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(a.PID(), a.Brokers()[0])
	<-time.After(time.Minute) // the test kills this process
}

// A broker that listens on all addresses sends its clients to one that they can dial, whatever this machine is called.
func TestAllAddressesAreAdvertisedAsOne(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0"} {
		b := startFake(t, t.TempDir(), addr)
		host, _, err := net.SplitHostPort(b.Brokers()[0])
		if ip := net.ParseIP(host); err != nil || ip == nil || ip.IsUnspecified() {
			t.Errorf("%s is advertised as %s, want an address", addr, b.Brokers()[0])
		}
		if err := client(t, b).Ping(t.Context()); err != nil {
			t.Errorf("%s: %v", addr, err)
		}
		sweep(t, b) // it is a client too
	}
}
