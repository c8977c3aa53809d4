package stack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A directory belongs to the kind of Kafka that it was begun with, unless both have been there before.
func TestAnotherKafkaForADirectory(t *testing.T) {
	dir := t.TempDir()
	begin := func(name string) {
		if err := os.Mkdir(filepath.Join(dir, kafkaDirs[name]), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	if err := checkKafka(dir, "apache"); err != nil {
		t.Errorf("an empty directory: %v", err)
	}
	begin("embedded")
	if err := checkKafka(dir, "embedded"); err != nil {
		t.Error(err)
	}
	if err := checkKafka(dir, "apache"); err == nil || !strings.Contains(err.Error(), "--kafka embedded") || !strings.Contains(err.Error(), "--dir") {
		t.Errorf("another Kafka: %v", err)
	}
	begin("apache")
	if err := checkKafka(dir, "apache"); err != nil {
		t.Errorf("both are there: %v", err)
	}
}
