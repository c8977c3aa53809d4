package enrich

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// A block is worked off some entries at a time: what it changes is what its entries change, each in a block of its own. The second round finds all viewers known.
func TestBlocksOfManyEntries(t *testing.T) {
	const entries = 3*warmEntries + 5
	play := func(perBlock int) (all []string) {
		dict := eventlog.NewDict(0)
		w, src := eventlog.NewWriter(dict), dict.Source(eventlog.SourceID{TopicID: [16]byte{1}})
		keys := cellkey.NewTable()
		e, offset := New(0, keys), int64(0)
		apply := func(value []byte) *change.Record {
			rec, err := e.Apply(offset, value)
			if err != nil {
				t.Fatal(err)
			}
			offset++
			return rec
		}
		apply(eventlog.AppendSettings(nil, &eventlog.Settings{Partitions: 1, HorizonMS: hourMS, LatenessMS: 60_000, SessionGapMS: hourMS, DedupeMS: 600_000, Zone: "UTC"}))
		for n := range 2 * entries {
			v := uint64(n%entries) + 1
			in := eventlog.Input{Offset: int64(n), Recv: 1e12 + int64(n), TS: 1e12, Platform: "p", Room: fmt.Sprint("r", v%7), Session: "s", ViewerHi: v << 32, ViewerLo: v, EventFP: uint64(n) + 1, View: v}
			if in.Sub = uint8(event.Enter); n >= entries {
				in.Sub, in.Value = uint8(event.Heartbeat), int64(v)
			}
			w.Add(src, &in)
			if w.Len() < perBlock && n != 2*entries-1 {
				continue
			}
			for _, c := range apply(w.Seal(nil)).Changes {
				if keys.Cube(c.Key) != cellkey.Outcomes { // one a block
					key := keys.Key(c.Key)
					c.Key = 0 // numbered in the order in which blocks name things
					all = append(all, fmt.Sprintf("%v %+v", key, c))
				}
			}
		}
		return all
	}
	one := play(1)
	if len(one) < 4*entries {
		t.Fatalf("%d changes of %d entries", len(one), 2*entries)
	}
	if d := cmp.Diff(one, play(entries)); d != "" {
		t.Errorf("blocks of one entry and of %d differ:\n%.1500s", entries, d)
	}
}
