package audit

import (
	"context"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// topic is one raw topic.
type topic struct {
	of    event.Topic
	name  string // with prefix
	parts []*partition
	ahead int64 // records dated after the audit
}

// partition is one of a raw topic.
type partition struct {
	number          int32
	start           int64 // first offset that Kafka has
	committed       int64 // what is before it was in the log when the audit began
	from, next, end int64 // what is to be read
	over            bool
	begins          int64 // receive time of the first record read, −1 without one
	newest          int64 // highest receive time read
	minutes         []tally
	outcomes        []int64
}

// readTopics finds the partitions. One that is missing in an answer is an error: it would look as if nothing had come.
func (a *audit) readTopics(ctx context.Context) error {
	a.Doing("asking Kafka for the raw topics")
	for t, name := range event.Arrivals {
		top := &topic{of: event.Topic(t), name: a.Config.Kafka.Prefix + name}
		ends, err := listed(a.adm.ListCommittedOffsets(ctx, top.name))
		if err != nil {
			return fmt.Errorf("%s: %w: has the pipeline run on this Kafka, and is --kafka-prefix right?", top.name, err)
		}
		for p := range int32(len(ends)) {
			if _, ok := ends[p]; !ok {
				return fmt.Errorf("%s: Kafka has not told of partition %d", top.name, p)
			}
			top.parts = append(top.parts, &partition{number: p, begins: -1})
		}
		a.topics[t] = top
	}
	return nil
}

// listed are the offsets of an answer about one topic, by partition.
func listed(all kadm.ListedOffsets, err error) (map[int32]int64, error) {
	if err == nil {
		err = all.Error()
	}
	if err != nil {
		return nil, err
	}
	out := map[int32]int64{}
	all.Each(func(o kadm.ListedOffset) { out[o.Partition] = o.Offset })
	return out, nil
}

// readCommitted notes how far the collector has come.
func (a *audit) readCommitted(ctx context.Context) error {
	for _, t := range a.topics {
		committed, err := service.Committed(ctx, a.adm, service.RawGroup(a.Config, t.of))
		if err != nil {
			return err
		}
		for _, p := range t.parts {
			if o, ok := committed.Lookup(t.name, p.number); ok {
				p.committed = max(o.At, 0)
			}
			p.minutes, p.outcomes = make([]tally, a.period.minutes()), make([]int64, a.period.minutes())
		}
	}
	return nil
}

// readEnds decides what is to be read, and tells how much of it is not counted yet. Costs are read from their beginning, see costs.
func (a *audit) readEnds(ctx context.Context) error {
	for _, t := range a.topics {
		starts, err := listed(a.adm.ListStartOffsets(ctx, t.name))
		if err != nil {
			return fmt.Errorf("start of %s: %w", t.name, err)
		}
		froms, err := listed(a.adm.ListOffsetsAfterMilli(ctx, a.period.from, t.name))
		if err != nil {
			return fmt.Errorf("offsets of %s: %w", t.name, err)
		}
		ends, err := listed(a.adm.ListCommittedOffsets(ctx, t.name))
		if err != nil {
			return fmt.Errorf("end of %s: %w", t.name, err)
		}
		line := Line{Check: checkOffsets, Of: t.name}
		for _, p := range t.parts {
			p.start, p.next, p.end = starts[p.number], max(froms[p.number], starts[p.number]), ends[p.number]
			if t.of == event.TopicCost {
				p.next = p.start
			}
			p.from = p.next
			line.Expected += p.end
			line.Found += min(p.committed, p.end)
			line.UnderWay += max(0, p.end-max(p.committed, p.start))
		}
		a.report.add(line)
	}
	return a.readLog(ctx)
}

// readLog tells how far the readers are behind the end of the log, and who copies dead letters behind the end of theirs.
func (a *audit) readLog(ctx context.Context) error {
	name := a.Config.Kafka.Prefix + runtime.TopicEvents
	ends, err := listed(a.adm.ListEndOffsets(ctx, name))
	if err != nil {
		return fmt.Errorf("end of %s: %w", name, err)
	}
	parts := make([]int32, 0, len(ends))
	for p := range ends {
		parts = append(parts, p)
	}
	slices.Sort(parts)
	for _, p := range parts {
		at := a.report.applied[uint16(p)]
		a.report.add(Line{Check: checkOffsets, Of: fmt.Sprintf("%s/%d", name, p), Expected: ends[p], Found: at, UnderWay: max(0, ends[p]-at)})
	}
	return nil
}

// firstCompared is the first minute that is compared of a partition. Where Kafka has lost its head to retention, or has another topic's outcomes under this
// name, nothing up to the minute of its first record can be.
func (a *audit) firstCompared(p *partition) int {
	end := a.period.compared()
	if p.from > p.start || p.begins >= 0 && p.begins < a.period.from {
		return 0
	}
	first := end
	if p.begins >= 0 && p.begins < a.period.to {
		first = a.period.index(p.begins)
	}
	if p.start == 0 && !slices.ContainsFunc(p.outcomes[:first], func(n int64) bool { return n != 0 }) {
		return 0
	}
	return min(first+1, end)
}
