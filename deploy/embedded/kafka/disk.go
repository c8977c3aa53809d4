package kafka

import (
	"errors"
	"io/fs"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

const tellDiskEvery = time.Minute

// diskLog finds the errors of the disk among what kfake logs. All that clients hear of them is UNKNOWN_SERVER_ERROR, which kfake lets nobody change.
type diskLog struct {
	tell func(error)
	mu   sync.Mutex
	told time.Time
}

// ofDisk are the errors that say that a disk is full, broken or not to be written.
var ofDisk = []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EROFS}

func (d *diskLog) Logf(_ kfake.LogLevel, _ string, args ...any) {
	for _, a := range args {
		if err, ok := a.(error); ok {
			d.look(err)
		}
	}
}

func (d *diskLog) look(err error) {
	var path *fs.PathError // it names the file
	if d.tell != nil && errors.As(err, &path) && slices.ContainsFunc(ofDisk, func(e error) bool { return errors.Is(path.Err, e) }) && d.due() {
		d.tell(path)
	}
}

func (d *diskLog) due() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.told) < tellDiskEvery {
		return false
	}
	d.told = time.Now()
	return true
}
