package kafka_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sys/unix"

	"github.com/livemeter/livemeter/deploy/embedded/kafka"
)

// Records that the disk has no room for are refused, and somebody hears why, with the file. The refusal is one that clients do not answer by sending
// the same batch again: kfake would acknowledge it as a duplicate. Once there is room the broker goes on, and has what it acknowledged.
func TestAFullDiskIsTold(t *testing.T) {
	dir := t.TempDir()
	f, told := fakeThatTells(t, dir)
	c := client(t, f, kgo.DefaultProduceTopic("orders"), kgo.RecordRetries(0))
	if _, err := kadm.NewClient(c).CreateTopic(t.Context(), 1, 1, nil, "orders"); err != nil {
		t.Fatal(err)
	}
	// The first segment of the partition is a device that is always full.
	segment := filepath.Join(dir, "data", "partitions", "orders-0", "0.dat")
	if err := errors.Join(os.MkdirAll(filepath.Dir(segment), 0o750), os.Symlink("/dev/full", segment)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := c.ProduceSync(t.Context(), kgo.StringRecord("x")).FirstErr(); err == nil || kerr.IsRetriable(err) {
			t.Fatalf("a record that cannot be kept: %v", err)
		}
	}
	if len(told) != 3 {
		t.Fatalf("told %d times, want each time", len(told))
	}
	var path *fs.PathError
	if err := <-told; !errors.As(err, &path) || path.Path != segment || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("told %v, want no space and %s", err, segment)
	}
	if err := os.Remove(segment); err != nil {
		t.Fatal(err)
	}
	if err := c.ProduceSync(t.Context(), kgo.StringRecord("x")).FirstErr(); err != nil {
		t.Errorf("with room again: %v", err)
	}
	ends, err := kadm.NewClient(c).ListEndOffsets(t.Context(), "orders")
	if end, _ := ends.Lookup("orders", 0); err != nil || end.Offset != 1 {
		t.Errorf("the log ends at %d, %v, want the one record that was taken", end.Offset, err)
	}
}

// TestAFileThatMayNotGrowIsTold: a limit on the size of files (ulimit -f) refuses records as a full disk does.
func TestAFileThatMayNotGrowIsTold(t *testing.T) {
	f, told := fakeThatTells(t, t.TempDir())
	c := client(t, f, kgo.DefaultProduceTopic("orders"), kgo.RecordRetries(0), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if _, err := kadm.NewClient(c).CreateTopic(t.Context(), 1, 1, nil, "orders"); err != nil {
		t.Fatal(err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	set := func(bytes uint64) {
		t.Helper()
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: limit.Max}); err != nil {
			t.Fatal(err)
		}
	}
	large := kgo.SliceRecord(make([]byte, 256<<10))
	set(64 << 10)
	err := c.ProduceSync(t.Context(), large).FirstErr()
	set(limit.Cur)
	if err == nil || kerr.IsRetriable(err) {
		t.Fatalf("a record that cannot be kept: %v", err)
	}
	select {
	case err := <-told:
		if !errors.Is(err, syscall.EFBIG) {
			t.Errorf("told %v, want that a file is too large", err)
		}
	default:
		t.Error("nothing was told")
	}
	if err := c.ProduceSync(t.Context(), large).FirstErr(); err != nil {
		t.Errorf("without the limit: %v", err)
	}
}

// fakeThatTells is a broker on a directory, and what it tells of its disk.
func fakeThatTells(t *testing.T, dir string) (*kafka.Fake, <-chan error) {
	t.Helper()
	told := make(chan error, 10)
	f, err := kafka.StartFakeTelling(kafka.Tell{Disk: func(err error) { told <- err }}, dir, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, told
}
