package testengine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// scratch makes a directory for an engine that ends with this process. Those of test processes that are gone are removed: a process that is
// killed can't do so itself.
func scratch(name string) (string, error) {
	root := filepath.Join(os.TempDir(), "livemeter-testengine-"+strconv.Itoa(os.Getuid()))
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", fmt.Errorf("testengine: %w", err)
	}
	old, err := os.ReadDir(root)
	if err != nil {
		return "", fmt.Errorf("testengine: %w", err)
	}
	for _, entry := range old {
		pid, _, _ := strings.Cut(entry.Name(), "-")
		if n, err := strconv.Atoi(pid); err == nil && n != os.Getpid() && errors.Is(unix.Kill(n, 0), unix.ESRCH) {
			_ = os.RemoveAll(filepath.Join(root, entry.Name())) // another test process may be removing it too
		}
	}
	dir, err := os.MkdirTemp(root, fmt.Sprintf("%d-%s-", os.Getpid(), name))
	if err != nil {
		return "", fmt.Errorf("testengine: %w", err)
	}
	return dir, nil
}
