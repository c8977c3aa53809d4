package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUpNamesTheFullDisk: where the embedded Kafka finds no room, the terminal and the log say so, with the file, the terminal what to do, and both
// when records are taken again.
func TestUpNamesTheFullDisk(t *testing.T) {
	dir := t.TempDir()
	err := os.WriteFile(filepath.Join(dir, "pseudonym.key"), []byte(strings.Repeat("0f", 32)), 0o600)
	for partition := range 64 { // their first segments are a device that is always full
		at := filepath.Join(dir, "kafka-embedded", "data", "partitions", fmt.Sprintf("raw.viewer-%d", partition))
		err = errors.Join(err, os.MkdirAll(at, 0o750), os.Symlink("/dev/full", filepath.Join(at, "0.dat")))
	}
	if err != nil {
		t.Fatal(err)
	}
	r := startUp(t, dir)
	defer r.end(t)
	res, err := http.Post("http://"+r.address(t, "Gateway")+"/v1/events", "application/x-ndjson", strings.NewReader(enter))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	log := readFile(t, filepath.Join(dir, "livemeter.log"))
	for name, text := range map[string]string{"the terminal": r.err.String(), "the log": log} {
		if n := strings.Count(text, "Kafka cannot write to its disk"); n != 1 || !strings.Contains(text, "raw.viewer-") || !strings.Contains(text, "no space left on device") {
			t.Errorf("gateway answered %s; %s names it %d times, want once with file and reason:\n%s", res.Status, name, n, text)
		}
	}
	if want := "make room on the disk of " + dir + ": it then goes on by itself"; !strings.Contains(r.err.String(), want) {
		t.Errorf("no %q in %s", want, r.err.String())
	}
	for partition := range 64 {
		if err := os.Remove(filepath.Join(dir, "kafka-embedded", "data", "partitions", fmt.Sprintf("raw.viewer-%d", partition), "0.dat")); err != nil {
			t.Fatal(err)
		}
	}
	r.enters(t, 1)
	eventually(t, "up says that it is over", func() error {
		log := readFile(t, filepath.Join(dir, "livemeter.log"))
		if want := "Kafka takes records again, after "; !strings.Contains(r.err.String(), want) || !strings.Contains(log, want) {
			return fmt.Errorf("so far %s\n%s", r.err.String(), log)
		}
		return nil
	})
}
