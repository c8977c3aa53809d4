package kafka_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/deploy/embedded/kafka"
)

const (
	keptTopic  = "raw.kept"
	hour       = "3600000"
	oldRecords = 3
)

// restarts are the ways in which a broker comes to be started again on its data.
var restarts = map[string]func(*testing.T, *kafka.Fake, string) string{
	"stopped": func(t *testing.T, f *kafka.Fake, dir string) string {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		return dir
	},
	"killed": func(t *testing.T, _ *kafka.Fake, dir string) string { return copied(t, dir) },
}

// copied is what a process that is killed now would leave: kfake writes to the system, not to buffers of its own.
func copied(t *testing.T, dir string) string {
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// However its records went, a partition goes on at its end, and does not begin earlier again, when the broker was stopped or killed: an offset is
// used once.
func TestOffsetsOutliveTheirRecords(t *testing.T) {
	empties := map[string]struct {
		empty func(*testing.T, *kafka.Fake)
		start int64 // behind it
		fresh int   // records whose time is not over
	}{
		"by retention":          {sweep, oldRecords, 0},
		"by retention, not all": {sweep, oldRecords, 1},
		"by a request":          {func(t *testing.T, f *kafka.Fake) { deleteUntil(t, f, -1) }, oldRecords + 1, 1},
		"by a request, not all": {func(t *testing.T, f *kafka.Fake) { deleteUntil(t, f, 2) }, 2, 0},
	}
	for how, c := range empties {
		for name, again := range restarts {
			t.Run(how+", "+name, func(t *testing.T) {
				dir := t.TempDir()
				f := startFake(t, dir, "127.0.0.1:0")
				makeTopic(t, f)
				end := produceOld(t, f) + 1
				for range c.fresh {
					end = produceNew(t, f, "fresh") + 1
				}
				c.empty(t, f)
				for range 3 { // also where nothing happens in between
					dir = again(t, f, dir)
					f = startFake(t, dir, "127.0.0.1:0")
					wantOffsets(t, f, c.start, end)
				}
				if at := produceNew(t, f, "new"); at != end {
					t.Fatalf("the next record is at %d, want %d", at, end)
				}
				f = startFake(t, again(t, f, dir), "127.0.0.1:0")
				wantOffsets(t, f, c.start, end+1)
				if got := readAt(t, f, end); got != "new" {
					t.Errorf("at offset %d is %q, want the new record", end, got)
				}
			})
		}
	}
}

// Markers of transactions have offsets too, and go with their records.
func TestOffsetsOutliveTransactions(t *testing.T) {
	for name, again := range restarts {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			f := startFake(t, dir, "127.0.0.1:0")
			produceInTransaction(t, f, "one", "two") // and a marker
			a := kadm.NewClient(client(t, f))
			var to kadm.Offsets
			to.AddOffset("orders", 0, 3, -1)
			if r, err := a.DeleteRecords(t.Context(), to); err != nil || r.Error() != nil {
				t.Fatal(err, r.Error())
			}
			f = startFake(t, again(t, f, dir), "127.0.0.1:0")
			c := client(t, f, kgo.TransactionalID("tx"), kgo.DefaultProduceTopic("orders"))
			if err := c.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			r, err := c.ProduceSync(t.Context(), kgo.StringRecord("three")).First()
			if err != nil || r.Offset != 3 {
				t.Fatalf("the next record is at %v (%v), want 3", r, err)
			}
			if err := c.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
				t.Fatal(err)
			}
			if got := consume(t, f, 1); got != "three" {
				t.Errorf("read %q, want three", got)
			}
		})
	}
}

