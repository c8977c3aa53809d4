package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/collect"
	"github.com/livemeter/livemeter/pipeline/event"
)

const (
	// collectorRun is how many records are taken between two looks at clock and channels.
	collectorRun = 256
	// collectorCatchUpLinger times the linger while a source is behind: freshness means nothing then, full blocks do.
	collectorCatchUpLinger = 5
	collectorPublishEvery  = time.Second
)

// loop takes records, builds blocks and sends them until ctx or the session ends; nil when it was ctx.
func (s *collectorSession) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		case r := <-s.requests:
			s.handle(r)
		default:
		}
		if err := s.receive(); err != nil {
			return err
		}
		took, err := s.take()
		if err != nil {
			return err
		}
		now := s.cfg.Now()
		if err := s.housekeep(now); err != nil {
			return err
		}
		if took {
			continue
		}
		timer.Reset(s.next(now))
		select {
		case <-ctx.Done():
		case <-s.ctx.Done():
		case r := <-s.requests:
			s.handle(r)
		case <-s.wake:
		case <-timer.C:
		}
	}
}

// receive takes what the clients have brought, and lets them poll again where there is room.
func (s *collectorSession) receive() error {
	for _, f := range s.feeds {
		select {
		case fetches := <-f.got:
			f.asked = false
			if err := s.enqueue(f, fetches); err != nil {
				if loss := (collectorLossError{}); errors.As(err, &loss) {
					err = s.finishFor(err, func() {})
				}
				return err
			}
		default:
		}
		if !f.asked && (f.queued < collectorLowWater || f.queued < collectorHighWater && s.waitsFor(f)) {
			f.asked = true
			f.want <- struct{}{}
		}
	}
	return nil
}

// waitsFor: a partition of the feed has more and nothing of it is here.
func (s *collectorSession) waitsFor(f *collectorFeed) bool {
	for _, src := range s.sources {
		if src.feed == f && len(src.queue) == 0 && src.handed < src.end {
			return true
		}
	}
	return false
}

func (s *collectorSession) enqueue(f *collectorFeed, fetches kgo.Fetches) error {
	for i := range fetches {
		for j := range fetches[i].Topics {
			t := &fetches[i].Topics[j]
			if t.Topic == f.name && t.TopicID != [16]byte{} && t.TopicID != s.topicIDs[f.topic] {
				return fmt.Errorf("topic %s was deleted and made again", f.name)
			}
			for k := range t.Partitions {
				p := &t.Partitions[k]
				if err := s.fetchError(f, p); err != nil {
					return err
				}
				if src := s.find(f, p.Partition); src != nil && t.Topic == f.name {
					if len(p.Records) > 0 { // else it is told again with each answer
						if first := p.Records[0].Offset; first < src.handed {
							return collectorLossError{fmt.Errorf("fetch %s/%d: the client began anew at offset %d, and the records before %d were read: the next session looks where it ends", f.name, p.Partition, first, src.handed)}
						}
						s.expired(f, p.Partition, p.LogStartOffset-src.handed)
					}
					src.push(p)
					f.queued += len(p.Records)
				}
			}
		}
	}
	return nil
}

// fetchError tells what ends the session from what the client mends by itself.
func (s *collectorSession) fetchError(f *collectorFeed, p *kgo.FetchPartition) error {
	group, bomb, loss := (*kgo.ErrGroupSession)(nil), (*kgo.ErrDecompressTooLarge)(nil), (*kgo.ErrDataLoss)(nil)
	switch {
	case p.Err == nil || s.ctx.Err() != nil:
		return nil
	case errors.As(p.Err, &group) || kerr.IsRetriable(p.Err):
		f.failing.failed(time.Now(), p.Err, "collector fetch", zap.String("topic", f.name), zap.Int32("partition", p.Partition))
		return nil
	case errors.As(p.Err, &bomb): // nothing is skipped unseen: this source stands still until an operator decides, the others go on
		s.log.Error("a batch decompresses to more than the collector takes and cannot be read: its partition stands still, and the watermark waits for it (collector.stall_after). "+
			"Find who sent it; to give up its records, stop the collectors and set the group's offset to the one given", zap.String("topic", f.name),
			zap.Int32("partition", p.Partition), zap.Int64("offset", bomb.Offset), zap.Int("limit_bytes", collectorBatchBytes),
			zap.String("group", f.group), zap.Int64("offset_behind_it", bomb.NextOffset))
		return nil
	}
	err := fmt.Errorf("fetch %s/%d: %w", f.name, p.Partition, p.Err)
	if errors.As(p.Err, &loss) {
		return collectorLossError{err}
	}
	return err
}

// ready: every feed knows what it has to read, so that none runs ahead of another. A group that does not come to an end (a killed member
// has to time out) is waited for a little longer than that takes.
func (s *collectorSession) ready() bool {
	if s.started {
		return true
	}
	if s.cfg.Now().Sub(s.opened) <= s.cfg.SessionTimeout+collectorPatienceMS*time.Millisecond {
		for _, f := range s.feeds {
			if !f.ready.Load() {
				return false
			}
		}
	}
	s.started = true
	s.cfg.Health.running()
	return true
}

