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
// read them yet.

const (
	collectorEndsEvery   = 5 // progress records from one question to the next
	collectorEndsTimeout = 5 * time.Second
)

// collectorEnd is where a partition ended at a time.
type collectorEnd struct {
	offset int64
	asked  int64 // ms, from before the question was sent; 0: never
}

// collectorEnds is the answer of all leaders.
type collectorEnds struct {
	asked int64
	ends  [event.NumTopics]map[int32]int64
	err   error
}

// idle is as of when the source held no more than what is in blocks, ms; 0 while it is not known.
func (s *collectorSource) idle() int64 {
	if s.next < s.ended.offset {
		return 0
	}
	return s.ended.asked
}

// askEnds asks in the background, while any source has nothing waiting, and takes the answer.
func (s *collectorSession) askEnds(now time.Time) {
	select {
	case a := <-s.ends:
		s.endsOut = false
		if a.err != nil {
			s.endsFail.failed(time.Now(), a.err, "where a partition ends is not to be had: if it is idle, the watermark waits for it")
		}
		for _, src := range s.sources {
			if end, ok := a.ends[src.feed.topic][src.partition]; ok {
				src.ended = collectorEnd{end, a.asked}
			}
		}
	default:
	}
	quiet := func(src *collectorSource) bool { return len(src.queue) == 0 }
	if s.endsOut || now.Sub(s.pace.ends) < collectorEndsEvery*s.cfg.ProgressEvery || !slices.ContainsFunc(s.sources, quiet) {
		return
	}
	s.pace.ends, s.endsOut = now, true
	var parts [event.NumTopics][]int32
	for _, src := range s.sources {
		parts[src.feed.topic] = append(parts[src.feed.topic], src.partition)
	}
	s.spawn(func() {
		s.ends <- s.listEnds(parts)
		s.wakeUp()
	})
}

// listEnds asks the leaders of the partitions. Those that fail have no end in the answer.
func (s *collectorSession) listEnds(parts [event.NumTopics][]int32) (a collectorEnds) {
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
			part.Partition, part.Timestamp = p, -1 // the end
			topic.Partitions = append(topic.Partitions, part)
		}
		req.Topics = append(req.Topics, topic)
	}
	a.asked = s.nowMS()
	var errs []error
	for _, shard := range s.producer.RequestSharded(ctx, req) {
		if shard.Err != nil {
			errs = append(errs, shard.Err)
			continue
		}
		errs = append(errs, a.take(shard.Resp.(*kmsg.ListOffsetsResponse), s.cfg))
	}
	a.err = errors.Join(errs...)
	return a
}

// take enters what one broker has answered.
func (a *collectorEnds) take(resp *kmsg.ListOffsetsResponse, cfg *CollectorConfig) error {
	var errs []error
	for i := range a.ends {
		for _, topic := range resp.Topics {
			if topic.Topic != cfg.rawTopic(event.Topic(i)) {
				continue
			}
			for _, p := range topic.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					errs = append(errs, fmt.Errorf("%s/%d: %w", topic.Topic, p.Partition, err))
					continue
				}
				if a.ends[i] == nil {
					a.ends[i] = map[int32]int64{}
				}
				a.ends[i][p.Partition] = p.Offset
			}
		}
	}
	return errors.Join(errs...)
}
