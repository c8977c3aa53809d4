package runtime

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A panic that does not come again ends one life, and nothing is skipped.
func TestPanicThatDoesNotComeAgain(t *testing.T) {
	w := newWorld(t)
	w.send(500)
	left := atomic.Int32{}
	left.Store(1)
	cfg := w.config()
	cfg.NewTask = func(p int32, out Output) Task {
		return newCounter(p, out, func(offset int64, _ string) error {
			if p == 1 && offset == 100 && left.Add(-1) >= 0 {
				panic("once")
			}
			return nil
		})
	}
	r := w.start(cfg)
	w.drain(r)
	w.check()
	if left.Load() >= 0 {
		t.Error("it never panicked")
	}
}

// A stage that panics over every record says so at last, instead of beginning again for ever.
func TestPanicOverEveryRecord(t *testing.T) {
	w := newWorld(t)
	w.send(40)
	cfg := w.config()
	cfg.CheckpointEvery, cfg.MaxSkips = time.Hour, 5
	cfg.NewTask = func(p int32, out Output) Task { return &stubborn{newCounter(p, out, nil)} }
	r := w.start(cfg)
	<-r.done
	if r.err == nil || !strings.Contains(r.err.Error(), "panicked over 6 records") {
		t.Errorf("run: %v", r.err)
	}
}

// stubborn panics over each record until it is applied entry by entry.
type stubborn struct{ *counter }

func (s *stubborn) Apply(offset int64, value []byte) error {
	if s.part == 0 {
		panic("poison")
	}
	return s.counter.Apply(offset, value)
}

func (s *stubborn) Isolate(offset int64, value []byte) (*Poison, error) {
	return nil, s.counter.Apply(offset, value)
}

func TestSkipsRoundTrip(t *testing.T) {
	for _, list := range [][]skip{{}, {{0, 0}}, {{7, 3}, {1 << 40, 1 << 20}}} {
		got, err := unpackSkips(packSkips(list))
		if err != nil || !slices.Equal(got, list) {
			t.Errorf("%v, %v, want %v", got, err, list)
		}
	}
	if _, err := unpackSkips([]byte{14}); err == nil {
		t.Error("a list cut short is taken")
	}
}
