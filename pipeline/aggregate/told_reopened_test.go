package aggregate

import (
	"cmp"
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// hourStore keeps the newest row of each generation of one room's first hour.
type hourStore struct {
	version map[uint64]uint64
	value   map[uint64]int64
	told    int64
}

func (s *hourStore) write(b *rollup.Batch) {
	for _, c := range b.Cells {
		for i, g := range c.Grain {
			if measure.Grain(g) == measure.Grain1h && c.Room[i] == "r" && c.Window[i] == 0 && c.Version[i] >= s.version[c.Gen[i]] {
				s.version[c.Gen[i]], s.value[c.Gen[i]] = c.Version[i], c.Value(0, i)
			}
		}
	}
	for _, w := range b.Watermarks {
		s.told = w.HoursTold
	}
}

func (s *hourStore) sum() (n int64) {
	for _, v := range s.value {
		n += v
	}
	return n
}

type rig struct {
	t      *testing.T
	a      *Aggregator
	s      hourStore
	offset int64
	cells  uint32
	zone   string // UTC without one
}

func newRig(t *testing.T) *rig {
	return &rig{t: t, a: New(0, cellkey.NewTable()), s: hourStore{version: map[uint64]uint64{}, value: map[uint64]int64{}}}
}

func (r *rig) event(room string, ts int64) change.Change {
	return change.Change{TS: ts, Recv: ts, Delta: 1, Key: r.a.keys.Of(cellkey.Key{Cube: measure.Room, Platform: "p", Room: room, Session: "s"}), Mask: change.AllGrains, Flags: change.Own}
}

func (r *rig) apply(wm, lateness int64, changes ...change.Change) {
	r.t.Helper()
	r.offset++
	if err := r.a.Apply(&change.Record{Offset: r.offset, Watermark: wm, MaxRecv: wm, Changes: changes, Settings: &eventlog.Settings{LatenessMS: lateness, SessionGapMS: hourMS, Zone: cmp.Or(r.zone, "UTC"), MaxCells: r.cells}}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) flush(n int) {
	for range n {
		var b rollup.Batch
		token, _ := r.a.Flush(&b, false)
		r.s.write(&b)
		r.a.Ack(token)
	}
}

// The lateness is raised while an hour waits for stragglers.
func TestRaisedLateness(t *testing.T) {
	r := newRig(t)
	r.apply(1000, 60_000, r.event("r", 1000))
	r.flush(10)
	r.apply(hourMS+50_000, 60_000)
	r.apply(hourMS+50_000, 60_000, r.event("r", 61_000)) // a straggler's minute: open for five minutes more
	r.apply(hourMS+70_000, 60_000)                       // the hour is final, and waits
	r.flush(10)
	t.Log(r.s.told, r.s.sum())
	r.apply(hourMS+90_000, 120_000)
	r.apply(hourMS+100_000, 120_000, r.event("r", 62_000)) // before the hour is final again
	r.apply(hourMS+130_000, 120_000)
	r.flush(60)
	if r.s.told >= hourMS && r.s.sum() != 3 {
		t.Errorf("the hour is told with %d events of 3", r.s.sum())
	}
	r.apply(hourMS+300_000, 120_000)
	r.flush(60)
	if r.s.told >= hourMS && r.s.sum() != 3 {
		t.Errorf("200 s later: the hour is told with %d events of 3", r.s.sum())
	}
}
