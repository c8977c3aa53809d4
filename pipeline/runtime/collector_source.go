package runtime

import (
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"

	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// minTimestamp is that of the record before a source's first: it holds back all others.
const minTimestamp = math.MinInt64

// collectorSource is one owned partition of a raw topic: the records that wait for their turn, and how far each step has come. The session's
// goroutine owns it.
type collectorSource struct {
	feed      *collectorFeed
	partition int32
	id        eventlog.SourceID
	num       int // of the stage

	queue  [][]*kgo.Record // as fetched
	at     int             // in queue[0]
	head   int64           // timestamp of the next record, ms; valid while the queue is not empty
	last   int64           // timestamp of the record before, ms; minTimestamp at first
	end    int64           // last stable offset as far as known
	handed int64           // offset after the last record the client handed over
	next   int64           // offset after the last one in a block
	flying int64           // next, when the batch under way was closed
	acked  int64           // next, when the last acknowledged batch was closed
	stored int64           // last committed
	// epoch is that of the leader at the last record in a block, -1 while it is not known; records from epochFrom on have it.
	epoch     int32
	epochFrom int64
	ended     collectorEnd // where it ended when that was asked last
	reached   int64        // handed, when it was asked
	short     time.Time    // since when all answers say that it ends before that; zero where the last one did not

	recv    int64     // highest receive time in a block, 0 for none
	moved   time.Time // when something was taken last, or all that there is was known to be in blocks; zero for a new one
	stalled time.Time // when it was told last that it has stalled, zero where it has not
	since   int64     // since when the session waits for it, ms; 0 when it doesn't
	metrics collectorSourceMetrics
	kept    *rate.Limiter // of the bytes that events.rejected takes; nil before the first
}

// took notes that a record is in a block.
func (s *collectorSource) took(r *kgo.Record) {
	s.next = r.Offset + 1
	s.moved = time.Time{}
	if r.LeaderEpoch != s.epoch {
		s.epoch, s.epochFrom = r.LeaderEpoch, r.Offset
	}
}

// position is an offset that was come to, next or before, with the epoch of the record before it: by that a leader can tell whether it still has that record.
func (s *collectorSource) position(offset int64) kgo.EpochOffset {
	if offset > s.epochFrom {
		return kgo.EpochOffset{Epoch: s.epoch, Offset: offset}
	}
	return kgo.EpochOffset{Epoch: -1, Offset: offset}
}

// atEnd: all that the partition is known to hold is in blocks.
func (s *collectorSource) atEnd() bool { return len(s.queue) == 0 && s.handed >= s.end }

func (s *collectorSource) push(p *kgo.FetchPartition) {
	s.end = max(s.end, p.LastStableOffset)
	if len(p.Records) == 0 {
		return
	}
	s.handed = p.Records[len(p.Records)-1].Offset + 1
	s.queue = append(s.queue, p.Records)
	if len(s.queue) == 1 {
		s.at = 0
		s.head = p.Records[0].Timestamp.UnixMilli()
	}
	s.since = 0
}

// pop takes the next record off the queue.
func (s *collectorSource) pop() *kgo.Record {
	q := s.queue[0]
	r := q[s.at]
	s.last = s.head
	if s.at++; s.at == len(q) {
		s.queue[0] = nil
		s.queue, s.at = s.queue[1:], 0
	}
	if len(s.queue) > 0 {
		s.head = s.queue[0][s.at].Timestamp.UnixMilli()
	}
	return r
}

// waiting is the number of records in the source's queue.
func (s *collectorSource) waiting() int {
	n := -s.at
	for _, q := range s.queue {
		n += len(q)
	}
	return max(n, 0)
}

const (
	// collectorSlackMS is how much younger than the oldest waiting record one may be that is taken before it: disorder nobody notices, for
	// runs of records instead of single ones.
	collectorSlackMS = 50
	// collectorPatienceMS bounds the wait for a source that has more but does not deliver (its leader is away): after that the others go on
	// without it. The order in the log gets worse then; no number gets wrong.
	collectorPatienceMS = 2000
)

// collectorPick chooses the source whose next record has the oldest timestamp, and up to which timestamp it may go on. A source that is
// known to hold more but has nothing here yet holds back all that is younger than its last record. Without a choice it answers nil.
func collectorPick(sources []*collectorSource, now int64) (pick *collectorSource, limit int64) {
	first, second, hold := int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64)
	for _, s := range sources {
		switch {
		case len(s.queue) > 0:
			if s.head < first {
				pick, first, second = s, s.head, first
			} else {
				second = min(second, s.head)
			}
		case s.handed < s.end:
			if s.since == 0 {
				s.since = now
			}
			if now-s.since < collectorPatienceMS {
				hold = min(hold, s.last)
			}
		}
	}
	if pick == nil {
		return nil, 0
	}
	limit = min(second, hold)
	if limit < math.MaxInt64-collectorSlackMS {
		limit += collectorSlackMS
	}
	if hold == minTimestamp || first > limit {
		return nil, 0
	}
	return pick, limit
}
