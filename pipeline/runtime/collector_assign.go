package runtime

import (
	"context"
	"fmt"
	"strconv"

	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// collectorRequest is what a client's callback wants of the session's goroutine; done gets its answer.
type collectorRequest struct {
	feed   *collectorFeed
	assign []collectorAssignment
	revoke []int32
	done   chan error
}

type collectorAssignment struct {
	partition  int32
	start, end int64 // next offset to read; last stable offset
	epoch      int32 // leader epoch of the record before start, -1 where it is not known
	expired    int64 // records that the topic's retention removed before they were read
}

// request hands r to the session's goroutine and waits for the answer. A session that is ending gives everything back by itself.
func (s *collectorSession) request(ctx context.Context, r collectorRequest) error {
	select {
	case s.requests <- r:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ending:
		return nil
	case <-s.ctx.Done():
		return nil
	}
	select {
	case err := <-r.done:
		return err
	case <-s.ctx.Done():
		return nil
	}
}

// handle answers a client's callback. What goes wrong in it ends the session.
func (s *collectorSession) handle(r collectorRequest) {
	err := s.receive() // what the client handed over before the callback belongs before it
	if err == nil && r.assign != nil {
		err = s.adopt(r.feed, r.assign)
	} else if err == nil {
		err = s.giveBack(r.feed, r.revoke)
	}
	if err != nil {
		s.fail(err)
	}
	r.done <- err
}

func (s *collectorSession) adopt(f *collectorFeed, parts []collectorAssignment) error {
	for _, a := range parts {
		if t := &s.sourcesRec.Topics[f.topic]; a.partition >= t.Partitions { // new since the last look: its source must stand in the log before its data
			found, err := collectorSources(s.ctx, s.adm, s.cfg)
			if err != nil {
				return err
			}
			if err := s.setSources(found); err != nil {
				return err
			}
			if n := s.sourcesRec.Topics[f.topic].Partitions; a.partition >= n {
				return fmt.Errorf("assigned %s/%d, but the topic has %d partitions", f.name, a.partition, n)
			}
		}
		s.drop(f, a.partition) // assigned a second time without having been read
		s.expired(f, a.partition, a.expired)
		id := eventlog.SourceID{TopicID: s.topicIDs[f.topic], Partition: a.partition}
		s.sources = append(s.sources, &collectorSource{feed: f, partition: a.partition, id: id, num: s.stage.Source(id), last: minTimestamp,
			end: a.end, epoch: a.epoch, epochFrom: a.start - 1, handed: a.start, next: a.start, flying: a.start, acked: a.start, stored: a.start - a.expired, metrics: s.metrics.source(f.name, a.partition)})
	}
	f.ready.Store(true)
	s.log.Info("collector owns", zap.String("topic", f.name), zap.Int("partitions", len(s.owned(f))))
	return nil
}

// giveBack finishes what was taken of the partitions and forgets the rest of them.
func (s *collectorSession) giveBack(f *collectorFeed, parts []int32) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.FinishTimeout)
	defer cancel()
	if err := s.drain(ctx); err != nil {
		return err
	}
	mine := make(map[int32]bool, len(parts))
	for _, p := range parts {
		mine[p] = true
	}
	err := s.commitNow(ctx, f, mine)
	if err != nil { // the next owner repeats; nothing is lost
		s.log.Warn("collector could not commit partitions it gives back", zap.Error(err))
	}
	for _, p := range parts {
		s.drop(f, p)
	}
	return nil
}

// expired: records are gone that nobody has counted, by the retention of the raw topic.
func (s *collectorSession) expired(f *collectorFeed, partition int32, n int64) {
	if n > 0 {
		s.metrics.expired.WithLabelValues(f.name, strconv.Itoa(int(partition))).Add(float64(n))
		s.log.Error("retention of a raw topic removed records before they were collected; they are counted nowhere", zap.String("topic", f.name), zap.Int32("partition", partition), zap.Int64("offsets", n))
	}
}

func (s *collectorSession) drop(f *collectorFeed, partition int32) {
	for i, src := range s.sources {
		if src.feed == f && src.partition == partition {
			f.queued -= src.waiting()
			s.memory.note(src)
			s.metrics.publish(src, s.nowMS())
			s.metrics.forget(src)
			s.sources = append(s.sources[:i], s.sources[i+1:]...)
			return
		}
	}
}

func (s *collectorSession) owned(f *collectorFeed) (out []*collectorSource) {
	for _, src := range s.sources {
		if src.feed == f {
			out = append(out, src)
		}
	}
	return out
}

func (s *collectorSession) find(f *collectorFeed, partition int32) *collectorSource {
	for _, src := range s.sources {
		if src.feed == f && src.partition == partition {
			return src
		}
	}
	return nil
}
