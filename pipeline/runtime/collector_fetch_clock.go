package runtime

import (
	"math"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// collectorFetchClock notes when the last fetch that each broker answered was sent. A partition can be called idle only as of then: by the wall
// clock, or by when the answer was read, a process that was stopped for a minute, with the answer waiting in its socket, would promise what it
// cannot know. A broker has one fetch at a time, sent after the answer before was read: so that moment is no later either, whatever the clocks
// did since. (How long an answer took is no help where the machine slept meanwhile: the monotonic clock stood still, the wall clock jumps.) What an
// answer brings is decoded after it was read: it counts when the next one is there, whose fetch was sent after all of that was taken.
type collectorFetchClock struct {
	now     func() time.Time
	mu      sync.Mutex
	brokers map[int32]*brokerFetches
}

type brokerFetches struct {
	answered int64 // when the last answer was read, ms
	asked    int64 // when its fetch was sent at the latest, ms; 0 while unknown
	sent     int64 // the same of the answer before, of which nothing is still to be decoded
	looks    int   // progress records since the last answer
}

func newFetchClock(now func() time.Time) *collectorFetchClock {
	return &collectorFetchClock{now: now, brokers: map[int32]*brokerFetches{}}
}

const collectorFetchKey = 1

// collectorBrokerGone is after how many progress records without an answer a broker is forgotten that leads no owned partition. Not after which time: it
// passes while a process is stopped, too, and the first broker to answer then would speak for all. One that leads some, and is out of reach, is waited for.
const collectorBrokerGone = 100

// OnBrokerE2E is called by the client with every response.
func (c *collectorFetchClock) OnBrokerE2E(meta kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	if key != collectorFetchKey || e.Err() != nil {
		return
	}
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.brokers[meta.NodeID]
	if b == nil {
		b = &brokerFetches{}
		c.brokers[meta.NodeID] = b
	} else {
		b.sent = b.asked // lower after the clock was set back: readers of the log take the highest that was claimed
		b.asked = min(b.answered, now.Add(-e.DurationE2E()).UnixMilli())
	}
	b.answered, b.looks = now.UnixMilli(), 0
}

// look is called once a progress record.
func (c *collectorFetchClock) look(leads func(broker int32) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, b := range c.brokers {
		if b.looks++; b.looks > collectorBrokerGone && !leads(id) {
			delete(c.brokers, id)
		}
	}
}

// heard says whether a broker has answered, so that oldest speaks of it.
func (c *collectorFetchClock) heard(broker int32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.brokers[broker]
	return b != nil && b.sent != 0
}

// oldest is the oldest of all brokers, 0 if it is not known of one.
func (c *collectorFetchClock) oldest() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.brokers) == 0 {
		return 0
	}
	oldest := int64(math.MaxInt64)
	for _, b := range c.brokers {
		oldest = min(oldest, b.sent)
	}
	return oldest
}
