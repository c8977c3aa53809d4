package gateway

import (
	"net"
	"sync"
	"sync/atomic"
)

// connections bounds how many connections are open at a time. Beyond it a new one waits in the kernel's queue until another ends, which
// the time-outs of the server make sure of: each connection costs memory and a file descriptor that the rest of the process needs too.
type connections struct {
	net.Listener
	slots chan struct{}
	ended chan struct{}
	once  sync.Once
	open  *atomic.Int64
}

func limitConnections(ln net.Listener, limit int, open *atomic.Int64) *connections {
	return &connections{Listener: ln, slots: make(chan struct{}, limit), ended: make(chan struct{}), open: open}
}

func (c *connections) Accept() (net.Conn, error) {
	select {
	case c.slots <- struct{}{}:
	case <-c.ended:
		return nil, net.ErrClosed
	}
	conn, err := c.Listener.Accept()
	if err != nil {
		<-c.slots
		return nil, err
	}
	c.open.Add(1)
	return &connection{Conn: conn, of: c}, nil
}

// Close also wakes an Accept that waits for room.
func (c *connections) Close() error {
	c.once.Do(func() { close(c.ended) })
	return c.Listener.Close()
}

type connection struct {
	net.Conn
	of   *connections
	once sync.Once
}

func (c *connection) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.of.open.Add(-1)
		<-c.of.slots
	})
	return err
}
