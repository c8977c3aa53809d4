package runtime

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// The clock of an outage begins with the first attempt that fails, whether or not the sink goes on trying by itself, and a long one is told at growing intervals.
func TestFailingSinkIsToldAtOnce(t *testing.T) {
	for name, tells := range map[string]bool{"that tries again by itself": true, "that returns": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				away := true
				core, logs := observer.New(zap.InfoLevel)
				cfg := ReaderConfig{SinkTimeout: 30 * time.Second, Sink: sinkFunc(func(ctx context.Context, _ *rollup.Batch) error {
					if !away {
						return nil
					}
					if tells {
						rollup.AttemptFailed(ctx, errors.New("refused"))
						<-ctx.Done()
					}
					return errors.New("refused")
				})}
				cfg = cfg.WithDefaults()
				w := newSinkWriter(&cfg, zap.New(core), nil)
				write := func() { w.settle(&openBatch{}, w.write(t.Context(), &openBatch{})) }
				begun := time.Now()
				go write()
				time.Sleep(10 * time.Second) // all sleeps here are in the bubble of synctest: its clock jumps, nobody waits
				if err := w.failure(); err == nil || !strings.Contains(err.Error(), "sink failing for 10s: refused") || w.failingFor(time.Now().UnixMilli()) != 10 {
					t.Errorf("after 10 s: %v, %v s", err, w.failingFor(time.Now().UnixMilli()))
				}
				for time.Since(begun) < time.Hour {
					time.Sleep(35 * time.Second)
					write()
				}
				if l := logs.TakeAll(); len(l) < 5 || len(l) > 9 || l[0].Time.Sub(begun) > 30*time.Second || l[len(l)-1].Time.Before(begun.Add(40*time.Minute)) {
					t.Errorf("an hour's outage is told by %v", l)
				}
				away = false
				write()
				if err := w.failure(); err != nil || w.failingFor(time.Now().UnixMilli()) != 0 {
					t.Errorf("after a write that succeeded: %v", err)
				}
				if l := logs.TakeAll(); len(l) != 1 || l[0].Context[0].Integer < int64(time.Hour) {
					t.Errorf("the end is told by %v", l)
				}
			})
		})
	}
}

// A sink that says nothing is told of before its write ends.
func TestSilentSinkIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := ReaderConfig{SinkTimeout: 30 * time.Second, Sink: sinkFunc(func(ctx context.Context, _ *rollup.Batch) error {
			time.Sleep(20 * time.Second)
			return nil
		})}.WithDefaults()
		w := newSinkWriter(&cfg, zap.NewNop(), nil)
		go func() { w.settle(&openBatch{}, w.write(t.Context(), &openBatch{})) }()
		begun := time.Now()
		for _, c := range []struct {
			after time.Duration
			want  string
		}{{4 * time.Second, ""}, {8 * time.Second, "sink failing for 8s: no answer to a write"}, {21 * time.Second, ""}} {
			time.Sleep(time.Until(begun.Add(c.after)))
			got := ""
			if err := w.failure(); err != nil {
				got = err.Error()
			}
			if seconds := w.failingFor(time.Now().UnixMilli()); got != c.want || (seconds > 0) != (c.want != "") {
				t.Errorf("after %v: %q, %v s, want %q", c.after, got, seconds, c.want)
			}
		}
	})
}

// The outage of a process whose partitions have gone to another ends with them, not with a write that never comes.
func TestFailingSinkIsForgottenWithItsPartitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := ReaderConfig{Sink: sinkFunc(func(context.Context, *rollup.Batch) error { return errors.New("refused") })}
		w, stop := runWriter(t, cfg)
		h, other := w.register(0), w.register(1)
		h.dirty.Store(true)
		for range 3 {
			<-h.asks
			w.join(h, true, func(b *rollup.Batch) uint64 {
				b.Outcomes = append(b.Outcomes, rollup.Outcome{})
				return 1
			})
			h.dirty.Store(false)
			<-h.acks
			time.Sleep(time.Minute) // simulated: the task takes its time to look
			h.dirty.Store(true)
			w.acknowledged(h)
			if w.failure() == nil {
				t.Error("no failure while rows are refused")
			}
		}
		w.unregister(h)
		time.Sleep(10 * time.Second) // simulated
		if err := w.failure(); err != nil {
			t.Errorf("with nothing to write: %v", err)
		}
		w.unregister(other)
		stop()
	})
}

// Where one table is refused, the writes that have nothing for it succeed, as do those of other partitions: the outage goes on until it takes its rows again,
// or the partition that has them leaves.
func TestOneTableThatIsRefusedIsOneOutage(t *testing.T) {
	for _, leaves := range []bool{false, true} {
		t.Run(map[bool]string{false: "until it is taken", true: "until the partition leaves"}[leaves], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				missing := true
				core, logs := observer.New(zap.InfoLevel)
				w, stop := runWriter(t, ReaderConfig{Sink: sinkFunc(func(_ context.Context, b *rollup.Batch) error {
					if missing && len(b.Orders) > 0 {
						return errors.New("no such table")
					}
					return nil
				})})
				w.failing.log = zap.New(core)
				with, without := w.register(0), w.register(1)
				turn := func(h *flushHandle, orders int) {
					h.dirty.Store(true)
					<-h.asks
					w.join(h, true, func(b *rollup.Batch) uint64 {
						b.Outcomes, b.Orders = append(b.Outcomes, rollup.Outcome{}), append(b.Orders, make([]rollup.Order, orders)...)
						return 1
					})
					h.dirty.Store(false)
					<-h.acks
					w.acknowledged(h)
				}
				begun := time.Now()
				for n := 0; time.Since(begun) < time.Minute; n++ { // orders have their turn with each fifth flush
					turn(with, (n+4)%5/4)
					turn(without, 0)
					if err := w.failure(); err == nil {
						t.Fatalf("after %v: no failure while a table is refused", time.Since(begun))
					}
				}
				if s := w.failingFor(time.Now().UnixMilli()); s < 59 {
					t.Errorf("after a minute it fails for %v s", s)
				}
				if l := logs.TakeAll(); len(l) != 2 {
					t.Errorf("a minute is told by %v", l)
				}
				if leaves {
					w.unregister(with)
				} else {
					missing = false
					turn(with, 0)
					if w.failure() == nil {
						t.Error("the outage is over before the rows that were refused are taken")
					}
					turn(with, 1)
				}
				turn(without, 0)
				if err := w.failure(); err != nil || len(logs.TakeAll()) != 1 {
					t.Errorf("afterwards: %v", err)
				}
				stop()
			})
		})
	}
}
