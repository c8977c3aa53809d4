package runtime

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// An event over which a stage panics is isolated: its outcome is invalid, reason internal, all else flows.
//
// The life of the partition that met it ends, and with it whatever the event has half done. The next one applies that record entry by entry, meets the panic
// again and knows the entry. The one after that sends its dead letter and writes the entry down in the changelog, before it applies anything: so whoever has the
// partition from then on skips it, also with a program that would not panic. Only state that begins anew forgets it.

// Poison is an entry of the log over which a stage panicked.
type Poison struct {
	Offset int64 // of the record in the log
	Entry  int   // of the record

	Source       eventlog.SourceID // provenance of the event
	Topic        string            // of the source, "" where it is not known
	SourceOffset int64
	Recv         int64 // ms
	Marker       bool  // of a record that is rejected already, or a replay of one: it has its dead letter

	Cause error // with the stack
}

// skipKey is the reader's own in a changelog, too: the entries that are not applied.
const skipKey = "\x00skip"

// skip is an entry that is not applied.
type skip struct {
	offset int64
	entry  int
}

func packSkips(list []skip) []byte {
	out := []byte{} // not nil, which would delete
	for _, s := range list {
		out = binary.AppendUvarint(binary.AppendVarint(out, s.offset), uint64(s.entry))
	}
	return out
}

func unpackSkips(value []byte) (list []skip, err error) {
	for len(value) > 0 {
		offset, n := binary.Varint(value)
		entry, m := binary.Uvarint(value[max(n, 0):])
		if n <= 0 || m <= 0 {
			return nil, errors.New("damaged")
		}
		list, value = append(list, skip{offset, int(entry)}), value[n+m:]
	}
	return list, nil
}

// suspicion is what a slot knows from one life to the next.
type suspicion struct {
	offsets map[int64]bool // of records over which the task panicked
	poison  *Poison        // found, and not written down yet
}

// panicked ends a life.
type panicked struct {
	offset int64
	cause  error
}

func (p *panicked) Error() string { return fmt.Sprintf("the task panicked at offset %d", p.offset) }
func (p *panicked) Unwrap() error { return p.cause }

var errPoison = errors.New("an event over which a stage panics was found: it is skipped from here on")

