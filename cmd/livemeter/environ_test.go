package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// loading are commands that load the configuration, each such that it ends by itself.
func loading(t *testing.T) [][]string {
	return [][]string{
		{"run", "--admin-addr", "nowhere"}, {"collector", "--admin-addr", "nowhere"}, {"enricher", "--admin-addr", "nowhere"}, {"aggregator", "--admin-addr", "nowhere"},
		{"gateway", "--admin-addr", "nowhere"}, {"up", "--dir", filepath.Join(t.TempDir(), "up"), "--admin-addr", "nowhere"},
		{"demo", "--dir", filepath.Join(t.TempDir(), "demo"), "--admin-addr", "nowhere"}, {"kpi", "--clickhouse-addr", "127.0.0.1:1"},
		{"verify", "--ledger", filepath.Join(t.TempDir(), "none")}, {"generate", "--events", "1", "--file", "-"}, {"schema", "viewer"},
		{"schema", "apply", "--no-kafka", "--no-clickhouse"}, {"config", "show"},
	}
}

// TestMistypedVariablesAreWarnedOf by every command that would have read them, once; those of Kubernetes by none.
func TestMistypedVariablesAreWarnedOf(t *testing.T) {
	t.Setenv("LIVEMETER_HORIZN", "720h")
	kubernetes := []string{"LIVEMETER_SERVICE_HOST", "LIVEMETER_SERVICE_PORT", "LIVEMETER_SERVICE_PORT_HTTP", "LIVEMETER_PORT", "LIVEMETER_PORT_8080_TCP",
		"LIVEMETER_PORT_8080_TCP_ADDR", "LIVEMETER_KAFKA_SERVICE_PORT", "LIVEMETER_KAFKA_PORT_9092_TCP", "LIVEMETER_KAFKA_PORT_9092_TCP_PROTO"}
	for _, name := range kubernetes {
		t.Setenv(name, "x")
	}
	const want = "warning: environment LIVEMETER_HORIZN: no key is called so; the nearest is LIVEMETER_HORIZON\n"
	for _, args := range loading(t) {
		_, _, errOut := livemeter(t, "", args...)
		if strings.Count(errOut, want) != 1 || strings.Count(errOut, "no key is called so") != 1 {
			t.Errorf("%q: want once %q, and no variable of Kubernetes: %s", args, want, errOut)
		}
	}
	if _, _, errOut := livemeter(t, "", "config", "check"); strings.Contains(errOut, "warning: ") {
		t.Errorf("config check tells a mistake as a warning too: %s", errOut)
	}
}
