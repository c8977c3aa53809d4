package chdb

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Engine is ClickHouse on one data directory.
type Engine struct {
	lib  *library
	dir  string
	lock *os.File
	args []string

	// keeper is never lent out: the engine stops with its last connection, and must start only once in a process.
	keeper *Conn

	mu     sync.Mutex
	idle   []*Conn
	closed bool
	open   sync.WaitGroup // connections lent out, or opened by Connect
}

var running struct {
	sync.Mutex
	engine *Engine
}

// arguments make the library behave as a server does.
var arguments = []string{
	"--implicit_select=0", // a mistyped SELECT is an error, not an expression
}

// Open starts the engine of the library at lib on the data directory dir, which is made if it is missing. Server settings may follow,
// as --name=value. A process can do so once: the engine does not stand being started again.
func Open(lib, dir string, settings ...string) (*Engine, error) {
	running.Lock()
	defer running.Unlock()
	if running.engine != nil {
		return nil, fmt.Errorf("chdb: this process has its engine already, on %s; %s needs a process of its own", running.engine.dir, dir)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("chdb: data directory: %w", err)
	}
	library, err := load(lib)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	e := &Engine{lib: library, dir: dir, lock: lock, args: slices.Concat([]string{"clickhouse", "--path=" + dir}, arguments, settings)}
	if e.keeper, err = e.connect(); err != nil {
		lock.Close()
		return nil, fmt.Errorf("chdb: start ClickHouse on %s: %w", dir, err)
	}
	running.engine = e
	return e, nil
}

// lockDir keeps a second process off the directory: the engine itself would only print that it can't start. The lock goes with the process.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("chdb: data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "livemeter.lock"), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("chdb: data directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("chdb: data directory %s is in use by another process; stop it or choose another directory (--dir)", dir)
	}
	return f, nil
}

// Connect opens a connection of its own, outside the pool. The caller closes it; the engine waits for that when it is closed.
func (e *Engine) Connect() (*Conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	c, err := e.connect()
	if err != nil {
		return nil, err
	}
	e.open.Add(1)
	c.closed = e.open.Done
	return c, nil
}

func (e *Engine) connect() (*Conn, error) {
	argv := make([][]byte, len(e.args))
	pointers := make([]pointer, len(e.args))
	for i, arg := range e.args {
		argv[i] = append([]byte(arg), 0)
		pointers[i] = unsafe.Pointer(&argv[i][0])
	}
	address := e.lib.connect(int32(len(e.args)), unsafe.Pointer(&pointers[0]))
	if address == nil || *(*pointer)(address) == nil {
		return nil, fmt.Errorf("chdb: no connection to the engine on %s (its message is on standard error)", e.dir)
	}
	return &Conn{engine: e, address: address, handle: *(*pointer)(address)}, nil
}

// Close closes a connection that Connect opened.
func (c *Conn) Close() {
	if c.address == nil {
		return
	}
	c.engine.lib.closeConn(c.address)
	c.address, c.handle = nil, nil
	if c.closed != nil {
		c.closed()
	}
}

// closeWait bounds how long Close waits for statements that run.
const closeWait = 5 * time.Second

// Close waits for the connections that are lent out and stops the engine. Another can't be opened in this process.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	idle := e.idle
	e.idle = nil
	e.mu.Unlock()
	for _, c := range idle {
		c.Close()
	}
	ended := make(chan struct{})
	go func() {
		e.open.Wait()
		close(ended)
	}()
	timer := time.NewTimer(closeWait)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
		return fmt.Errorf("chdb: statements on %s still run after %s; they end with the process", e.dir, closeWait)
	}
	e.keeper.Close()
	return e.lock.Close()
}

// Dir is the data directory.
func (e *Engine) Dir() string { return e.dir }
