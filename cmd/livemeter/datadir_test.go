package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestADirectoryThatCannotBeWritten is named before anything else is: root, too, writes neither below a file nor in /proc.
func TestADirectoryThatCannotBeWritten(t *testing.T) {
	regular := fileWith(t, "regular", "")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, command := range []string{"up", "demo"} {
		for _, dir := range []string{regular, filepath.Join(regular, "below"), "/proc/self"} {
			code, _, errOut := livemeter(t, "", append([]string{command, "--dir", dir}, append(freePorts, "--gateway-addr", taken.Addr().String())...)...)
			if code != exitFail || !strings.HasPrefix(errOut, "livemeter: data directory (--dir) "+dir+" cannot be written: ") || strings.Contains(errOut, "probe") {
				t.Errorf("%s --dir %s: exit code %d, want 1 and the directory first: %s", command, dir, code, errOut)
			}
		}
		dir := "/proc/livemeter" // one that is not there, and cannot be made
		code, _, errOut := livemeter(t, "", append([]string{command, "--dir", dir}, freePorts...)...)
		if code != exitFail || !strings.Contains(errOut, "data directory (--dir) "+dir+" cannot be written: mkdir ") {
			t.Errorf("%s --dir %s: exit code %d, want 1 and the directory: %s", command, dir, code, errOut)
		}
	}
	if left, err := os.ReadDir(filepath.Dir(regular)); err != nil || len(left) != 1 {
		t.Errorf("beside the file there is now %v, %v", left, err)
	}
}

// TestDemoWithoutATemporaryDirectory says where else its data may go.
func TestDemoWithoutATemporaryDirectory(t *testing.T) {
	t.Setenv("TMPDIR", fileWith(t, "regular", ""))
	code, _, errOut := livemeter(t, "", append([]string{"demo"}, freePorts...)...)
	if code != exitFail || !strings.Contains(errOut, "temporary data directory: ") || !strings.Contains(errOut, "with TMPDIR, or a directory to keep with --dir") {
		t.Errorf("exit code %d, want 1, TMPDIR and --dir: %s", code, errOut)
	}
}
