package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/livemeter/livemeter/pipeline/event"
)

// listening runs the gateway with its own listener and time-outs, until the test ends.
func listening(t *testing.T, change func(*Config)) (b *bench, addr string) {
	t.Helper()
	b = newBench(t, change)
	ln, err := b.srv.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- b.srv.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ran; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return b, ln.String()
}

// dial opens a connection and sends text as it stands.
func dial(t *testing.T, addr, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

// status of the answer on a connection; "" where it was closed without one.
func status(c net.Conn) string {
	line, _ := bufio.NewReader(c).ReadString('\n')
	_, status, _ := strings.Cut(strings.TrimSpace(line), " ")
	return status
}

func postOf(body string, headers ...string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n%s", eventsPath, strings.Join(append(headers, ""), "\r\n"), body)
}

// Slow senders are cut off by time, and nobody else waits for them.
func TestSlowSendersAreCutOff(t *testing.T) {
	b, addr := listening(t, func(c *Config) { c.ReadTimeout = 300 * time.Millisecond })
	var slow []net.Conn
	for range 20 {
		slow = append(slow, dial(t, addr, "POST "+eventsPath+" HTTP/1.1\r\nHost: x\r\nX-Slow: "))
		slow = append(slow, dial(t, addr, postOf("[", "Content-Type: application/json", "Content-Length: 400000")))
	}
	fine := dial(t, addr, postOf("[]", "Content-Type: application/json", "Content-Length: 2"))
	if got := status(fine); got != "200 OK" {
		t.Errorf("a sender beside slow ones got %q", got)
	}
	for i, c := range slow {
		want := "" // no headers, no answer
		if i%2 == 1 {
			want = "408 Request Timeout"
		}
		if got := status(c); got != want && !strings.HasPrefix(got, "4") {
			t.Errorf("slow sender %d got %q, want %q", i, got, want)
		}
	}
	if n := b.metric("livemeter_gateway_requests_total", "code=408"); n != 20 {
		t.Errorf("%v requests answered 408, want 20", n)
	}
	if held := b.srv.budget.used.Load(); held != 0 {
		t.Errorf("%d bytes of the budget were never given back", held)
	}
}

// Who sends all of a body before reading gets the answer that it is refused, not a broken connection.
func TestRefusalReachesWhoIsStillSending(t *testing.T) {
	_, addr := listening(t, nil)
	body := strings.Repeat(" ", 1<<20)
	length := fmt.Sprint("Content-Length: ", len(body))
	send := func(text string) string {
		t.Helper()
		c := dial(t, addr, "")
		c.(*net.TCPConn).SetWriteBuffer(16 << 10) // else the kernel takes all of it
		if _, err := io.WriteString(c, text); err != nil {
			t.Errorf("still sending: %v", err)
		}
		return status(c)
	}
	for want, headers := range map[string][]string{
		"413 Request Entity Too Large": {"Content-Type: application/json", length},
		"415 Unsupported Media Type":   {"Content-Type: image/png", length},
	} {
		if got := send(postOf(body, headers...)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	if got := send(postOf(chunked, "Content-Type: application/json", "Transfer-Encoding: chunked")); got != "413 Request Entity Too Large" {
		t.Errorf("chunked: %q", got)
	}
	waits := dial(t, addr, postOf("", "Content-Type: application/json", length, "Expect: 100-continue"))
	if got := status(waits); got != "413 Request Entity Too Large" {
		t.Errorf("who waits to be told to go on gets %q", got)
	}
}

// Connections are bounded: above the limit they wait, and are served when others end.
func TestConnectionsAreBounded(t *testing.T) {
	b, addr := listening(t, func(c *Config) { c.MaxConnections = 3 })
	get := postOf("[]", "Content-Type: application/json", "Content-Length: 2")
	var held []net.Conn
	for i := range 3 {
		c := dial(t, addr, get)
		if got := status(c); got != "200 OK" {
			t.Fatalf("connection %d: %q", i, got)
		}
		held = append(held, c)
	}
	late := dial(t, addr, get)
	answered := make(chan string, 1)
	go func() { answered <- status(late) }()
	if n := b.metric("livemeter_gateway_connections"); n != 3 {
		t.Errorf("%v connections are open, want 3", n)
	}
	if n := b.metric("livemeter_gateway_connections_limit"); n != 3 {
		t.Errorf("the metric says the limit is %v", n)
	}
	select {
	case got := <-answered:
		t.Fatalf("a fourth connection was answered %q while three were open", got)
	case <-time.After(100 * time.Millisecond): // nothing to wait for: it is what must not happen
	}
	held[0].Close()
	if got := <-answered; got != "200 OK" {
		t.Errorf("after one had ended the fourth got %q", got)
	}
}

// A gateway that is full of connections still ends when it is told to.
func TestStopWithAllConnectionsTaken(t *testing.T) {
	_, addr := listening(t, func(c *Config) { c.MaxConnections = 1 })
	if got := status(dial(t, addr, postOf("[]", "Content-Type: application/json", "Content-Length: 2"))); got != "200 OK" {
		t.Error(got)
	}
}

// What is no decent request ends at the server's door, with nothing stored and no header of the sender's making in the answer.
func TestMalformedRequests(t *testing.T) {
	b, addr := listening(t, nil)
	event := array(viewer("e1"))
	length := fmt.Sprintf("Content-Length: %d", len(event))
	for name, c := range map[string]struct{ send, want string }{
		"huge header":        {postOf(event, "Content-Type: application/json", "X-Big: "+strings.Repeat("x", 64<<10), length), "431"},
		"many headers":       {postOf(event, strings.Repeat("X-A: b\r\n", 5000)+"Content-Type: application/json", length), "431"},
		"two lengths":        {postOf(event, "Content-Type: application/json", "Content-Length: 1", length), "400"},
		"length and chunked": {postOf("0\r\n\r\n", "Content-Type: application/json", "Transfer-Encoding: chunked, identity", length), "501"},
		"negative length":    {postOf(event, "Content-Type: application/json", "Content-Length: -5"), "400"},
		"NUL in a header":    {postOf(event, "Content-Type: application/json", "X-A: a\x00b", length), "400"},
		"bare CR in a name":  {postOf(event, "Content-Type: application/json", "X\rSet-Cookie: a", length), "400"},
		"no host":            {"POST " + eventsPath + " HTTP/1.1\r\n\r\n", "400"},
		"not HTTP":           {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "400"},
		"path of control":    {"GET /%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"},
		"encoding of it":     {postOf("", "Content-Type: application/json", "Content-Encoding: a%0d%0aSet-Cookie: b", "Content-Length: 0"), "415"},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, addr, c.send)
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if !strings.HasPrefix(resp.Status, c.want) {
				t.Errorf("status %q, want %s", resp.Status, c.want)
			}
			if resp.Header.Get("Set-Cookie") != "" {
				t.Error("the sender has put a header into the answer")
			}
		})
	}
	b.records(0)
}

// poison makes the decoder panic over an event of this id.
func (b *bench) poison() {
	b.srv.judges.New = func() any {
		return &judge{dec: event.NewDecoder(), fault: func(raw []byte) {
			if strings.Contains(string(raw), `"poison"`) {
				panic("poison")
			}
		}}
	}
}

// An event over which the decoder panics is rejected alone.
func TestPanicOfTheDecoderIsOneEvents(t *testing.T) {
	b := newBench(t, nil)
	b.poison()
	var answer Answer
	body := "[" + withFields("a", `"type":"viewer","action":"heartbeat"`) + "," + withFields("poison", `"type":"viewer","action":"heartbeat"`) + "," + withFields("b", `"type":"viewer","action":"heartbeat"`) + "]"
	if err := json.Unmarshal([]byte(text(b.post(body, http.StatusOK))), &answer); err != nil || answer.Accepted != 2 || answer.Results[1].Reason != "internal" {
		t.Errorf("%+v, %v", answer, err)
	}
	b.records(2)
}
