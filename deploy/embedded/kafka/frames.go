package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxFrame is the longest request that is taken, as Apache's socket.request.max.bytes.
const maxFrame = 100 << 20

// tellStrangerEvery is the time for which one word about strangers will do: a health check comes every few seconds.
const tellStrangerEvery = time.Minute

// frameListener hands out connections that speak Kafka, as far as the beginning of each request tells. kfake believes every length and makes room
// for it: the letters of "GET " are 1.2 GB.
type frameListener struct {
	net.Listener
	ready chan struct{} // closed when the broker may serve
	tell  func(error)
	mu    sync.Mutex
	told  time.Time
}

func (l *frameListener) Accept() (net.Conn, error) {
	<-l.ready
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &frameConn{Conn: conn, stranger: l.stranger}, nil
}

func (l *frameListener) stranger(err error) {
	if l.tell == nil || !l.due() {
		return
	}
	l.tell(err)
}

func (l *frameListener) due() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.told.IsZero() && time.Since(l.told) < tellStrangerEvery {
		return false
	}
	l.told = time.Now()
	return true
}

// frameConn looks at the bytes that pass to the reader, which are copied nowhere. It ends the connection before a beginning is passed on that Kafka
// does not know.
type frameConn struct {
	net.Conn
	stranger func(error)
	head     [6]byte // of the request that is being read: its length, and what it asks
	have     int     // bytes of head
	left     int     // bytes of the request behind head
}

var errNotKafka = errors.New("kafka: no request of Kafka's")

func (c *frameConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if wrong := c.look(p[:n]); wrong != nil {
		c.stranger(fmt.Errorf("%w, from %s", wrong, c.RemoteAddr()))
		c.Close()
		return 0, errNotKafka
	}
	return n, err
}

// look follows the requests in what was read.
func (c *frameConn) look(p []byte) error {
	for len(p) > 0 {
		if c.left > 0 {
			n := min(c.left, len(p))
			c.left, p = c.left-n, p[n:]
			continue
		}
		n := copy(c.head[c.have:], p)
		c.have, p = c.have+n, p[n:]
		if err := c.begin(); err != nil {
			return err
		}
	}
	return nil
}

// begin judges the beginning of a request as far as it is there: the length at once, since room is made for it before more is read.
func (c *frameConn) begin() error {
	if c.have < 4 {
		return nil
	}
	length := int32(binary.BigEndian.Uint32(c.head[:]))
	if length < 2 || length > maxFrame {
		return notKafka(c.head[:4])
	}
	if c.have < len(c.head) {
		return nil
	}
	// kfake takes a question that it does not know for one of its own mistakes, and panics.
	if key := int16(binary.BigEndian.Uint16(c.head[4:])); kmsg.RequestForKey(key) == nil {
		return fmt.Errorf("a request was refused on the Kafka port that Kafka has not: number %d", key)
	}
	c.have, c.left = 0, int(length)-2
	return nil
}

// notKafka says what began with these bytes instead of a length.
func notKafka(head []byte) error {
	for _, method := range []string{"GET ", "HEAD", "POST", "PUT ", "DELE", "OPTI", "PATC", "CONN", "TRAC", "PRI "} {
		if string(head) == method {
			return errors.New("that was HTTP on the Kafka port: the gateway has one of its own")
		}
	}
	if bytes.HasPrefix(head, []byte{0x16, 3}) {
		return errors.New("that was TLS on the Kafka port, which has none")
	}
	return fmt.Errorf("a request was refused on the Kafka port: its length is %d", int32(binary.BigEndian.Uint32(head)))
}
