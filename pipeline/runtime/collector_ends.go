package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/livemeter/livemeter/pipeline/event"
)

// A source that brings nothing is idle as of a moment at which its leader was asked where it ends, once all that stands before that end is in blocks. This
// rests on nothing that the client does or knows: not on which partitions its fetches ask for, on whose answers it keeps to itself, on leaders that move, or
// on how long the process was stopped. The end is the high watermark, not the last stable offset: records of an open transaction are there, though nobody may
// read them yet. It is asked for by name: which topic that name stands for is asked afterwards, so that the end of one made again is not taken for its own
// (unless the broker that is asked has not learnt of it yet).

const (
	collectorEndsEvery   = 5               // progress records from one question to the next
	collectorEndsTimeout = 5 * time.Second // of each of the questions
	collectorCutOff      = 30 * time.Second
	offsetOfEnd          = -1 // ListOffsets' name for it
	offsetOfStart        = -2
)

// collectorEnd is where a partition ended at a time.
type collectorEnd struct {
	offset int64
	asked  int64 // ms, from before the question was sent; 0: never
}

// collectorEnds is the answer of all leaders.
type collectorEnds struct {
	asked        int64 // ms
	ends, starts collectorOffsets
	ids          [event.NumTopics][16]byte // of the topics, after that; zero where it is not known
	err          error
}

// collectorOffsets are those of some partitions of raw topics.
type collectorOffsets [event.NumTopics]map[int32]int64

// idle is as of when the source held no more than what is in blocks, ms; 0 while it is not known. An end that was asked for when the clock was ahead of now is
// none: the time of that is not known.
func (s *collectorSource) idle(now int64) int64 {
	if s.ended.asked > now {
		s.ended = collectorEnd{}
	}
	if s.next < s.ended.offset {
		return 0
	}
	return s.ended.asked
}

// stuck: it ends behind what was taken, and nothing of that is here.
func (s *collectorSource) stuck() bool { return len(s.queue) == 0 && s.next < s.ended.offset }

// askEnds asks in the background, while any source has nothing waiting, and takes the answer.
func (s *collectorSession) askEnds(now time.Time) error {
	select {
	case a := <-s.ends:
		s.endsOut = false
		src, start, err := s.takeEnds(&a, time.Now())
		if err != nil {
			return err
		}
		if src != nil {
			return s.expiredTail(src, start)
		}
	default:
	}
	quiet := func(src *collectorSource) bool { return len(src.queue) == 0 }
	if s.endsOut || now.Sub(s.pace.ends) < collectorEndsEvery*s.cfg.ProgressEvery || !slices.ContainsFunc(s.sources, quiet) {
		return nil
	}
	s.pace.ends, s.endsOut = now, true
	var all, stuck [event.NumTopics][]int32
	for _, src := range s.sources {
		src.reached = src.handed
		all[src.feed.topic] = append(all[src.feed.topic], src.partition)
		if src.stuck() {
			stuck[src.feed.topic] = append(stuck[src.feed.topic], src.partition)
		}
	}
	s.spawn(func() {
		s.ends <- s.listEnds(all, stuck)
		s.wakeUp()
	})
	return nil
}

// takeEnds enters an answer. It returns a source of which retention has removed all that was not read, up to its start: the client goes on there without a word.
// A log that was cut off is an error when all answers have said so for a while: a leader that was deposed and does not know it may know less.
func (s *collectorSession) takeEnds(a *collectorEnds, now time.Time) (expired *collectorSource, start int64, err error) {
	if a.err != nil {
		s.endsFail.failed(now, a.err, endsUnknown)
	}
	for _, src := range s.sources {
		t := src.feed.topic
		end, ok := a.ends[t][src.partition]
		switch {
		case !ok || a.ids[t] != src.id.TopicID: // who looks at the metadata ends the session
			continue
		case end < src.reached:
			if src.short.IsZero() {
				src.short = now
			}
			if now.Sub(src.short) >= collectorCutOff {
				return nil, 0, src.feed.cutOff(src.partition, end, src.reached)
			}
			continue
		}
		src.ended, src.short = collectorEnd{end, a.asked}, time.Time{}
		if src.next >= end {
			src.moved = time.Time{}
		}
		if begins := a.starts[t][src.partition]; src.stuck() && begins >= end && begins > src.handed {
			expired, start = src, begins
		}
	}
	return expired, start, nil
}

