// Package kafka starts a Kafka for demo, development and tests: franz-go's kfake inside this process, or Apache's broker as its child.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// listen opens the broker's port.
func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("kafka: port %s is in use by another process; stop it, or choose another address with --kafka-addr", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("kafka: listen on %s (--kafka-addr): %w", addr, err)
	}
	return l, nil
}

// reserve checks that addr is free for a child process and gives it with its port: port 0 takes any that is free.
func reserve(addr string) (string, error) {
	l, err := listen(addr)
	if err != nil {
		return "", err
	}
	defer l.Close()
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("kafka: address %q (--kafka-addr): %w", addr, err)
	}
	return net.JoinHostPort(host, strconv.Itoa(l.Addr().(*net.TCPAddr).Port)), nil
}

// advertised is the host that clients are sent to: the one listened on, or an address of this machine if that is all of them. Its name would
// do only where all clients know it.
func advertised(addr string) (string, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("kafka: address %q (--kafka-addr): %w", addr, err)
	}
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return host, nil
	}
	return ownAddress()
}

// ownAddress is an address at which others reach this machine, of version 4 if it has one.
func ownAddress() (string, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return "", fmt.Errorf("kafka: find an address of this machine: %w", err)
	}
	own := "127.0.0.1" // nobody else is there to reach it
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok || !n.IP.IsGlobalUnicast() {
			continue
		}
		if n.IP.To4() != nil {
			return n.IP.String(), nil
		}
		own = n.IP.String()
	}
	return own, nil
}

// lockWait is how long a start waits for a process that was killed, or is ending, to let go of the directory. Apache's broker outlives the
// process that started it by some seconds.
const (
	lockWait       = 2 * time.Second
	apacheLockWait = 10 * time.Second
)

// lockDir makes the data directory and takes it for the file's holders: this process, and a child that inherits the file.
func lockDir(ctx context.Context, dir string, wait time.Duration) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("kafka: data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "livemeter.lock"), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("kafka: data directory: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		select {
		case <-ctx.Done():
			err := fmt.Errorf("kafka: data directory %s is in use by %s; stop it or choose another directory (--dir)", dir, holder(f))
			return nil, errors.Join(err, f.Close())
		case <-retry.C:
		}
	}
	if err := sign(f); err != nil {
		return nil, errors.Join(fmt.Errorf("kafka: data directory: %w", err), f.Close())
	}
	return f, nil
}

// sign leaves the number of this process in its lock, for others to name.
func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	return err
}

// holder is who signed a lock.
func holder(f *os.File) string {
	text := make([]byte, 20)
	n, _ := f.ReadAt(text, 0)
	if pid, err := strconv.Atoi(string(text[:n])); err == nil {
		return fmt.Sprintf("process %d", pid)
	}
	return "another process"
}
