package aggregate

import (
	"testing"
	"time"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// changelog is what has been saved, by key.
type changelog map[string][]byte

func (l changelog) put(k, v []byte) {
	if v == nil {
		delete(l, string(k))
		return
	}
	l[string(k)] = v
}

// save saves all at once.
func (l changelog) save(a *Aggregator) {
	a.keys.Snapshot()
	a.Snapshot()
	for a.keys.Save(l.put) || a.Save(l.put) {
	}
}

// restore is an aggregator with what has been saved.
func (l changelog) restore() (*Aggregator, error) {
	a := New(0, cellkey.NewTable())
	for k, v := range l {
		restore := a.Restore
		if cellkey.Owns([]byte(k)) {
			restore = a.keys.Restore
		}
		if err := restore([]byte(k), v); err != nil {
			return nil, err
		}
	}
	if err := a.keys.Restored(a.MarkKeys); err != nil {
		return nil, err
	}
	a.Restored()
	return a, nil
}

func (l changelog) mustRestore(t *testing.T) *Aggregator {
	t.Helper()
	a, err := l.restore()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A changelog in which an hour, or a closed minute, says that it stands in an hour's list: a restore refuses it or goes on, but does not hang.
func TestDamagedListOfMinutes(t *testing.T) {
	for name, damage := range map[string]func(a *Aggregator, c *cell){
		"hour":          func(a *Aggregator, c *cell) { c.hour = 1 },
		"closed minute": func(a *Aggregator, c *cell) { c.state |= closedBit },
	} {
		keys := cellkey.NewTable()
		a := New(0, keys)
		room := keys.Of(cellkey.Key{Cube: measure.Room, Platform: "p", Room: "r", Session: "s"})
		rec := &change.Record{Offset: 1, Settings: &eventlog.Settings{LatenessMS: 60_000, SessionGapMS: hourMS, Zone: "UTC"},
			Changes: []change.Change{{TS: 1, Recv: 1, Delta: 1, Key: room, Mask: change.AllGrains, Flags: change.Own}}}
		if err := a.Apply(rec); err != nil {
			t.Fatal(err)
		}
		for i := uint32(1); i < a.cells.Cap(); i++ {
			if c := a.cells.At(i); (c.grain == measure.Grain1h) == (name == "hour") {
				damage(a, c)
			}
		}
		log := changelog{}
		log.save(a)
		b, err := log.restore()
		if err != nil {
			continue
		}
		done := make(chan error, 1)
		go func() { done <- b.Apply(&change.Record{Offset: 2, Watermark: 3 * hourMS}) }()
		select {
		case <-done:
		case <-time.After(2 * time.Second):
			t.Errorf("%s: the next record hangs", name)
		}
	}
}
