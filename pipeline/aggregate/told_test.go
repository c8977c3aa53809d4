package aggregate

import (
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// minuteStore keeps the highest version of the only minute's row.
type minuteStore struct {
	version uint64
	panes   int
	state   uint8 // of all rows
}

func (s *minuteStore) write(b *rollup.Batch) {
	for _, c := range b.Cells {
		for i, g := range c.Grain {
			if measure.Grain(g) == measure.Grain1m && c.Version[i] >= s.version {
				at, _ := c.Panes(i)
				s.state |= c.State[i]
				s.version, s.panes = c.Version[i], 0
				for _, k := range at {
					if measure.Slot(k%measure.PaneStride) == measure.Online {
						s.panes++
					}
				}
			}
		}
	}
}

// A row with all panes leaves while a replay stands still; one of before the crash, with a higher version, has not all of them: the minute's last row is
// sent for it.
func TestPanesAfterAReplayThatStoodStill(t *testing.T) {
	var s minuteStore
	start := func() (*Aggregator, cellkey.ID) {
		a := New(0, cellkey.NewTable())
		return a, a.keys.Of(cellkey.Key{Cube: measure.Room, Platform: "p", Room: "r", Session: "s"})
	}
	set := &eventlog.Settings{LatenessMS: 60_000, SessionGapMS: hourMS, Zone: "UTC"}
	apply := func(a *Aggregator, offset, wm int64, changes ...change.Change) {
		t.Helper()
		if err := a.Apply(&change.Record{Offset: offset, Watermark: wm, MaxRecv: wm, Changes: changes, Settings: set}); err != nil {
			t.Fatal(err)
		}
	}
	flush := func(a *Aggregator) {
		var b rollup.Batch
		token, _ := a.Flush(&b, false)
		s.write(&b)
		a.Ack(token)
	}
	first := func(a *Aggregator, room cellkey.ID) {
		apply(a, 1, 1000, change.Change{TS: 1000, Recv: 1000, Delta: 1, Key: room, Mask: change.AllGrains, Flags: change.Own},
			change.Change{TS: 20_000, Recv: 1000, Delta: 1, Key: room, Slot: measure.Online, Mask: change.PaneOnly},
			change.Change{TS: 30_000, Recv: 1000, Delta: 1, Key: room, Slot: measure.Online, Mask: change.PaneOnly})
	}
	a, room := start()
	first(a, room)
	apply(a, 2, 2000)
	flush(a) // the last thing this process does
	b, room := start()
	first(b, room)
	for range 51 { // the replay stands still after offset 1: Kafka is slow
		flush(b)
	}
	log := changelog{}
	log.save(b)
	b = log.mustRestore(t) // and ends once more, with what has left so far
	apply(b, 2, 2000)
	apply(b, 3, 200_000)
	for range 51 {
		flush(b)
	}
	if s.state&^(rollup.Counts|rollup.Closed) != 0 {
		t.Errorf("rows have state %b", s.state)
	}
	if s.panes != 2 {
		t.Errorf("the minute shows %d panes with somebody online, want 2 (version %d)", s.panes, s.version)
	}
}

// An hour's first generation closes early; the second closes by the watermark before the first has left, and waits: the hour is not told before.
func TestHourToldBeforeItsSecondGeneration(t *testing.T) {
	for _, behind := range []bool{false, true} {
		a := New(0, cellkey.NewTable())
		key := func(r string) cellkey.ID {
			return a.keys.Of(cellkey.Key{Cube: measure.Room, Platform: "p", Room: r, Session: "s"})
		}
		set := &eventlog.Settings{LatenessMS: 60_000, SessionGapMS: hourMS, Zone: "UTC", MaxCells: 2}
		offset := int64(0)
		apply := func(wm int64, changes ...change.Change) {
			t.Helper()
			offset++
			if err := a.Apply(&change.Record{Offset: offset, Watermark: wm, MaxRecv: wm, Changes: changes, Settings: set}); err != nil {
				t.Fatal(err)
			}
		}
		event := func(room string, ts int64) change.Change {
			return change.Change{TS: ts, Recv: ts, Delta: 1, Key: key(room), Mask: change.AllGrains, Flags: change.Own}
		}
		stored, want, told := map[uint64]int64{}, int64(0), int64(0)
		flush := func() {
			var b rollup.Batch
			token, _ := a.Flush(&b, behind)
			for _, c := range b.Cells {
				for i, g := range c.Grain {
					if measure.Grain(g) == measure.Grain1h && c.Room[i] == "r" {
						stored[c.Gen[i]] = c.Value(0, i)
					}
				}
			}
			for _, w := range b.Watermarks {
				told = w.HoursTold
			}
			a.Ack(token)
			sum := int64(0)
			for _, v := range stored {
				sum += v
			}
			if told >= hourMS && sum != want {
				t.Errorf("behind=%v: the hour is told with %d events of %d", behind, sum, want)
			}
		}
		for range 10 {
			flush()
		}
		apply(1000, event("r", 1000)) // minute and hour
		for range 10 {
			flush()
		}
		apply(2000, event("x", 1000), event("y", 1000)) // too many: all of the hour close
		set = &eventlog.Settings{LatenessMS: 60_000, SessionGapMS: hourMS, Zone: "UTC", MaxCells: 1 << 20}
		apply(100_000, event("r", 100_000)) // another minute, whose row need not wait
		want = 2
		apply(200_000)
		apply(hourMS + 65_000)
		if behind {
			apply(hourMS + 300_000)
		}
		for range 10 {
			flush()
		}
	}
}