// take moves one run of records into blocks; false when there is nothing to take or no room.
func (s *collectorSession) take() (took bool, err error) {
	if s.build.bytes >= s.cfg.MaxInflightBytes/2 || !s.ready() {
		return false, nil
	}
	src, limit := collectorPick(s.sources, s.nowMS())
	if src == nil {
		return false, nil
	}
	s.stage.Look()
	if s.oldest.IsZero() {
		s.oldest = s.cfg.Now()
	}
	rec, keptFrom := collect.Record{Topic: src.feed.topic, Source: src.num, Partition: src.partition}, s.keptFrom()
	defer func() {
		if p := recover(); p != nil {
			err = s.poisoned(src, rec.Offset, p)
		}
	}()
	for range collectorRun {
		r := src.pop()
		src.feed.queued--
		src.took(r)
		if !r.Attrs.IsControl() {
			rec.Offset, rec.Timestamp, rec.Value = r.Offset, src.last, r.Value
			s.put(src, &rec, r, keptFrom)
		}
		if len(src.queue) == 0 || src.head > limit {
			break
		}
	}
	return true, nil
}

// put packs one record.
func (s *collectorSession) put(src *collectorSource, rec *collect.Record, r *kgo.Record, keptFrom int64) {
	rec.Refused = event.Verdict{}
	came := int64(0) // when a replay did: its original's receive time says nothing of what is still to come
	if src.feed.topic == event.TopicReplay {
		came = min(rec.Timestamp, s.nowMS())
		s.asOriginal(rec, r)
	}
	if s.cfg.Refuse != nil && rec.Refused.Reason == event.ReasonNone {
		rec.Refused = s.cfg.Refuse(rec.Topic, rec.Value)
	}
	res := s.add(src, rec)
	if res.Recv < keptFrom {
		s.pastTTL(src, r, res.Recv)
	}
	if rec.Original == nil {
		came = res.Recv
	}
	src.recv = max(src.recv, came)
	src.metrics.bytes += uint64(len(r.Value))
	if res.Verdict.Reason == event.ReasonNone {
		src.metrics.valid++
	} else {
		src.metrics.invalid[res.Verdict.Reason]++
		if rec.Original != nil {
			s.stillInvalid(rec.Original, res.Verdict)
		} else {
			s.reject(src, r, res.Verdict, res.Recv)
		}
	}
	if s.stage.Writer(res.Partition).Size() >= s.cfg.BlockBytes {
		s.seal(res.Partition)
	}
}

// seal moves the open block of a partition into the batch being built.
func (s *collectorSession) seal(partition int) {
	w := s.stage.Writer(partition)
	n := w.Len()
	if n == 0 {
		return
	}
	var next []byte
	if k := len(s.spare); k > 0 {
		next, s.spare = s.spare[k-1], s.spare[:k-1]
	}
	value := w.Seal(next)
	s.metrics.blockSize.Observe(float64(n))
	s.metrics.blockBytes.Observe(float64(len(value)))
	s.build.add(s.eventsTopic, int32(partition), nil, value)
	s.build.blocks = append(s.build.blocks, value)
}

// toAll adds a control record for every partition.
func (s *collectorSession) toAll(value []byte) {
	for p := range int32(s.cfg.Settings.Partitions) {
		s.build.add(s.eventsTopic, p, nil, value)
	}
}

// housekeep does what is due.
func (s *collectorSession) housekeep(now time.Time) error {
	select {
	case err := <-s.sender.out:
		if err := s.acknowledged(err); err != nil {
			return err
		}
	default:
	}
	if err := s.askEnds(now); err != nil {
		return err
	}
	if s.under == nil && (s.lingered(now) || s.progressDue(now) || s.build.bytes >= s.cfg.MaxInflightBytes/2) {
		s.launch(now)
	}
	if now.Sub(s.pace.commit) >= s.cfg.CommitEvery {
		s.pace.commit = now
		s.commitLater()
	}
	if now.Sub(s.pace.publish) >= collectorPublishEvery {
		s.publish(now)
	}
	return s.lookAround(now)
}

func (s *collectorSession) lingered(now time.Time) bool {
	if s.oldest.IsZero() {
		return false
	}
	return now.Sub(s.oldest) >= s.linger()
}

func (s *collectorSession) linger() time.Duration {
	for _, src := range s.sources {
		if !src.atEnd() {
			return collectorCatchUpLinger * s.cfg.Linger
		}
	}
	return s.cfg.Linger
}

func (s *collectorSession) progressDue(now time.Time) bool {
	return len(s.sources) > 0 && now.Sub(s.pace.progress) >= s.cfg.ProgressEvery
}

// next is how long nothing is due unless something happens.
func (s *collectorSession) next(now time.Time) time.Duration {
	d := min(s.pace.commit.Add(s.cfg.CommitEvery).Sub(now), s.pace.publish.Add(collectorPublishEvery).Sub(now))
	if s.under == nil {
		if !s.oldest.IsZero() {
			d = min(d, s.oldest.Add(s.linger()).Sub(now))
		}
		if len(s.sources) > 0 {
			d = min(d, s.pace.progress.Add(s.cfg.ProgressEvery).Sub(now))
		}
	}
	for _, src := range s.sources {
		if src.since != 0 && len(src.queue) == 0 {
			d = min(d, collectorPatienceMS*time.Millisecond)
		}
	}
	return max(d, 0)
}
