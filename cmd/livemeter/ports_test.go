package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPortsInUseAreNamed: all of them, before anything is started or made.
func TestPortsInUseAreNamed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	args := []string{"up", "--dir", dir}
	flags := []string{"--kafka-addr", "--clickhouse-addr", "--gateway-addr", "--admin-addr"}
	var want []string
	for i, flag := range flags {
		addr := "127.0.0.1:0"
		if i != 1 {
			l, err := net.Listen("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			addr = l.Addr().String()
			want = append(want, addr+" ("+flag+")")
		}
		args = append(args, flag, addr)
	}
	code, _, errOut := livemeter(t, "", args...)
	for _, w := range append(want, "is another livemeter running?") {
		if code != exitFail || !strings.Contains(errOut, w) {
			t.Errorf("exit code %d, want 1 and %q: %s", code, w, errOut)
		}
	}
	if strings.Contains(errOut, "--clickhouse-addr") {
		t.Errorf("a free port is named: %s", errOut)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the directory was made all the same")
	}
}
