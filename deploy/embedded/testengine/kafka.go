package testengine

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/livemeter/livemeter/deploy/embedded/engines"
	"github.com/livemeter/livemeter/deploy/embedded/kafka"
)

// FakeKafka gives the address of a broker that is this test's alone: kfake, in memory, without topics.
func FakeKafka(t testing.TB, options ...kfake.Opt) (brokers []string) {
	t.Helper()
	f, err := kafka.StartFake("", "127.0.0.1:0", options...)
	if err != nil {
		t.Fatalf("testengine: %v", err)
	}
	t.Cleanup(func() { f.Close() })
	return f.Brokers()
}

var apache = sync.OnceValues(startApache)

// ApacheKafka gives the address of Apache Kafka's broker. It is one for all tests of the process: begin the names of topics, groups and
// transactions with Prefix.
func ApacheKafka(t testing.TB) (brokers []string) {
	t.Helper()
	a, err := apache()
	if err != nil {
		t.Fatalf("testengine: %v", err)
	}
	return a.Brokers()
}

// startApache never stops what it starts: the broker ends with the test process.
func startApache() (*kafka.Apache, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	lib, err := engines.Kafka(ctx, Progress)
	if err != nil {
		return nil, err
	}
	dir, err := scratch("kafka")
	if err != nil {
		return nil, err
	}
	return kafka.StartApache(ctx, lib, dir, "127.0.0.1:0", kafka.ApacheOptions{Config: fastGroups})
}

// Prefix gives a name that no other test has, ending in a dot.
func Prefix() string { return fmt.Sprintf("test%d-%d.", os.Getpid(), databases.Add(1)) }

// fastGroups has members of groups that the brokers assign missed as soon as others, and told within a second.
var fastGroups = map[string]string{
	"group.consumer.session.timeout.ms": "10000", "group.consumer.min.session.timeout.ms": "10000",
	"group.consumer.heartbeat.interval.ms": "1000", "group.consumer.min.heartbeat.interval.ms": "1000",
}
