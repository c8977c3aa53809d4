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
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// A source that brings nothing is idle as of a moment at which its leader was asked where it ends, once all that stands before that end is in blocks. This
// rests on nothing that the client does or knows: not on which partitions its fetches ask for, on whose answers it keeps to itself, on leaders that move, or
// on how long the process was stopped. The end is the high watermark, not the last stable offset: records of an open transaction are there, though nobody may
// read them yet. It is asked for by name: which topic that name stands for is asked afterwards, so that the end of one made again is not taken for its own.

const (
	collectorEndsEvery   = 5 // progress records from one question to the next
	collectorEndsTimeout = 5 * time.Second
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
	asked        int64
	ends, starts collectorOffsets
	topics       eventlog.Sources // as they were after that
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
		if err := s.takeEnds(&a); err != nil {
			return err
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

// takeEnds enters an answer. Where retention has removed what a source waits for, the client goes on behind it without a word: the session ends, and the next
// one begins where the log does.
func (s *collectorSession) takeEnds(a *collectorEnds) error {
	if a.err != nil {
		s.endsFail.failed(time.Now(), a.err, "where a partition ends is not to be had: if it is idle, the watermark waits for it")
	}
	for _, src := range s.sources {
		t := src.feed.topic
		if len(a.topics.Topics) == 0 || a.topics.Topics[t].ID != src.id.TopicID {
			continue // who looks at the metadata ends the session
		}
		if end, ok := a.ends[t][src.partition]; ok && end >= src.reached { // else it was cut off, and says nothing of what was there
			src.ended = collectorEnd{end, a.asked}
		}
		if start := a.starts[t][src.partition]; src.stuck() && start > src.handed {
			return fmt.Errorf("retention of %s/%d removed records before they were read: it begins at offset %d, read are those before %d", src.feed.name, src.partition, start, src.handed)
		}
	}
	return nil
}

// listEnds asks the leaders of the partitions, and those of the stuck ones where they begin. Those that fail have no offset in the answer.
func (s *collectorSession) listEnds(all, stuck [event.NumTopics][]int32) (a collectorEnds) {
	ctx, cancel := context.WithTimeout(s.ctx, collectorEndsTimeout)
	defer cancel()
	a.asked = s.nowMS()
	var failed, failedStarts, failedTopics error
	a.ends, failed = s.listOffsets(ctx, all, offsetOfEnd)
	a.starts, failedStarts = s.listOffsets(ctx, stuck, offsetOfStart)
	if a.topics, failedTopics = collectorSources(ctx, s.adm, s.cfg); failedTopics != nil {
		a.topics = eventlog.Sources{}
	}
	a.err = errors.Join(failed, failedStarts, failedTopics)
	return a
}

func (s *collectorSession) listOffsets(ctx context.Context, parts [event.NumTopics][]int32, which int64) (offsets collectorOffsets, err error) {
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
