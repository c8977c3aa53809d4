package kafka

import (
	"errors"
	"io/fs"
	"slices"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
)

// diskLog finds the errors of the disk among what kfake logs. All that clients hear of them is UNKNOWN_SERVER_ERROR, and it must stay an error that they
// do not try again: kfake notes the sequence number of a batch before it writes it, so that the same batch, sent again by a client with idempotence,
// would be acknowledged as one that is there, and be lost.
type diskLog struct{ tell func(error) }

// ofDisk are the errors that say that a disk is full, broken or not to be written, whatever was asked for. Where that was to write, every error of the
// system says so: a file that may not grow further (EFBIG) is one that cannot be written, too.
var ofDisk = []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EROFS}

func (d *diskLog) Logf(_ kfake.LogLevel, _ string, args ...any) {
	for _, a := range args {
		if err, ok := a.(error); ok {
			d.look(err)
		}
	}
}

func (d *diskLog) look(err error) {
	var path *fs.PathError // it names the file
	var system syscall.Errno
	if d.tell != nil && errors.As(err, &path) && errors.As(path.Err, &system) && (path.Op == "write" || slices.Contains(ofDisk, system)) {
		d.tell(path)
	}
}
