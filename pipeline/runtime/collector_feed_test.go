package runtime

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// What an answer says was true when its fetch was sent: one that lay in the socket of a stopped process says nothing of the time since, nor does
// one that a machine slept over, whose monotonic clock stood still. And it says so when the next one has come: it may not be decoded before.
func TestFetchClockCountsFromTheRequest(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	c := newFetchClock(func() time.Time { return now })
	answer := func(broker int32, took time.Duration) {
		c.OnBrokerE2E(kgo.BrokerMetadata{NodeID: broker}, collectorFetchKey, kgo.BrokerE2E{ReadWait: took})
	}
	check := func(want int64) {
		t.Helper()
		if got := c.oldest(); got != want {
			t.Errorf("idle as of %d, want %d", got, want)
		}
	}
	answer(1, 0)
	check(0) // nobody knows when it was sent
	answer(1, 0)
	check(0) // it may not be decoded
	now = now.Add(time.Minute)
	answer(1, time.Minute-time.Millisecond)
	check(1_000_000)
	answer(1, time.Millisecond)
	check(1_000_000)         // the one before was sent when the one before that was read
	answer(1, 2*time.Minute) // an older request of another connection
	check(1_059_999)
	answer(1, 0)
	check(940_000)
	answer(1, 0)
	check(1_060_000)
	now = now.Add(8 * time.Hour)
	answer(1, 100*time.Millisecond) // the machine slept
	check(1_060_000)
	answer(1, 0)
	check(1_060_000)
	now = now.Add(time.Second)
	answer(1, 500*time.Millisecond) // a fetch waited while the client's buffer was full
	check(now.UnixMilli() - 1000)
	answer(2, 0)
	answer(2, 2*time.Second)
	check(0)
	answer(2, 0)
	check(now.UnixMilli() - 2000)
	c.OnBrokerE2E(kgo.BrokerMetadata{NodeID: 2}, collectorFetchKey, kgo.BrokerE2E{ReadErr: kgo.ErrClientClosed})
	check(now.UnixMilli() - 2000)
	now = now.Add(-time.Hour) // the clock is set back, and no answer comes that knows of it
	for range 3 {
		answer(1, 0)
		answer(2, 0)
	}
	check(now.UnixMilli())
}

// A process that was stopped for minutes, or a clock that was set, makes no broker one that leads nothing: its answer may be on its way, with what
// came meanwhile.
func TestFetchClockWaitsForEachBroker(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	c := newFetchClock(func() time.Time { return now })
	answer := func(broker int32) {
		c.OnBrokerE2E(kgo.BrokerMetadata{NodeID: broker}, collectorFetchKey, kgo.BrokerE2E{})
	}
	for range 3 {
		answer(1)
		answer(2)
	}
	now = now.Add(5 * time.Minute)
	for range 3 {
		answer(2)
	}
	leads := true
	look := func() { c.look(func(int32) bool { return leads }) }
	for n := range 2 * collectorBrokerGone {
		leads = n < collectorBrokerGone
		if look(); !leads {
			break
		}
		if got := c.oldest(); got != 1_000_000 {
			t.Fatalf("idle as of %d while broker 1 has not answered", got)
		}
		answer(2)
	}
	if got := c.oldest(); got != 1_300_000 {
		t.Errorf("idle as of %d when broker 1 leads nothing any more", got)
	}
}
