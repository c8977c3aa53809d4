package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBrokersThatAreNone are refused: Kafka's client would ask for them for ever.
func TestBrokersThatAreNone(t *testing.T) {
	for broker, ok := range map[string]bool{"k1:9092": true, "10.0.0.1:9092": true, "[::1]:9092": true, "[fe80::1%eth0]:9092": true, "kafka_1.shop.example.:9092": true, "bücher:9092": true,
		"a b:9092": false, " a:9092": false, "a": false, "a:": false, "a:0": false, "a:kafka": false, "a:1;b:1": false, "kafka://a:9092": false, "user@a:9092": false, "a/b:9092": false, "a,b:9092": false} {
		c := Default()
		c.Kafka.Brokers = []string{"k0:9092", broker}
		if err := c.Validate(Client); (err == nil) != ok || !ok && !strings.Contains(err.Error(), "kafka.brokers: \""+broker+"\": want host:port") {
			t.Errorf("kafka.brokers %q: %v", broker, err)
		}
	}
}

// TestListenersInOnePlace: a port has one listener, whatever its host is called.
func TestListenersInOnePlace(t *testing.T) {
	for _, l := range []struct {
		gateway, admin   string
		refused, doubted bool
	}{
		{"127.0.0.1:8080", "127.0.0.1:8080", true, false},
		{"127.0.0.1:8080", "localhost:8080", true, false},
		{"[::1]:8080", "[0:0:0:0:0:0:0:1]:8080", true, false},
		{"Shop.example:8080", "shop.example:8080", true, false},
		{":8080", "0.0.0.0:8080", true, false},
		{"[::]:8080", "0.0.0.0:8080", true, false},
		{"127.0.0.1:8080", "0.0.0.0:8080", false, true},
		{":8080", "127.0.0.1:8080", false, true},
		{"127.0.0.1:8080", "127.0.0.1:8081", false, false},
		{"127.0.0.1:8080", "127.0.0.2:8080", false, false},
		{"127.0.0.1:0", "localhost:0", false, false},
		{"0.0.0.0:0", "localhost:0", false, false},
	} {
		c := Default()
		c.Gateway.Addr, c.Admin.Addr = l.gateway, l.admin
		err := c.Validate(Client)
		if (err != nil) != l.refused || l.refused && !strings.Contains(err.Error(), "are the same port of the same host") {
			t.Errorf("gateway %s, admin %s: %v, want refused: %v", l.gateway, l.admin, err, l.refused)
		}
		if doubts := c.Doubts(); (len(doubts) > 0) != l.doubted {
			t.Errorf("gateway %s, admin %s: doubts %q, want any: %v", l.gateway, l.admin, doubts, l.doubted)
		}
	}
}

// TestOpenSecretsAreDoubted: a file that every user of the machine may read is most likely a mistake.
func TestOpenSecretsAreDoubted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(strings.Repeat("ab", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	c := Default()
	c.PseudonymKeyFile = file
	if doubts := c.Doubts(); len(doubts) != 0 {
		t.Errorf("mode 0600: %q", doubts)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if doubts := c.Doubts(); len(doubts) != 1 || !strings.Contains(doubts[0], "pseudonym_key_file "+file) || !strings.Contains(doubts[0], "mode 0644") {
		t.Errorf("mode 0644: %q", doubts)
	}
}

func TestATimeoutWithoutEffectIsDoubted(t *testing.T) {
	c := Default()
	if doubts := c.Doubts(); len(doubts) != 0 {
		t.Errorf("the defaults are doubted: %q", doubts)
	}
	c.ClickHouse.WriteTimeout = c.Flush.Timeout
	if doubts := c.Doubts(); len(doubts) != 1 || !strings.Contains(doubts[0], "clickhouse.write_timeout") {
		t.Errorf("%q", doubts)
	}
}
