package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemoSaysWhatBecomesOfItsData: kept or thrown away, and how to keep it.
func TestDemoSaysWhatBecomesOfItsData(t *testing.T) {
	for remove, want := range map[bool]string{true: "thrown away; --dir DIR keeps it", false: "kept in "} {
		dir := filepath.Join(t.TempDir(), "data")
		if err := os.Mkdir(dir, 0o750); err != nil {
			t.Fatal(err)
		}
		said := ""
		err := leave(dir, remove, func(s string) { said += s })
		if _, gone := os.Stat(dir); err != nil || !strings.Contains(said, want) || (gone != nil) != remove {
			t.Errorf("remove %v: %v, says %q, want %q; the directory: %v", remove, err, said, want, gone)
		}
	}
}
