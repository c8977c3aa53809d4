package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A start without room is refused, before an engine writes definitions that it cannot read afterwards.
func TestStartWithoutRoomIsRefused(t *testing.T) {
	defer func(before uint64) { minSpace = before }(minSpace)
	minSpace = 1 << 60
	dir := filepath.Join(t.TempDir(), "data")
	code, _, errOut := livemeter(t, "", "up", "--dir", dir, "--kafka-addr", "127.0.0.1:0", "--clickhouse-addr", "127.0.0.1:0", "--gateway-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0")
	if code != exitFail || !strings.Contains(errOut, "of space is left for "+dir+" (--dir): free some and start again") {
		t.Errorf("exit code %d: %s", code, errOut)
	}
	for _, engine := range []string{"clickhouse", "kafka"} {
		if _, err := os.Stat(filepath.Join(dir, engine)); err == nil {
			t.Errorf("%s was begun", engine)
		}
	}
}
