package runtime

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// What an answer says was true when its fetch was sent: one that lay in the socket of a stopped process says nothing of the time since.
func TestFetchClockCountsFromTheRequest(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	c := collectorFetchClock{now: func() time.Time { return now }, last: map[int32]int64{}}
	answer := func(broker int32, took time.Duration) {
		c.OnBrokerE2E(kgo.BrokerMetadata{NodeID: broker}, collectorFetchKey, kgo.BrokerE2E{ReadWait: took})
	}
	check := func(want int64) {
		t.Helper()
		if got := c.oldest(); got != want {
			t.Errorf("idle as of %d, want %d", got, want)
		}
	}
	check(0)
	answer(1, 0)
	check(1_000_000)
	now = now.Add(time.Minute)
	answer(1, time.Minute-time.Millisecond)
	check(1_000_001)
	answer(1, 2*time.Minute) // an older request of another connection
	check(1_000_001)
	answer(1, 0)
	answer(2, time.Second)
	check(1_059_000)
	c.OnBrokerE2E(kgo.BrokerMetadata{NodeID: 2}, collectorFetchKey, kgo.BrokerE2E{ReadErr: kgo.ErrClientClosed})
	check(1_059_000)
}
