package service_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/pipeline/gateway"
	"github.com/livemeter/livemeter/pipeline/runtime"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// TestDefaultsAreThoseOfTheComponents: who uses a component without a configuration gets what the reference says.
func TestDefaultsAreThoseOfTheComponents(t *testing.T) {
	c := config.Default()
	equal := func(what string, have, want any, opts ...cmp.Option) {
		t.Helper()
		if diff := cmp.Diff(want, have, opts...); diff != "" {
			t.Errorf("%s (- of the component, + of the configuration):\n%s", what, diff)
		}
	}
	// Filled, since a configuration has no keys for some: those must not differ in the others.
	equal("clickhouse", service.SinkConfig(c).WithDefaults(), clickhouse.Config{}.WithDefaults())
	equal("gateway", service.GatewayConfig(c).WithDefaults(), gateway.Config{}.WithDefaults(), cmpopts.IgnoreFields(gateway.Config{}, "Now"))
	collector := service.CollectorConfig(c)
	equal("collector", collector.WithDefaults(), runtime.CollectorConfig{Brokers: collector.Brokers, Settings: collector.Settings}.WithDefaults(),
		cmpopts.IgnoreFields(runtime.CollectorConfig{}, "Now", "Health"))
	reader := service.RunReader(c)
	wiring := runtime.ReaderConfig{Brokers: reader.Brokers, Topic: reader.Topic, Group: reader.Group, Changelog: reader.Changelog, RejectedTopic: reader.RejectedTopic}
	equal("reader", reader.WithDefaults(), wiring.WithDefaults(), cmpopts.IgnoreFields(runtime.ReaderConfig{}, "NewTask"))
}

// TestEveryComponentTellsItsMistakesAtOnce, with the key, and the line or variable that set it.
func TestEveryComponentTellsItsMistakesAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	text := `zone: Asia/Kolkata
clickhouse:
  database: a-b
  max_block_rows: 1
  ttl: {10s: 36h, 1m: 20000d}
gateway:
  addr: 0.0.0.0:8080
  tokens:
    - {name: a, secret: 0123456789abcdef, rate: -2}
    - {name: b, secret: 0123456789abcdef}
  allowed_origins: [shop]
  max_connections: 0
collector:
  block_bytes: 512
  max_inflight_bytes: 1024
flush: {hot: 3s, row_budget: -1}
admin: {addr: nowhere}
limits: {max_dirty_cells: -1}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"LIVEMETER_CLICKHOUSE_PARALLEL": "99", "LIVEMETER_GATEWAY_ALLOWED_ORIGINS": "shop/x"}
	c, err := config.Load(config.Sources{File: path, Env: func(k string) (string, bool) { v, ok := env[k]; return v, ok }, Flags: map[string]string{"checkpoint_every": "2h"}})
	if err != nil {
		t.Fatal(err)
	}
	err = service.Validate(c, config.Client)
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		`c.yaml:1: zone "Asia/Kolkata": its offset`, `c.yaml:3: clickhouse.database "a-b"`, `c.yaml:4: clickhouse.max_block_rows 1: want 1000 to 500000`,
		`c.yaml:5: clickhouse.ttl.10s 36h0m0s: want whole days`, `c.yaml:5: clickhouse.ttl.1m 20000 days`, `c.yaml:9: gateway.tokens[0] ("a"): rate -2`,
		`c.yaml:10: gateway.tokens[1] ("b"): another token has the same secret`, `environment LIVEMETER_GATEWAY_ALLOWED_ORIGINS: gateway.allowed_origins[0] "shop/x"`,
		`c.yaml:12: gateway.max_connections is empty or 0: leave it out for its default, 2048`, `c.yaml:14: collector.block_bytes 512: want 1024 to 524288`,
		`c.yaml:15: collector.max_inflight_bytes 1024: want at least four blocks`, `flush.max 2s is shorter than flush.hot 3s`, `c.yaml:16: flush.row_budget -1`,
		`c.yaml:17: admin.addr "nowhere"`, `c.yaml:18: limits.max_dirty_cells -1: want 1 or more`, `environment LIVEMETER_CLICKHOUSE_PARALLEL: clickhouse.parallel 99: want 1 to 32`,
		`flag --checkpoint-every: checkpoint_every 2h0m0s: want above 0 and at most 1h`,
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("missing: %s", w)
		}
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != len(want) || t.Failed() {
		t.Errorf("%d mistakes, want %d:\n%v", len(lines), len(want), err)
	}
}

// TestOpenGatewayIsOneMistake: each is told once, also where several components have the key.
func TestOpenGatewayIsOneMistake(t *testing.T) {
	c := config.Default()
	c.Gateway.Addr, c.Kafka.Brokers, c.Zone = "0.0.0.0:8080", nil, "Mars/Olympus"
	err := service.Validate(c, config.Client)
	if err == nil || len(strings.Split(err.Error(), "\n")) != 3 {
		t.Errorf("want 3 mistakes, of gateway.addr, kafka.brokers and zone:\n%v", err)
	}
}
