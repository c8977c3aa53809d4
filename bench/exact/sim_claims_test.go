//go:build synctests

package exact

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// claims judges the log by itself: whether all that is claimed of sources is a fact, and what the watermark is at each offset. No number depends on it: a
// window that is final too early is corrected.
type claims struct {
	parts map[int32]*claimsOf
	next  map[int32]int64 // offset, by partition
	wrong []string
}

func newClaims() *claims { return &claims{parts: map[int32]*claimsOf{}, next: map[int32]int64{}} }

// claimsOf is one partition of the log.
type claimsOf struct {
	names   map[[16]byte]string // of topics
	sources map[eventlog.SourceID]*claimed
	low     map[int64]int64 // lowest receive time of the declared sources after each offset, never falling; 0 while one has none
	wm      int64
}

type claimed struct {
	declared bool
	retired  bool  // its topic was made again
	high     int64 // offset after the highest entry
	reach    int64 // offset after the highest one that was claimed to stand before
	recv     int64 // highest receive time, of entries and of claims that reach what was known
	idle     eventlog.ProgressItem
}

// read goes on to the present end of the log.
func (c *claims) read(ctx context.Context, w *world) {
	ends, err := w.adm.ListEndOffsets(ctx, runtime.TopicEvents)
	if err != nil {
		w.t.Fatal(err)
	}
	left, from := map[int32]int64{}, map[int32]kgo.Offset{}
	for _, e := range ends.Offsets().Sorted() {
		if e.At > c.next[e.Partition] {
			left[e.Partition], from[e.Partition] = e.At, kgo.NewOffset().At(c.next[e.Partition])
		}
	}
	if len(left) == 0 {
		return
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.Dialer(w.network.DialContext), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{runtime.TopicEvents: from}))
	if err != nil {
		w.t.Fatal(err)
	}
	defer cl.Close()
	for len(left) > 0 {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		fetches := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			w.t.Fatal("the log is not to be read")
		}
		cancel()
		fetches.EachRecord(func(r *kgo.Record) {
			if err := c.record(r); err != nil {
				w.t.Fatal(err)
			}
			c.next[r.Partition] = r.Offset + 1
			if c.next[r.Partition] >= left[r.Partition] {
				delete(left, r.Partition)
			}
		})
	}
}

func (c *claims) record(r *kgo.Record) error {
	p := c.parts[r.Partition]
	if p == nil {
		p = &claimsOf{names: map[[16]byte]string{}, sources: map[eventlog.SourceID]*claimed{}, low: map[int64]int64{}}
		c.parts[r.Partition] = p
	}
	defer p.advance(r.Offset)
	kind, err := eventlog.RecordType(r.Value)
	if err != nil {
		return err
	}
	switch kind {
	case eventlog.RecordSources:
		var rec eventlog.Sources
		err = eventlog.DecodeSources(r.Value, &rec)
		for _, t := range rec.Topics {
			p.declare(t)
		}
	case eventlog.RecordProgress:
		var rec eventlog.Progress
		err = eventlog.DecodeProgress(r.Value, &rec)
		for _, it := range rec.Items {
			p.of(it.Source).claim(it)
		}
	case eventlog.RecordBlock:
		var rec eventlog.Block
		err = eventlog.Decode(r.Value, &rec)
		for i := range rec.Entries {
			e := &rec.Entries[i]
			if why := p.of(rec.Sources[e.Source]).entry(e.Offset, e.Recv); why != "" {
				c.wrong = append(c.wrong, fmt.Sprintf("events/%d@%d: source %v: %s", r.Partition, r.Offset, rec.Sources[e.Source], why))
			}
		}
	}
	return err
}

// declare: a topic of a new id takes the place of one of the same name, for good.
func (p *claimsOf) declare(t eventlog.SourceTopic) {
	if p.names[t.ID] == "" {
		for id, s := range p.sources {
			if p.names[id.TopicID] == t.Name {
				s.retired = true
			}
		}
		p.names[t.ID] = t.Name
	}
	for i := range t.Partitions {
		p.of(eventlog.SourceID{TopicID: t.ID, Partition: i}).declared = true
	}
}

func (p *claimsOf) of(id eventlog.SourceID) *claimed {
	if p.sources[id] == nil {
		p.sources[id] = &claimed{}
	}
	return p.sources[id]
}

func (s *claimed) claim(it eventlog.ProgressItem) {
	if it.Offset+1 >= max(s.reach, s.high) {
		s.reach, s.recv = it.Offset+1, max(s.recv, it.Recv)
	}
	if it.Recv > s.idle.Recv {
		s.idle = it
	}
}

// entry says which claim before it was no fact. What is repeated says nothing.
func (s *claimed) entry(offset, recv int64) (why string) {
	switch {
	case offset < s.high:
		return ""
	case offset < s.reach:
		why = fmt.Sprintf("entry %d stands behind a claim that all before %d stand before it", offset, s.reach)
	case s.idle.Offset < offset && s.idle.Recv > recv:
		why = fmt.Sprintf("entry %d was received %d ms before the time at which nothing behind %d was claimed to be there", offset, s.idle.Recv-recv, s.idle.Offset)
	}
	s.high, s.recv = offset+1, max(s.recv, recv)
	return why
}

func (p *claimsOf) advance(offset int64) {
	low := int64(math.MaxInt64)
	for _, s := range p.sources {
		if s.declared && !s.retired {
			low = min(low, s.recv)
		}
	}
	if low < math.MaxInt64 {
		p.wm = max(p.wm, low)
	}
	p.low[offset] = p.wm
}

// told compares what the store was told with the watermark at the offset of it. As services the aggregator's offsets are those of another topic.
func (c *claims) told(s *store) {
	for _, said := range s.said {
		p := c.parts[int32(said.Part)]
		if p == nil || said.WM > p.low[int64(said.Version)] {
			c.wrong = append(c.wrong, fmt.Sprintf("partition %d: watermark %d was told at offset %d", said.Part, said.WM, said.Version))
		}
	}
}
