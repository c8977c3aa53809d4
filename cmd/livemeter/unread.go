package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// readers are who read what demo and up print: `demo | head` must not end before its directory is removed, so that a closed pipe ends it in order,
// and a terminal that was closed, too.
type readers struct {
	broken chan os.Signal
	gone   context.CancelFunc
	why    atomic.Pointer[error]
}

// whileRead is ctx until a write finds that nobody reads. Until stop is called such a write does not end the process at once.
func whileRead(ctx context.Context) (_ context.Context, r *readers, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	r = &readers{broken: make(chan os.Signal, 1), gone: cancel}
	signal.Notify(r.broken, syscall.SIGPIPE) // nobody looks: the write's error says which file it was
	return ctx, r, func() { signal.Stop(r.broken); cancel() }
}

// of is w under the eyes of r.
func (r *readers) of(w io.Writer) io.Writer { return readBy{w, r} }

// err is why nobody reads any more, nil while somebody does.
func (r *readers) err() error {
	if why := r.why.Load(); why != nil {
		return fmt.Errorf("%w: %w", errUnread, *why)
	}
	return nil
}

var errUnread = errors.New("nobody reads what is printed")

type readBy struct {
	io.Writer
	r *readers
}

func (w readBy) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.EIO) { // a terminal that was closed answers EIO
		w.r.why.CompareAndSwap(nil, &err)
		w.r.gone()
	}
	return n, err
}
