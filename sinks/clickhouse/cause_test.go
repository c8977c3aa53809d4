package clickhouse

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
)

// Of the driver's errors the cause is left, and what it was made of can still be asked for.
func TestCause(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	post := func(err error) error {
		return fmt.Errorf("failed to query server hello: %w", fmt.Errorf("failed to query server hello info: %w", fmt.Errorf("sendQuery: %w",
			&url.Error{Op: "Post", URL: "http://ch:8123?query=INSERT+INTO+db.room_rows", Err: err})))
	}
	exception := &ch.Exception{Code: 252, Message: "Too many parts"}
	for _, c := range []struct {
		err, is error
		want    string
	}{
		{post(refused), syscall.ECONNREFUSED, "dial tcp: connection refused"},
		{post(io.EOF), io.EOF, "the connection was closed before the answer"},
		{post(errors.New("tls: first record")), nil, "tls: first record"},
		{post(ch.ErrAcquireConnTimeout), ch.ErrAcquireConnTimeout, "no connection within 5s (clickhouse.dial_timeout)"},
		{fmt.Errorf("failed to query server hello: %w", &ch.HTTPError{StatusCode: 500, Err: exception}), exception, "[HTTP 500] " + exception.Error()},
		{errors.New("failed to query server hello: failed to query server hello info: readData: what is this"), nil, "readData: what is this"},
		{errors.New("other"), nil, "other"},
	} {
		got := cause(c.err, 5*time.Second)
		if got.Error() != c.want || c.is != nil && !errors.Is(got, c.is) {
			t.Errorf("%v became %v, want %s", c.err, got, c.want)
		}
		if again := cause(fmt.Errorf("more: %w", got), time.Second); !strings.HasSuffix(again.Error(), c.want) {
			t.Errorf("taken again: %v", again)
		}
	}
}