// A topic that is made again begins at 0, whatever its former life had.
func TestATopicMadeAgainBeginsAtZero(t *testing.T) {
	for name, again := range restarts {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			f := startFake(t, dir, "127.0.0.1:0")
			makeTopic(t, f)
			produceOld(t, f)
			sweep(t, f)
			dir = again(t, f, dir)
			f = startFake(t, dir, "127.0.0.1:0")
			if _, err := kadm.NewClient(client(t, f)).DeleteTopic(t.Context(), keptTopic); err != nil {
				t.Fatal(err)
			}
			makeTopic(t, f)
			dir = again(t, f, dir)
			f = startFake(t, dir, "127.0.0.1:0")
			wantOffsets(t, f, 0, 0)
			if at := produceNew(t, f, "first"); at != 0 {
				t.Errorf("the first record is at %d, want 0", at)
			}
		})
	}
}

// Of the first record after the others went, a kill or a full disk may leave a part: the partition begins where that would have been.
func TestAPartOfARecordIsNone(t *testing.T) {
	dir := t.TempDir()
	f := startFake(t, dir, "127.0.0.1:0")
	makeTopic(t, f)
	produceOld(t, f)
	sweep(t, f)
	produceNew(t, f, "torn")
	dir = copied(t, dir)
	if err := os.Truncate(filepath.Join(dir, "data", "partitions", keptTopic+"-0", strconv.Itoa(oldRecords)+".dat"), 20); err != nil {
		t.Fatal(err)
	}
	f = startFake(t, dir, "127.0.0.1:0")
	wantOffsets(t, f, oldRecords, oldRecords)
	if at := produceNew(t, f, "whole"); at != oldRecords {
		t.Errorf("the next record is at %d, want %d", at, oldRecords)
	}
	if got := readAt(t, startFake(t, copied(t, dir), "127.0.0.1:0"), oldRecords); got != "whole" {
		t.Errorf("read %q, want the whole record", got)
	}
}

// A directory that an earlier version stopped cleanly has the end in kfake's snapshot alone.
func TestEndsOfAnEarlierVersionAreTakenOver(t *testing.T) {
	dir := t.TempDir()
	f := startFake(t, dir, "127.0.0.1:0")
	makeTopic(t, f)
	produceOld(t, f)
	f.Cluster.ApplyRetention()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "offsets.json")); err == nil {
		t.Fatal("kfake's own retention wrote offsets down; this test is to be without")
	}
	wantOffsets(t, startFake(t, dir, "127.0.0.1:0"), oldRecords, oldRecords)
}

// Where the end cannot be written down, records stay, and somebody hears why.
func TestRecordsStayWhoseEndCannotBeKept(t *testing.T) {
	dir := t.TempDir()
	f, told := fakeThatTells(t, dir)
	makeTopic(t, f)
	produceOld(t, f)
	if err := os.Symlink("/dev/full", filepath.Join(dir, "offsets.json.tmp")); err != nil {
		t.Fatal(err)
	}
	var to kadm.Offsets
	to.AddOffset(keptTopic, 0, -1, -1)
	r, err := kadm.NewClient(client(t, f)).DeleteRecords(t.Context(), to)
	if err != nil || r.Error() == nil {
		t.Errorf("the request was served: %v, %v", r, err)
	}
	if err := f.Sweep(t.Context()); err == nil {
		t.Error("retention was applied")
	}
	wantOffsets(t, f, 0, oldRecords)
	if len(told) < 2 { // the client may ask twice
		t.Errorf("told %d times, want each time", len(told))
	}
}

// kfake's own retention takes records before their offsets are written down: it must not run.
func TestTheBrokerAppliesRetentionItself(t *testing.T) {
	f := startFake(t, t.TempDir(), "127.0.0.1:0")
	all, err := kadm.NewClient(client(t, f)).DescribeBrokerConfigs(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	var every time.Duration
	for _, c := range all[0].Configs {
		if c.Key == "log.cleaner.backoff.ms" {
			ms, _ := strconv.Atoi(c.MaybeValue())
			every = time.Duration(ms) * time.Millisecond
		}
	}
	if every < 24*365*time.Hour {
		t.Errorf("kfake applies retention every %v", every)
	}
}
