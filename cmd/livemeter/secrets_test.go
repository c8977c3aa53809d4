package main

import (
	"strings"
	"testing"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
)

// TestSecretsHaveNoFlag: a command line shows in the process list, in shell histories and in /debug/pprof/cmdline.
func TestSecretsHaveNoFlag(t *testing.T) {
	secrets := 0
	for _, k := range config.Keys() {
		if !k.Secret {
			continue
		}
		secrets++
		for _, command := range []string{"run", "up", "collector", "gateway"} {
			code, out, errOut := livemeter(t, "", command, "--"+k.Flag(), "hush-hush-hush-hush")
			if code == exitOK || !strings.Contains(errOut, "unknown flag --"+k.Flag()) || strings.Contains(out+errOut, "hush-hush") {
				t.Errorf("%s --%s: exit code %d\n%s%s", command, k.Flag(), code, out, errOut)
			}
		}
	}
	if secrets < 4 {
		t.Errorf("only %d secrets are known: pseudonym key, two passwords and the gateway's tokens are such", secrets)
	}
}

// TestServicesMakeNoKey: a collector that made itself a key would split every viewer in two.
func TestServicesMakeNoKey(t *testing.T) {
	for _, command := range []string{"run", "collector"} {
		code, _, errOut := livemeter(t, "", command, "--admin-addr", "127.0.0.1:0", "--kafka-brokers", "127.0.0.1:1")
		if code == exitOK || !strings.Contains(errOut, "no pseudonym key") {
			t.Errorf("%s without a key: exit code %d\n%s", command, code, errOut)
		}
	}
}

// TestConfigShowsNoSecret, neither as it took effect nor in its mistakes.
func TestConfigShowsNoSecret(t *testing.T) {
	const secret = "hush0123456789abcdef"
	for name, env := range map[string]string{"LIVEMETER_PSEUDONYM_KEY": secret, "LIVEMETER_KAFKA_SASL_PASSWORD": secret, "LIVEMETER_CLICKHOUSE_PASSWORD": secret,
		"LIVEMETER_GATEWAY_TOKENS": "sdk:" + secret} {
		t.Setenv(name, env)
	}
	for _, args := range [][]string{{"config", "show"}, {"config", "check", "--for", "run"}, {"run", "--admin-addr", "127.0.0.1:0"}} {
		code, out, errOut := livemeter(t, "", args...)
		if strings.Contains(out+errOut, secret) {
			t.Errorf("%v, exit code %d, shows a secret:\n%s%s", args, code, out, errOut)
		}
		if args[1] != "show" && code == exitOK {
			t.Errorf("%v accepts a key that is none", args)
		}
	}
	t.Setenv("LIVEMETER_GATEWAY_TOKENS", secret) // forgot the name
	if code, out, errOut := livemeter(t, "", "config", "check"); code == exitOK || strings.Contains(out+errOut, secret) {
		t.Errorf("exit code %d\n%s%s", code, out, errOut)
	}
}
