package embedded_test

import (
	"strings"
	"testing"

	"github.com/livemeter/livemeter/deploy/embedded"
)

func TestAddressesOfEnginesAreLoopback(t *testing.T) {
	for addr, local := range map[string]bool{
		"127.0.0.1:9092": true, "localhost:9092": true, "[::1]:0": true, "127.8.0.1:1": true,
		"0.0.0.0:9092": false, ":9092": false, "[::]:9092": false, "192.168.1.2:9092": false, "vm:9092": false,
	} {
		err := embedded.CheckAddr("Kafka", "--kafka-addr", addr, false)
		if (err == nil) != local {
			t.Errorf("%s: %v", addr, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "--kafka-addr "+addr) || !strings.Contains(err.Error(), "--allow-network")) {
			t.Errorf("%s: the refusal names no way out: %v", addr, err)
		}
		if err := embedded.CheckAddr("Kafka", "--kafka-addr", addr, true); err != nil {
			t.Errorf("%s, allowed: %v", addr, err)
		}
	}
}

func TestAddressesOfEnginesAreAddresses(t *testing.T) {
	for _, addr := range []string{"", "vm", "127.0.0.1", "127.0.0.1:", "127.0.0.1:kafka", "127.0.0.1:99999", "127.0.0.1 :9092", "http://vm:9092"} {
		if err := embedded.CheckAddr("Kafka", "--kafka-addr", addr, true); err == nil || !strings.Contains(err.Error(), "want host:port") {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

func TestDialNamesAHost(t *testing.T) {
	for addr, want := range map[string]string{"[::]:80": "localhost:80", "0.0.0.0:80": "localhost:80", ":80": "localhost:80", "127.0.0.1:80": "127.0.0.1:80", "vm:80": "vm:80"} {
		if got := embedded.Dial(addr); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}
