package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConfigCheckDoubtsAPortOfTheOtherProtocol(t *testing.T) {
	for protocol, want := range map[string]string{"native": "clickhouse.protocol is native, whose port is 9000", "http": ""} {
		code, _, errOut := livemeter(t, "", "config", "check", "--clickhouse-protocol", protocol, "--clickhouse-addr", "ch:8123")
		if code != exitOK || !strings.Contains(errOut, want) || want == "" && errOut != "" {
			t.Errorf("protocol %s on port 8123: exit code %d, want 0, says %q, want %q", protocol, code, errOut, want)
		}
	}
}

func TestConfigCheckTellsAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(path, []byte("zone: Mars/Olympus\nlog: {level: loud}\nnonsense: 1\ngateway: {allowed_origins: [shop]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errOut := livemeter(t, "", "config", "check", "--config", path, "--for", "run", "--horizon", "1s")
	if code != exitFail {
		t.Errorf("exit code %d, want 1", code)
	}
	for _, want := range []string{"c.yaml:3: unknown key nonsense", "c.yaml:4: gateway.allowed_origins[0]", "c.yaml:1: zone \"Mars/Olympus\"", "log.level \"loud\"", "horizon 1s", "no pseudonym key"} {
		if !strings.Contains(errOut, want) {
			t.Errorf("missing %q in:\n%s", want, errOut)
		}
	}
	tokens := "gateway: {tokens: [{name: a, secret: 0123456789abcdef}, {name: b, secret: 0123456789abcdef}]}\n"
	if err := os.WriteFile(path, []byte(tokens), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := livemeter(t, "", "config", "check", "--config", path); code != exitFail || !strings.Contains(errOut, "another token has the same secret") {
		t.Errorf("equal secrets: exit code %d\n%s", code, errOut)
	}
}

// TestConfigShowOfAnInvalidConfiguration prints it all the same, says what is wrong, and fails.
func TestConfigShowOfAnInvalidConfiguration(t *testing.T) {
	for horizon, want := range map[string]int{"1000h": exitFail, "700h": exitOK} {
		code, out, errOut := livemeter(t, "", "config", "show", "--horizon", horizon)
		if code != want || !strings.Contains(out, "horizon: "+horizon) || strings.HasPrefix(errOut, "flag --horizon: horizon "+horizon) != (want == exitFail) {
			t.Errorf("--horizon %s: exit code %d, want %d, and the mistake if there is one: %s%s", horizon, code, want, errOut, out)
		}
	}
}

// TestConfigCheckSaysWhatRunWouldMiss: a file for services that need no key is valid without one.
func TestConfigCheckSaysWhatRunWouldMiss(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(strings.Repeat("0f", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	for flags, noted := range map[string]bool{"": true, "--for gateway": false, "--pseudonym-key-file " + key: false} {
		code, out, errOut := livemeter(t, "", append([]string{"config", "check"}, strings.Fields(flags)...)...)
		if code != exitOK || strings.Contains(out, "run and collector refuse to start") != noted {
			t.Errorf("%q: exit code %d, want 0, and a note on the missing key: %v\n%s%s", flags, code, noted, out, errOut)
		}
	}
}

// TestConfigCheckKnockOn: a value that could not be read is told once, and so is one that is out of its bounds.
func TestConfigCheckKnockOn(t *testing.T) {
	for text, want := range map[string][]string{
		"gateway: {tokens: [short]}":               {"gateway.tokens[0]: want {name: shop, secret: …}"},
		"gateway: {addr: 0.0.0.0:1, tokens: hush}": {"gateway.tokens: want name:secret, separated by commas; in a file a list of {name: shop, secret: …}"},
		"flush: {max: -3s}":                        {"flush.max -3s: want"},
		"flush: {max: 100ms}":                      {"flush.max 100ms is shorter than flush.hot 200ms"},
		"{lateness: 1h, horizon: soon}":            {`horizon: "soon": want a duration`},
		"clickhouse: {addr: [[a]], parallel: 0}":   {"clickhouse.addr[0]: want a text", "clickhouse.parallel is empty or 0"},
		"nonsense: 1":                              {"unknown key nonsense, there are kafka, topics, "},
	} {
		path := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, errOut := livemeter(t, "", "config", "check", "--config", path)
		if code != exitFail || strings.Count(errOut, "\n") != len(want) {
			t.Errorf("%s: exit code %d, want 1 and %d mistakes:\n%s", text, code, len(want), errOut)
		}
		for _, w := range want {
			if !strings.Contains(errOut, w) {
				t.Errorf("%s: missing %q in:\n%s", text, w, errOut)
			}
		}
	}
}

// TestConfigCheckEnvironment: a variable that is no key is a mistake, unless Kubernetes is to blame.
func TestConfigCheckEnvironment(t *testing.T) {
	for name, want := range map[string]string{"LIVEMETER_KAFKA_BROKER": "environment LIVEMETER_KAFKA_BROKER: no key is called so; the nearest is LIVEMETER_KAFKA_BROKERS", "LIVEMETER_SERVICE_HOST": ""} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "x:1")
			code, _, errOut := livemeter(t, "", "config", "check")
			if (code == exitFail) != (want != "") || !strings.Contains(errOut, want) {
				t.Errorf("exit code %d, says %q, want %q", code, errOut, want)
			}
		})
	}
}
