package runtime

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
)

// A store that comes back as an older copy of itself is noticed before the next row would hide it, whichever partition's rows it has lost; one that comes
// back as it was is gone on with, and asked no more.
func TestReaderLooksAtAStoreThatComesBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		after int64
	}{{"older", 10}, {"the same", 11}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.send(100)
			var stored, asked atomic.Int64
			stored.Store(11)
			cfg := w.acknowledging(1, false, 11, nil)
			cfg.Stored = func(_ context.Context, p int32) (int64, error) {
				if w.sink.away.Load() {
					return 0, errAway
				}
				asked.Add(1)
				if p < testPart-1 {
					return 11, nil
				}
				return stored.Load(), nil
			}
			r := w.start(cfg)
			w.drain(r)
			before := w.outage(r, func() { stored.Store(c.after) })
			if c.after < 11 {
				if older := r.older(); older.Stored != 10 || older.Acked != 11 {
					t.Errorf("it ended with %+v", older)
				}
				if rows, _ := w.sink.history(); len(rows) != before {
					t.Errorf("%d rows were written to it", len(rows)-before)
				}
				return
			}
			w.drain(r)
			if n := asked.Load(); n != 2*testPart {
				t.Errorf("it was asked %d times, want once a partition at the start and once after the outage", n)
			}
			r.stop()
			w.check()
		})
	}
}

// outage lets a write fail; what happens meanwhile is meanwhile's. It returns how many rows there were.
func (w *world) outage(r *process, meanwhile func()) (rows int) {
	w.sink.away.Store(true)
	w.send(100)
	eventually(w.t, "a write has failed", func() (bool, string) { return r.writer.failure() != nil, "" })
	history, _ := w.sink.history()
	meanwhile()
	w.sink.away.Store(false)
	return len(history)
}

// A store that has taken over owes nothing of what the one before had acknowledged, after an outage either.
func TestOutageAfterATakeOver(t *testing.T) {
	w := newWorld(t)
	w.send(100)
	r := w.start(w.acknowledging(1, false, 11, tells(11)))
	w.drain(r)
	r.stop()
	r = w.start(w.acknowledging(2, true, 11, tells(0)))
	w.drain(r)
	w.outage(r, func() {})
	w.drain(r)
	r.stop()
	w.check()
}

// What a task holds is sent anew to a store that takes over, and again where the process that took over ended before it had told a watermark; not to one
// that has told.
func TestStoreThatTakesOverIsSentAnew(t *testing.T) {
	w := newWorld(t)
	w.send(100)
	start := func(id byte, take bool, acknowledged, stored int64) (anew int) {
		cfg := w.acknowledging(id, take, acknowledged, tells(stored))
		var mu sync.Mutex
		var tasks []*counter
		made := cfg.NewTask
		cfg.NewTask = func(p int32, out Output) Task {
			task := made(p, out)
			mu.Lock()
			defer mu.Unlock()
			tasks = append(tasks, task.(*counter))
			return task
		}
		r := w.start(cfg)
		w.drain(r)
		r.stop()
		for _, c := range tasks {
			if c.anew {
				anew++
			}
		}
		return anew
	}
	for _, c := range []struct {
		what                 string
		id                   byte
		take                 bool
		acknowledged, stored int64
		want                 int
	}{{"the first", 1, false, 11, 11, 0}, {"one that takes over", 2, true, 11, 0, testPart}, {"the same that has told nothing", 2, false, 11, 0, testPart}, {"the same that has told", 2, false, 12, 12, 0},
		{"an older copy", 2, true, 12, 11, testPart}} {
		if got := start(c.id, c.take, c.acknowledged, c.stored); got != c.want {
			t.Errorf("%s: %d partitions are sent anew, want %d", c.what, got, c.want)
		}
	}
	w.check()
}
