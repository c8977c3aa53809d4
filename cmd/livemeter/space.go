package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// minSpace is what has to be free where engines are started, in bytes; a variable for tests. ClickHouse reserves 1 MiB for a part; and where there is no room
// at all it acknowledges definitions of tables that it then cannot read: its directory would never start again.
var minSpace uint64 = 16 << 20

// noSpace says that there is no room in a data directory, "" where there is. Some file systems do not say how large they are.
func noSpace(dir string) string {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err == nil && disk.Blocks > 0 && disk.Bavail*uint64(disk.Bsize) < minSpace || full(dir) {
		return fmt.Sprintf("less than %d MiB of space is left for %s (--dir)", minSpace>>20, dir)
	}
	return ""
}

// full says whether not even a small file fits into dir: there are quotas, too.
func full(dir string) bool {
	f, err := os.CreateTemp(dir, "probe-*")
	if err == nil {
		_, err = f.Write(make([]byte, 64<<10))
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
