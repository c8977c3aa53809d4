package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUpWhoseClickHouseWasLost is told in two lines what to do; what cannot be done with up is not among it, and what is works.
func TestUpWhoseClickHouseWasLost(t *testing.T) {
	dir := t.TempDir()
	r := startUp(t, dir)
	r.enters(t, 1)
	r.end(t)
	if err := os.RemoveAll(filepath.Join(dir, "clickhouse")); err != nil {
		t.Fatal(err)
	}
	code, _, errOut := livemeter(t, "", append([]string{"up", "--dir", dir}, freePorts...)...)
	_, told, found := strings.Cut(errOut, "livemeter: ")
	lines := strings.Split(told, "\n")
	if code != exitFail || !found || !strings.HasPrefix(lines[0], "ClickHouse in "+filepath.Join(dir, "clickhouse")+" is not the one") ||
		!strings.Contains(lines[1], "start once with --clickhouse-take-over: ") || !strings.Contains(lines[1], "or with another --dir") || strings.Contains(told, "state.run") {
		t.Errorf("exit code %d, want 1 and two lines that say what to do:\n%s", code, errOut)
	}
	r = startUp(t, dir, "--clickhouse-take-over")
	r.sends(t, 2)
	r.end(t)
}