// applyTask calls the task.
func (t *partition) applyTask(rec *kgo.Record) (err error) {
	if len(t.s.suspicion.offsets) > 0 && t.s.suspicion.offsets[rec.Offset] {
		return t.isolate(rec)
	}
	defer func() {
		if p := recover(); p != nil {
			err = &panicked{rec.Offset, fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	return t.task.Apply(rec.Offset, rec.Value)
}

// isolate applies a record that a former life panicked over.
func (t *partition) isolate(rec *kgo.Record) error {
	poison, err := t.task.Isolate(rec.Offset, rec.Value)
	if poison == nil {
		return err
	}
	t.s.suspicion.poison = poison
	return errPoison
}

// suspect notes a record over which the task panicked: false where there are too many.
func (s *slot) suspect(p *panicked) bool {
	s.r.metrics.panics.Inc()
	s.r.log.Error("a stage panicked: the partition is restored from its last checkpoint, to find the event", zap.Int32("partition", s.id), zap.Int64("offset", p.offset), zap.Error(p.cause))
	if s.suspicion.offsets == nil {
		s.suspicion.offsets = map[int64]bool{}
	}
	s.suspicion.offsets[p.offset] = true
	return len(s.suspicion.offsets) <= s.r.cfg.MaxSkips
}

// skipPoison tells the restored task what it is to skip, and writes down before that what a former life has found. next is where it goes on.
func (t *partition) skipPoison(ctx context.Context, saved []byte, next int64) error {
	list, err := unpackSkips(saved)
	if err != nil {
		return fatal("partition %d of %s: changelog %s: list of skipped events: %w", t.s.id, t.r.cfg.Topic, t.r.cfg.Changelog, err)
	}
	maps.DeleteFunc(t.s.suspicion.offsets, func(offset int64, _ bool) bool { return offset < next })
	list = slices.DeleteFunc(list, func(s skip) bool { return s.offset < next }) // the state has them behind it
	if p := t.s.suspicion.poison; p != nil {
		if list = append(list, skip{p.Offset, p.Entry}); len(list) > t.r.cfg.MaxSkips {
			return fatal("partition %d of %s: stages panicked over %d events since the last checkpoint: that is no single event's fault, and nothing more is skipped. "+
				"Run a version that does not, and please report it: %w", t.s.id, t.r.cfg.Topic, len(list), p.Cause)
		}
		if err := t.r.deadLetter(ctx, p); err != nil && refusedForGood(err) { // it would be refused in each life to come, and the rest is to flow
			t.r.log.Error("an event that is skipped has no dead letter: Kafka refuses it. Its bytes are in the raw topic for as long as that keeps them",
				zap.String("topic", t.r.cfg.RejectedTopic), zap.String("source_topic", p.Topic), zap.Int32("source_partition", p.Source.Partition), zap.Int64("source_offset", p.SourceOffset), zap.Error(err))
		} else if err != nil {
			return fmt.Errorf("dead letter of an event to be skipped: %w", err)
		}
		if _, err := t.changelog.commit(ctx, t.changelog.record([]byte(skipKey), packSkips(list))); err != nil {
			return err
		}
		t.s.suspicion.poison = nil
		t.r.metrics.poison.Inc()
		t.r.log.Error("an event is skipped: a stage panics over it. Its outcome is invalid, reason internal; please report it", zap.Int32("partition", t.s.id), zap.Int64("offset", p.Offset),
			zap.Int("entry", p.Entry), zap.String("source_topic", p.Topic), zap.Int32("source_partition", p.Source.Partition), zap.Int64("source_offset", p.SourceOffset), zap.Error(p.Cause))
	}
	for _, s := range list {
		t.task.Skip(s.offset, s.entry)
	}
	return nil
}

// letterLimit bounds key and value of a dead letter of poison, below what every client sends and every topic takes: an event has 32 KiB at most, its key no limit.
const letterLimit = 900 << 10

// refusedForGood: to try it again is of no use.
func refusedForGood(err error) bool {
	answer := (*kerr.Error)(nil)
	return errors.As(err, &answer) && !answer.Retriable
}

// deadLetter sends that of an event that is skipped, with its bytes where the raw topic still has them. It may be sent twice: it is known by the event's provenance.
func (r *Reader) deadLetter(ctx context.Context, p *Poison) error {
	if r.cfg.RejectedTopic == "" || p.Marker {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, commitLimit)
	defer cancel()
	all, err := r.admin.ListTopics(ctx)
	if err != nil {
		return fmt.Errorf("list topics: %w", err)
	}
	letter := &kgo.Record{Topic: r.cfg.RejectedTopic}
	for _, d := range all {
		if [16]byte(d.ID) == p.Source.TopicID {
			p.Topic = d.Topic
			if letter.Key, letter.Value, err = r.original(ctx, p); err != nil {
				return err
			}
		}
	}
	var cut []kgo.RecordHeader
	letter.Key, letter.Value, cut = cutTo(letterLimit, letter.Key, letter.Value)
	letter.Headers = append(rejectHeaders(event.Verdict{Reason: event.Internal}, p.Topic, p.Source, p.SourceOffset, p.Recv), cut...)
	cl, err := kgo.NewClient(r.opts()...)
	if err != nil {
		return fmt.Errorf("%s: Kafka client: %w", letter.Topic, err)
	}
	defer cl.Close()
	return cl.ProduceSync(ctx, letter).FirstErr()
}

// original reads a raw record, nil where the topic no longer has it.
func (r *Reader) original(ctx context.Context, p *Poison) (key, value []byte, err error) {
	starts, err := r.admin.ListStartOffsets(ctx, p.Topic)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: list start offsets: %w", p.Topic, err)
	}
	ends, err := r.admin.ListEndOffsets(ctx, p.Topic)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: list end offsets: %w", p.Topic, err)
	}
	first, _ := starts.Lookup(p.Topic, p.Source.Partition)
	end, _ := ends.Lookup(p.Topic, p.Source.Partition)
	if p.SourceOffset < first.Offset || p.SourceOffset >= end.Offset {
		return nil, nil, nil
	}
	cl, err := kgo.NewClient(r.opts(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{p.Topic: {p.Source.Partition: kgo.NewOffset().At(p.SourceOffset)}}))...)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: Kafka client: %w", p.Topic, err)
	}
	defer cl.Close()
	for {
		fs := cl.PollRecords(ctx, 1)
		if err := fs.Err(); err != nil {
			return nil, nil, fmt.Errorf("%s: read offset %d: %w", p.Topic, p.SourceOffset, err)
		}
		for _, rec := range fs.Records() {
			if rec.Offset != p.SourceOffset {
				return nil, nil, nil
			}
			return rec.Key, rec.Value, nil
		}
	}
}
