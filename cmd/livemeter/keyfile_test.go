package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func fileWith(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestANamedKeyIsToldOnce: who named a file is not told to make a key, and what follows from another mistake is not told.
func TestANamedKeyIsToldOnce(t *testing.T) {
	key, missing, empty := fileWith(t, "key", strings.Repeat("0f", 32)), filepath.Join(t.TempDir(), "nokey"), fileWith(t, "empty", "\n")
	inline, sasl := fileWith(t, "c.yaml", "pseudonym_key: short\n"), fileWith(t, "c.yaml", "kafka: {sasl: {mechanism: plain, user: u}}\n")
	for _, c := range []struct{ flags, want string }{
		{"--pseudonym-key-file " + missing, "flag --pseudonym-key-file: pseudonym_key_file: open " + missing},
		{"--pseudonym-key-file " + empty, "pseudonym_key_file: " + empty + " is empty: restore it"},
		{"--config " + inline + " --pseudonym-key-file " + key, inline + ":1: pseudonym_key and pseudonym_key_file are both given: keep one"},
		{"--config " + inline, inline + ":1: pseudonym_key: want 32 or 64 hexadecimal digits, have 5 characters"},
		{"--config " + sasl + " --pseudonym-key-file " + key + " --kafka-sasl-password-file " + missing, "kafka.sasl.password_file: open " + missing},
		{"--config " + sasl + " --pseudonym-key-file " + key, "kafka.sasl.password is empty: mechanism plain wants one"},
	} {
		for _, command := range []string{"config check --for run", "run"} {
			code, _, errOut := livemeter(t, "", strings.Fields(command+" "+c.flags)...)
			if code != exitFail || !strings.Contains(errOut, c.want) || strings.Count(errOut, "\n") != 1 {
				t.Errorf("%s %s: exit code %d, want 1 and one line with %q:\n%s", command, c.flags, code, c.want, errOut)
			}
		}
	}
}

// TestUpNamesAnEmptyKey: a key file that lost its bytes is to be restored, not made anew.
func TestUpNamesAnEmptyKey(t *testing.T) {
	key := fileWith(t, "pseudonym.key", "")
	code, _, errOut := livemeter(t, "", append([]string{"up", "--dir", filepath.Dir(key)}, freePorts...)...)
	if code != exitFail || !strings.Contains(errOut, key+" is empty: restore it from a backup") || strings.Contains(errOut, "make one") {
		t.Errorf("exit code %d, want 1 and the file to restore: %s", code, errOut)
	}
}
