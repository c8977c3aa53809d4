package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "livemeter.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func env(kv map[string]string) func(string) (string, bool) {
	return func(k string) (string, bool) { v, ok := kv[k]; return v, ok }
}

func TestDefaultsAreValid(t *testing.T) {
	if err := Default().Validate(Client); err != nil {
		t.Error(err)
	}
	if err := Default().Validate(Pipeline); err == nil || !strings.Contains(err.Error(), "openssl rand -hex 32") {
		t.Errorf("a service that collects without a key: %v, want an error that says how to make one", err)
	}
}

func TestPrecedence(t *testing.T) {
	path := write(t, "horizon: 1h\nlateness: 30s\nzone: Asia/Tokyo\nkafka:\n  brokers: [a:1, b:2]\n")
	c, err := Load(Sources{File: path, Env: env(map[string]string{"LIVEMETER_HORIZON": "720h", "LIVEMETER_ZONE": "UTC"}),
		Flags: map[string]string{"zone": "Asia/Shanghai", "kafka.brokers": "c:3, d:4"}})
	if err != nil {
		t.Fatal(err)
	}
	if c.Lateness != 30*time.Second || c.Horizon != 720*time.Hour || c.Zone != "Asia/Shanghai" || !reflect.DeepEqual(c.Kafka.Brokers, []string{"c:3", "d:4"}) {
		t.Errorf("lateness %v (file 30s), horizon %v (environment 720h), zone %s (flag Asia/Shanghai), brokers %v (flag c:3 d:4)", c.Lateness, c.Horizon, c.Zone, c.Kafka.Brokers)
	}
	if err := c.Validate(Client); err != nil {
		t.Error(err)
	}
}

func TestEveryMistakeIsToldAtOnce(t *testing.T) {
	path := write(t, "horizn: 6h\nkafka:\n  broker: x\n  prefix: [a]\nclickhouse:\n  ttl: {10s: 36h}\n  parallel: many\nlateness: 5\nlateness: 6s\n")
	c, err := Load(Sources{File: path, Env: env(map[string]string{"LIVEMETER_DEDUPE": "soon"}), Flags: map[string]string{"events.partitions": "-"}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{":1: unknown key horizn", ":3: unknown key kafka.broker, there are brokers", ":4: kafka.prefix: want a text", ":7: clickhouse.parallel: \"many\"",
		":8: lateness: \"5\": want a duration", ":9: lateness is given twice", "LIVEMETER_DEDUPE: \"soon\"", "--events-partitions: \"-\""} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in:\n%v", want, err)
		}
	}
	c.Zone, c.Dedupe, c.PseudonymKey, c.Horizon = "Asia/Kolkata", time.Minute, "secret-text", 721*time.Hour
	c.Kafka.GroupProtocol, c.InstanceID = "consumer", "a"
	err = c.Validate(Client)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"clickhouse.ttl.10s 36h0m0s", "zone \"Asia/Kolkata\"", "whole number of hours", "dedupe 1m0s: want from 10m", "horizon 721h0m0s: want from 1m to 720h", "pseudonym_key: want 32 or 64",
		"instance_id \"a\" with kafka.group_protocol consumer"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "secret-text") {
		t.Error("the error shows the key")
	}
}

// Kafka writes the names of mechanisms in capitals.
func TestMechanismsInAnyCase(t *testing.T) {
	for text, want := range map[string]string{"PLAIN": "plain", "Scram-SHA-512": "scram-sha-512", "": ""} {
		c, err := Load(Sources{File: write(t, "kafka: {sasl: {mechanism: '"+text+"'}}\n")})
		if err != nil || c.Kafka.SASL.Mechanism != want {
			t.Errorf("%q is taken for %q, %v", text, c.Kafka.SASL.Mechanism, err)
		}
	}
}

func TestCharactersThatYAMLCannotBeginWith(t *testing.T) {
	for text, want := range map[string]string{"gateway:\n\taddr: 127.0.0.1:8080\n": ": line 2: found character that cannot start any token (a tab? YAML is indented with spaces)",
		"\thorizon: 24h\n": ": line 1: found character that cannot start any token (a tab?", "kafka: {prefix: @live}\n": "must stand in quotes", "horizon: \xff\n": ": invalid leading UTF-8 octet"} {
		if _, err := Load(Sources{File: write(t, text)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestSecretsComeFromFilesAndAreNotShown(t *testing.T) {
	key := strings.Repeat("0f", 32)
	path := write(t, key+"\n")
	c, err := Load(Sources{Flags: map[string]string{"pseudonym_key_file": path, "clickhouse.password": "hush-hush"}})
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := c.Key(); err != nil || len(raw) != 32 {
		t.Errorf("key of %d bytes, %v", len(raw), err)
	}
	if shown := c.YAML(); strings.Contains(shown, key) || strings.Contains(shown, "hush-hush") {
		t.Errorf("config show prints a secret:\n%s", shown)
	}
}

// TestShownConfigurationIsTheSame: what config show prints can be used as a file.
func TestShownConfigurationIsTheSame(t *testing.T) {
	want := Default()
	want.Kafka.Brokers, want.Horizon, want.Gateway.AllowedOrigins, want.Kafka.Prefix = []string{"a:1", "b:2"}, 90*time.Minute, []string{"*"}, "007"
	got, err := Load(Sources{File: write(t, want.YAML())})
	if err != nil {
		t.Fatal(err)
	}
	got.from = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read back\n%+v\nwant\n%+v", got, want)
	}
}

func TestReferenceIsCurrent(t *testing.T) {
	have, err := os.ReadFile("../../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != Reference() {
		t.Error("docs/config.md is stale: go run ./cmd/livemeter config reference > docs/config.md")
	}
	for _, k := range Keys() {
		if k.Doc == "" {
			t.Errorf("%s has no doc string", k.Path)
		}
	}
}

// The original bytes of rejected records live seven days at most, whatever the raw topics do.
func TestRejectedRetentionIsBounded(t *testing.T) {
	for text, ok := range map[string]bool{"7d": true, "24h": true, "0": false, "30d": false, "-1h": false} {
		c, err := Load(Sources{File: write(t, "topics: {retention: 0}\n"), Env: env(nil), Flags: map[string]string{"topics.rejected_retention": text}})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(Client); (err == nil) != ok {
			t.Errorf("topics.rejected_retention %s: %v", text, err)
		}
	}
}
