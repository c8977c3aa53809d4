package main

import (
	"errors"
	"io/fs"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/gateway"
)

// sees is what a gateway sees of Kafka.
type sees struct {
	out   *gateway.Outage
	trial bool // it is ready all the same
}

func (s *sees) Failing() *gateway.Outage { return s.out }
func (s *sees) Ready() error {
	if s.out == nil || s.trial {
		return nil
	}
	return s.out
}

// watched is a watch under test, what it sees, and what it says.
type watched struct {
	kafkaWatch
	sees
	said     []string
	standing error // the collector's
}

func watch() *watched {
	w := &watched{}
	w.kafkaWatch = kafkaWatch{dir: "/data", log: zap.NewNop(), gateway: &w.sees, collector: func() error { return w.standing }, say: func(s string) { w.said = append(w.said, s) }}
	return w
}

// pass looks for so long, in the bubble of synctest: its clock jumps, nobody waits.
func (w *watched) pass(d time.Duration) {
	for range d / upLook {
		w.look()
		time.Sleep(upLook) // simulated
	}
}

func (w *watched) want(t *testing.T, lines ...string) {
	t.Helper()
	if !slices.Equal(w.said, lines) {
		t.Errorf("said %q, want %q", w.said, lines)
	}
}

// TestUpTellsOutagesOfKafkaOnce: one line when it has lasted some seconds, one when it is over; meanwhile nobody says that events are taken.
func TestUpTellsOutagesOfKafkaOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch()
		w.pass(10 * time.Second)
		w.out = &gateway.Outage{Silent: true, Since: time.Now()}
		w.pass(4 * time.Second)
		w.out = nil
		w.pass(10 * time.Second)
		w.want(t)
		if !w.takes() {
			t.Error("events are taken, and it says no")
		}
		w.out = &gateway.Outage{Silent: true, Since: time.Now()}
		w.pass(60 * time.Second)
		if w.takes() {
			t.Error("events are taken by a Kafka that hangs")
		}
		w.out = nil
		w.pass(10 * time.Second)
		w.out = &gateway.Outage{Since: time.Now(), Why: errors.Join(errors.New("refused"), errors.New("twice"))}
		w.pass(20 * time.Second)
		w.trial = true
		w.pass(20 * time.Second)
		if w.takes() {
			t.Error("events are taken because nobody sends any")
		}
		w.out = nil
		w.pass(2 * time.Second)
		w.want(t, "Kafka does not answer, for 6 s; the gateway answers 503, and what gets that has to be sent again", "Kafka answers again, after 60 s",
			"Kafka takes no records, for 6 s: refused; twice; the gateway answers 503, and what gets that has to be sent again", "Kafka takes records again, after 40 s")
	})
}

// TestUpTellsAFullDisk at once, with what to do, again each minute, and when records are taken again, which the collector sees; a batch that failed
// long ago begins no other outage.
func TestUpTellsAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch()
		told := "Kafka cannot write to its disk and takes no more records: no space; make room on the disk of /data: it then goes on by itself"
		fails := func(d time.Duration) {
			for range d / upLook {
				w.diskFailed(errors.New("no space"))
				w.pass(upLook)
			}
		}
		fails(upLook)
		w.want(t, told)
		if w.takes() {
			t.Error("events are taken with a full disk")
		}
		w.out, w.standing = &gateway.Outage{Since: time.Now(), Why: errors.New("no space")}, errors.New("no session")
		fails(61 * time.Second)
		w.want(t, told, told)
		w.pass(20 * time.Second)
		w.want(t, told, told)
		w.standing, w.trial = nil, true
		w.pass(20 * time.Second)
		w.want(t, told, told, "Kafka takes records again, after 82 s")
		if !w.takes() {
			t.Error("events are taken again, and it says no")
		}
	})
}

// TestUpTellsALimitOfFiles: room on the disk does not help there.
func TestUpTellsALimitOfFiles(t *testing.T) {
	w := watch()
	w.diskFailed(&fs.PathError{Op: "write", Path: "/data/0.dat", Err: syscall.EFBIG})
	w.want(t, "Kafka cannot write to its disk and takes no more records: write /data/0.dat: file too large; "+
		"the limit on the size of files (ulimit -f) is too low: start again without it")
}
