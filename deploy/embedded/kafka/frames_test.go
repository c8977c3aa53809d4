package kafka_test

import (
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/deploy/embedded/kafka"
)

// Who speaks something else to the port is hung up on, takes no memory, and is named; Kafka's clients go on.
func TestOtherProtocolsAreHungUpOn(t *testing.T) {
	for name, c := range map[string]struct{ bytes, want string }{
		"HTTP":                {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "that was HTTP"},
		"TLS":                 {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "that was TLS"},
		"a negative length":   {"\xff\xff\xff\xf0", "its length is -16"},
		"an unknown question": {"\x00\x00\x00\x0a\x30\x39\x00\x00\x00\x00\x00\x00\xff\xff", "number 12345"},
	} {
		t.Run(name, func(t *testing.T) {
			told := make(chan error, 100)
			f, err := kafka.StartFakeTelling(kafka.Tell{Stranger: func(err error) { told <- err }}, "", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			const times = 20
			before := allocated()
			for range times {
				hangUp(t, f.Brokers()[0], c.bytes)
			}
			if more := allocated() - before; more > times<<20 {
				t.Errorf("%d MB were allocated for %d connections", more>>20, times)
			}
			if len(told) != 1 {
				t.Fatalf("told %d times, want once", len(told))
			}
			if err := <-told; !strings.Contains(err.Error(), c.want) {
				t.Errorf("told %v, want %q", err, c.want)
			}
			c := client(t, f, kgo.DefaultProduceTopic("orders"))
			if _, err := kadm.NewClient(c).CreateTopic(t.Context(), 1, 1, nil, "orders"); err != nil {
				t.Fatal(err)
			}
			if err := c.ProduceSync(t.Context(), kgo.SliceRecord(make([]byte, 900_000))).FirstErr(); err != nil {
				t.Error(err)
			}
		})
	}
}

// hangUp sends bytes and waits for the end of the connection.
func hangUp(t *testing.T, addr, bytes string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, bytes); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, conn); n > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("%d bytes, then %v; want the end of the connection", n, err)
	}
}

// allocated is what has ever been taken from the heap.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
