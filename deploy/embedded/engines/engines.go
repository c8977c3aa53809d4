// Package engines fetches the engines that livemeter can run itself, ClickHouse as a library and Apache Kafka's jars, and keeps them in a
// cache outside the source tree. What is fetched is pinned by version and checksum.
package engines

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Dir is the cache: $LIVEMETER_ENGINES, or livemeter/engines in the user's cache directory.
func Dir() (string, error) {
	if dir := os.Getenv("LIVEMETER_ENGINES"); dir != "" {
		return filepath.Abs(dir)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("engines: no cache directory, set LIVEMETER_ENGINES: %w", err)
	}
	return filepath.Join(cache, "livemeter", "engines"), nil
}

// slow is how long a step may take before it is told.
const slow = 2 * time.Second

// again is when it is told again: who sees nothing for longer thinks that it hangs.
const again = 3 * time.Second

// reporter tells of steps that take long, and only of those. What it is told says what is being done: "fetching …".
type reporter func(string)

func (r reporter) during(message string, do func() error) error {
	if r == nil {
		return do()
	}
	began, done, told := time.Now(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(told)
		next := time.NewTimer(slow)
		defer next.Stop()
		for first := true; ; first = false {
			select {
			case <-done:
				return
			case <-next.C:
			}
			text := message
			if !first {
				text = fmt.Sprintf("still %s, for %.0f s", message, time.Since(began).Seconds())
			}
			r(text)
			next.Reset(again)
		}
	}()
	defer func() {
		close(done)
		<-told
	}()
	return do()
}

// ensure makes the directory name in the cache by fetch, once, whoever else wants it at the same time. fetch fills a directory that takes the
// name only when it is complete.
func ensure(ctx context.Context, name string, report reporter, fetch func(context.Context, string) error) (string, error) {
	cache, err := Dir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, name)
	if exists(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("engines: make the cache (LIVEMETER_ENGINES sets another place): %w", err)
	}
	var unlock func()
	err = report.during("waiting for another process that fetches "+name, func() (err error) {
		unlock, err = lock(ctx, filepath.Join(cache, name+".lock"))
		return err
	})
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(dir) {
		return dir, nil
	}
	work := filepath.Join(cache, name+".part")
	if err := os.RemoveAll(work); err != nil { // what a killed process left
		return "", fmt.Errorf("engines: %w", err)
	}
	if err := os.MkdirAll(work, 0o755); err != nil {
		return "", fmt.Errorf("engines: %w", err)
	}
	if err := fetch(ctx, work); err != nil {
		return "", errors.Join(err, os.RemoveAll(work))
	}
	if err := os.Rename(work, dir); err != nil {
		return "", fmt.Errorf("engines: %w", err)
	}
	return dir, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// lock takes the lock file for this process. It goes with the process, so a killed one leaves none behind.
func lock(ctx context.Context, path string) (func(), error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("engines: %w", err)
	}
	retry := time.NewTicker(100 * time.Millisecond)
	defer retry.Stop()
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			f.Close()
			return nil, fmt.Errorf("engines: lock %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("engines: waiting for another process that holds %s: %w", path, ctx.Err())
		case <-retry.C:
		}
	}
}
