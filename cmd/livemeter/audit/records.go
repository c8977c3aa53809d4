package audit

import (
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/pipeline/event"
)

// silence is how long a partition that has more may bring nothing.
const silence = time.Minute

// readRecords counts the records of all raw topics, of each up to where it ends now: what ClickHouse was asked for is among them.
func (a *audit) readRecords(ctx context.Context) error {
	if err := a.readEnds(ctx); err != nil {
		return err
	}
	a.costs = newCosts()
	for _, t := range a.topics {
		if err := a.readTopic(ctx, t); err != nil {
			return fmt.Errorf("read %s: %w", t.name, err)
		}
	}
	return nil
}

// readTopic reads as the collector does: what was committed, and control records for the position alone.
func (a *audit) readTopic(ctx context.Context, t *topic) error {
	offsets, left, all := map[int32]kgo.Offset{}, 0, int64(0)
	for _, p := range t.parts {
		if p.next < p.end {
			offsets[p.number] = kgo.NewOffset().At(p.next)
			left++
			all += p.end - p.next
		}
	}
	if left == 0 {
		return nil
	}
	client, err := kgo.NewClient(append(a.opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{t.name: offsets}), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxBytes(16<<20), kgo.FetchMaxPartitionBytes(4<<20))...)
	if err != nil {
		return err
	}
	defer client.Close()
	now, done, came := time.Now().UnixMilli(), int64(0), time.Now()
	for left > 0 {
		a.Doing(fmt.Sprintf("reading %s, %s of %s records", t.name, ui.Count(done), ui.Count(all)))
		poll, cancel := context.WithTimeout(ctx, silence)
		fetches := client.PollRecords(poll, 1<<14)
		cancel()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for _, e := range fetches.Errors() {
			if poll.Err() == nil {
				return fmt.Errorf("partition %d: %w", e.Partition, e.Err)
			}
		}
		if fetches.NumRecords() > 0 {
			came = time.Now()
		} else if time.Since(came) >= silence {
			return fmt.Errorf("%d partitions have more and bring nothing", left)
		}
		fetches.EachPartition(func(f kgo.FetchTopicPartition) {
			p := t.parts[f.Partition]
			for _, r := range f.Records {
				if p.next >= p.end {
					break
				}
				p.next = r.Offset + 1
				done++
				if r.Offset < p.end && !r.Attrs.IsControl() {
					a.count(t, p, r, now)
				}
			}
			if p.next >= p.end && !p.over {
				p.over = true
				left--
				client.PauseFetchPartitions(map[string][]int32{t.name: {p.number}})
			}
		})
	}
	return nil
}

// count puts one record into its minute. Its receive time is its timestamp, but no later than when the collector takes it and not before 1970.
func (a *audit) count(t *topic, p *partition, r *kgo.Record, now int64) {
	if t.of == event.TopicCost {
		a.costs.add(r.Value)
	}
	ms := max(r.Timestamp.UnixMilli(), 0)
	if ms > now {
		t.ahead++
	}
	unsure := r.Offset >= p.committed
	if !a.settle && ms < p.newest { // it may have come after the watermark had passed its minute
		unsure = true
	}
	p.newest = max(p.newest, ms)
	if p.begins < 0 {
		p.begins = ms
	}
	i := a.period.index(ms)
	if i < 0 {
		return
	}
	m := &p.minutes[i]
	m.records++
	if unsure {
		m.unsure++
	}
	if ms%minuteMS < aheadMS {
		m.early++
	}
}

// costs are the cost events there are, to know how many of them count in no room: the only accepted events that do not.
type costs struct {
	dec  *event.Decoder
	ev   event.Event
	seed maphash.Seed
	keys map[uint64]uint8 // by natural key: bits of cost*
	full bool
}

func newCosts() *costs {
	return &costs{dec: event.NewDecoder(), seed: maphash.MakeSeed(), keys: map[uint64]uint8{}}
}

const (
	costWithRoom = 1 << iota
	costWithout
)

// maxCosts bounds their memory.
const maxCosts = 2_000_000

func (c *costs) add(value []byte) {
	if v := c.dec.Decode(event.TopicCost, value, &c.ev); v.Reason != event.ReasonNone || c.full {
		return
	}
	var h maphash.Hash
	h.SetSeed(c.seed)
	fmt.Fprintf(&h, "%q %q %d", c.ev.Platform, c.ev.CostID, c.ev.CostVersion)
	bit := uint8(costWithRoom)
	if c.ev.Room == "" {
		bit = costWithout
	}
	c.keys[h.Sum64()] |= bit
	c.full = len(c.keys) > maxCosts
}

// roomless is how many of the accepted cost events name no room. Which of two copies was the first in the log the raw topic does not tell, and what
// retention has taken of it nobody knows.
func (c *costs) roomless(accepted int64) (least, most int64) {
	if c.full || int64(len(c.keys)) != accepted {
		return 0, accepted
	}
	for _, bits := range c.keys {
		if bits == costWithout {
			least++
		}
		if bits&costWithout != 0 {
			most++
		}
	}
	return least, most
}
