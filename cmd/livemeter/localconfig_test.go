package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/stack"
)

// TestUpNamesWhatItIgnores of a configuration that was made for servers elsewhere.
func TestUpNamesWhatItIgnores(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	text := "kafka: {brokers: [k1:9092, k2:9092], tls: {enabled: true, ca_file: /no/such/ca.pem}}\ntopics: {replication: 3}\nclickhouse: {addr: [\"ch1:9000\"], protocol: native, user: lm}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errOut := livemeter(t, "", "up", "--dir", filepath.Join(t.TempDir(), "data"), "--config", path)
	for _, want := range []string{"ignored: kafka.brokers, kafka.tls, topics.replication, clickhouse.protocol, clickhouse.user\n", "--clickhouse-addr ch1:9000", "engines of their own"} {
		if code != exitFail || !strings.Contains(errOut, want) {
			t.Errorf("exit code %d, want 1 and %q in: %s", code, want, errOut)
		}
	}
	if strings.Contains(errOut, "ca.pem") {
		t.Errorf("what is ignored is checked: %s", errOut)
	}
}

// TestWithoutServersTheRestStays: nothing is ignored of the defaults, and the addresses of the own engines stay.
func TestWithoutServersTheRestStays(t *testing.T) {
	c := config.Default()
	c.ClickHouse.Addr, c.Kafka.Prefix = []string{"127.0.0.1:18123"}, "p."
	if ignored := withoutServers(c); len(ignored) > 0 || c.Kafka.Prefix != "p." || !slices.Equal(c.ClickHouse.Addr, []string{"127.0.0.1:18123"}) {
		t.Errorf("ignored %q, left prefix %q and %v", ignored, c.Kafka.Prefix, c.ClickHouse.Addr)
	}
}

// TestUpInsideAnEngine: the folder of another livemeter's engine, and all below, is not for a directory of data.
func TestUpInsideAnEngine(t *testing.T) {
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, logName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, inside := range []string{"clickhouse", "kafka-embedded/data", "kafka-apache/x/y"} {
		dir := filepath.Join(home, inside)
		code, _, errOut := livemeter(t, "", append([]string{"up", "--dir", dir}, freePorts...)...)
		if code != exitFail || !strings.Contains(errOut, "go on with --dir "+home+", or") {
			t.Errorf("%s: exit code %d, want 1 and the directory around it: %s", inside, code, errOut)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s was made all the same", dir)
		}
	}
	if err := stack.CheckDir(filepath.Join(t.TempDir(), "clickhouse"), logName); err != nil {
		t.Errorf("a directory that is only called so: %v", err)
	}
}
