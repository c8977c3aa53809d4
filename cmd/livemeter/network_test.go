package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEnginesAreForThisMachine: an engine without a password is not opened to the network by its address alone, and nothing is made meanwhile.
func TestEnginesAreForThisMachine(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	up := append([]string{"up", "--dir", dir}, freePorts...)
	for _, c := range []struct {
		args []string
		want []string
	}{
		{append(up, "--kafka-addr", "0.0.0.0:0", "--clickhouse-addr", ":0"), []string{"--kafka-addr 0.0.0.0:0", "--clickhouse-addr :0"}},
		{append([]string{"demo", "--dir", dir}, append(freePorts, "--kafka-addr", "[::]:0")...), []string{"--kafka-addr [::]:0"}},
		{[]string{"engine", "clickhouse", "--dir", dir, "--addr", "0.0.0.0:0"}, []string{"--addr 0.0.0.0:0"}},
	} {
		code, _, errOut := livemeter(t, "", c.args...)
		for _, want := range append(c.want, "--allow-network") {
			if code != exitFail || !strings.Contains(errOut, want) {
				t.Errorf("%v: exit code %d, want 1 and %q in: %s", c.args, code, want, errOut)
			}
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s was made", dir)
	}
	for _, command := range []string{"up", "demo", "engine clickhouse"} {
		if _, out, _ := livemeter(t, "", append(strings.Fields(command), "--help")...); !strings.Contains(out, "--allow-network") {
			t.Errorf("%s --help does not name --allow-network", command)
		}
	}
}

// TestUpForTheNetworkPrintsAddressesThatCanBeDialled: what listens on all addresses is named by one.
func TestUpForTheNetworkPrintsAddressesThatCanBeDialled(t *testing.T) {
	r := startUp(t, t.TempDir(), "--allow-network", "--kafka-addr", "0.0.0.0:0", "--clickhouse-addr", "0.0.0.0:0", "--gateway-addr", "0.0.0.0:0", "--gateway-allow-open", "--admin-addr", "0.0.0.0:0")
	for _, bad := range []string{"[::]", "0.0.0.0"} {
		if strings.Contains(r.out.String(), bad) {
			t.Errorf("%s stands in what up printed:\n%s", bad, r.out.String())
		}
	}
	r.enters(t, 1)
	r.end(t)
}