const endsUnknown = "where a partition ends is not to be had: if it is idle, the watermark waits for it"

// expiredTail ends the session: the next one begins where the log does. What was taken is finished before, and what is gone is counted and committed.
func (s *collectorSession) expiredTail(src *collectorSource, start int64) error {
	return s.finishFor(fmt.Errorf("retention of %s/%d removed all that was not read, from offset %d on", src.feed.name, src.partition, src.handed), func() {
		s.expired(src.feed, src.partition, start-src.handed)
		src.acked, src.epochFrom = start, start
	})
}

// finishFor is why the session ends. Before, what was taken is acknowledged and, after then, committed; where it is not acknowledged in time, neither.
func (s *collectorSession) finishFor(why error, then func()) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.FinishTimeout)
	defer cancel()
	errs := []error{why, s.drain(ctx)}
	if errs[1] == nil {
		then()
		for _, f := range s.feeds {
			if f != nil {
				errs = append(errs, s.commitNow(ctx, f, nil))
			}
		}
	}
	return errors.Join(errs...)
}

// listEnds asks the leaders of the partitions, and those of the stuck ones where they begin. Those that fail have no offset in the answer.
func (s *collectorSession) listEnds(all, stuck [event.NumTopics][]int32) (a collectorEnds) {
	began := time.Now()
	a.asked = s.nowMS()
	var errs [3]error
	a.ends, errs[0] = s.listOffsets(all, offsetOfEnd)
	a.starts, errs[1] = s.listOffsets(stuck, offsetOfStart)
	a.ids, errs[2] = s.rawIDs()
	a.err = errors.Join(errs[:]...)
	a.asked = min(a.asked, s.nowMS()-time.Since(began).Milliseconds()) // the clock was ahead, and was set right meanwhile
	return a
}

// rawIDs asks which topics the names stand for; zero is one that is not known.
func (s *collectorSession) rawIDs() (out [event.NumTopics][16]byte, err error) {
	ctx, cancel := context.WithTimeout(s.ctx, collectorEndsTimeout)
	defer cancel()
	var names [event.NumTopics]string
	for t := range names {
		names[t] = s.cfg.rawTopic(event.Topic(t))
	}
	ids, errs, err := topicIDs(ctx, s.producer, names[:]...)
	copy(out[:], ids)
	return out, errors.Join(append(errs, err)...)
}

func (s *collectorSession) listOffsets(parts [event.NumTopics][]int32, which int64) (offsets collectorOffsets, err error) {
	ctx, cancel := context.WithTimeout(s.ctx, collectorEndsTimeout)
	defer cancel()
	req := kmsg.NewPtrListOffsetsRequest() // not read committed
	for t, ps := range parts {
		if len(ps) == 0 {
			continue
		}
		topic := kmsg.NewListOffsetsRequestTopic()
		topic.Topic = s.cfg.rawTopic(event.Topic(t))
		for _, p := range ps {
			part := kmsg.NewListOffsetsRequestTopicPartition()
			part.Partition, part.Timestamp = p, which
			topic.Partitions = append(topic.Partitions, part)
		}
		req.Topics = append(req.Topics, topic)
	}
	if len(req.Topics) == 0 {
		return offsets, nil
	}
	var errs []error
	for _, shard := range s.producer.RequestSharded(ctx, req) {
		if shard.Err != nil {
			errs = append(errs, shard.Err)
			continue
		}
		errs = append(errs, offsets.take(shard.Resp.(*kmsg.ListOffsetsResponse), s.cfg))
	}
	return offsets, errors.Join(errs...)
}

// take enters what one broker has answered.
func (o *collectorOffsets) take(resp *kmsg.ListOffsetsResponse, cfg *CollectorConfig) error {
	var errs []error
	for i := range o {
		for _, topic := range resp.Topics {
			if topic.Topic != cfg.rawTopic(event.Topic(i)) {
				continue
			}
			for _, p := range topic.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					errs = append(errs, fmt.Errorf("%s/%d: %w", topic.Topic, p.Partition, err))
					continue
				}
				if o[i] == nil {
					o[i] = map[int32]int64{}
				}
				o[i][p.Partition] = p.Offset
			}
		}
	}
	return errors.Join(errs...)
}
