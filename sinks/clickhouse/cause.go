package clickhouse

import (
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
)

// NoAnswerError is of the way to the server, not the server's. Its text is the cause alone: the driver's has its own steps, the URL and the whole statement before it.
type NoAnswerError struct {
	Cause string
	Err   error
}

func (e *NoAnswerError) Error() string { return e.Cause }
func (e *NoAnswerError) Unwrap() error { return e.Err }

// driverSteps are what the driver says of itself before the cause.
var driverSteps = strings.NewReplacer("failed to query server hello: ", "", "failed to query server hello info: ", "", "sendQuery: ", "", "batch sendStreamQuery: ", "")

// cause is an error of the driver reduced to what tells something.
func cause(err error, dial time.Duration) error {
	var (
		exception *ch.Exception
		answer    *ch.HTTPError
		network   *net.OpError
		request   *url.Error
		already   *NoAnswerError
	)
	switch {
	case err == nil || errors.As(err, &already):
		return err
	case errors.As(err, &exception):
		if errors.As(err, &answer) {
			return answer
		}
		return err
	case errors.Is(err, ch.ErrAcquireConnTimeout): // it advises more connections, which is not what is wrong
		return &NoAnswerError{"no connection within " + dial.String() + " (clickhouse.dial_timeout)", err}
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return &NoAnswerError{"the connection was closed before the answer", err}
	case errors.As(err, &network):
		return &NoAnswerError{network.Error(), err}
	case errors.As(err, &request):
		return &NoAnswerError{request.Err.Error(), err}
	}
	if text := err.Error(); driverSteps.Replace(text) != text {
		return &NoAnswerError{driverSteps.Replace(text), err}
	}
	return err
}

func (s *Sink) cause(err error) error { return cause(err, s.cfg.DialTimeout) }
