package collect

import (
	"testing"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// "It is taken as no later than now": also when the clock was ahead once and was set right.
func TestReceiveTimeAfterTheClockIsSetBack(t *testing.T) {
	now := int64(5_000_000)
	s, err := NewStage(Config{Key: []byte("0123456789abcdef"), Partitions: 1, Now: func() int64 { return now }})
	if err != nil {
		t.Fatal(err)
	}
	s.Source(eventlog.SourceID{TopicID: [16]byte{1}})
	recv := func(ts int64) int64 {
		return s.Add(&Record{Topic: event.TopicViewer, Timestamp: ts, Value: []byte("x")}).Recv
	}
	if got := recv(9_000_000); got != 5_000_000 { // a future record, while the clock is an hour ahead
		t.Fatal(got)
	}
	now = 1_400_000 // set right
	s.Look()
	if got := recv(4_900_000); got > now {
		t.Errorf("a record stamped %d is received at %d, %d ms after now", 4_900_000, got, got-now)
	}
}
