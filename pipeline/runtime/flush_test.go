package runtime

import (
	"context"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

func TestPaceFollowsTheStore(t *testing.T) {
	cfg := ReaderConfig{FlushHot: 200 * time.Millisecond, FlushMax: 2 * time.Second, RowBudget: 10_000}
	p := newPace(&cfg)
	for range 20 {
		p.wrote(100, 5*time.Second)
	}
	if p.next() != 2*time.Second {
		t.Errorf("with slow writes the interval is %v, want the longest", p.next())
	}
	for range 20 {
		p.wrote(100, 5*time.Millisecond)
	}
	if p.next() != 200*time.Millisecond {
		t.Errorf("with fast writes the interval is %v, want the shortest", p.next())
	}
	for range 20 {
		p.wrote(100_000, 100*time.Millisecond)
	}
	if p.next() != 2*time.Second {
		t.Errorf("above the budget the interval is %v, want the longest", p.next())
	}
}

// A field that is added to the batch and forgotten in Batch.Reset would mix two writes.
func TestResetBatchEmptiesEveryColumn(t *testing.T) {
	c := &rollup.Cells{Cube: measure.SKU}
	v := reflect.ValueOf(c).Elem()
	fill(v)
	b := &rollup.Batch{Cells: []*rollup.Cells{c}, Outcomes: make([]rollup.Outcome, 2), Orders: make([]rollup.Order, 2), Watermarks: make([]rollup.Watermark, 2)}
	if b.Rows() == 0 {
		t.Fatal("nothing to reset")
	}
	b.Reset()
	if n := b.Rows(); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case v.Type().Field(i).Name == "Values":
			if f.Len() != 1 || f.Index(0).Len() != 0 {
				t.Errorf("Values: %v", f)
			}
		case f.Kind() == reflect.Slice && f.Len() != 0:
			t.Errorf("%s keeps %d values", v.Type().Field(i).Name, f.Len())
		case f.Kind() == reflect.Array && f.Index(0).Len()+f.Index(1).Len() != 0:
			t.Errorf("%s keeps values", v.Type().Field(i).Name)
		}
	}
}

func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	}
}

type sinkFunc func(context.Context, *rollup.Batch) error

func (f sinkFunc) Write(ctx context.Context, b *rollup.Batch) error { return f(ctx, b) }

// runWriter runs a writer until stop.
func runWriter(t *testing.T, cfg ReaderConfig) (w *sinkWriter, stop func()) {
	cfg = cfg.WithDefaults()
	m, err := newReaderMetrics(&Reader{cfg: cfg}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w = newSinkWriter(&cfg, zap.NewNop(), m)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.run(ctx, func(err error) { t.Error(err) }) }()
	return w, func() { cancel(); <-done }
}

// Two tasks are merged into one write; while it is in flight nobody is asked.
func TestWriterMergesAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var writes [][]rollup.Outcome
		cfg := ReaderConfig{Sink: sinkFunc(func(_ context.Context, b *rollup.Batch) error {
			if b.Epoch != 7 {
				t.Errorf("epoch %d, want 7", b.Epoch)
			}
			writes = append(writes, append([]rollup.Outcome(nil), b.Outcomes...))
			<-release
			return nil
		}), Epoch: 7}
		w, stop := runWriter(t, cfg)
		a, b := w.register(0), w.register(1)
		row := func(name string) func(*rollup.Batch) uint64 {
			return func(b *rollup.Batch) uint64 {
				b.Outcomes = append(b.Outcomes, rollup.Outcome{Topic: name})
				return 1
			}
		}
		for _, h := range []*flushHandle{a, b} {
			h.dirty.Store(true)
		}
		<-a.asks
		w.join(a, true, row("a"))
		<-b.asks
		w.join(b, true, row("b"))
		synctest.Wait()
		if len(writes) != 1 || len(writes[0]) != 2 {
			t.Fatalf("writes: %v, want one of both tasks", writes)
		}
		time.Sleep(10 * time.Second) // of the bubble: the write hangs
		if len(a.asks)+len(b.asks) != 0 {
			t.Error("a task was asked while its rows are in flight")
		}
		close(release)
		for _, h := range []*flushHandle{a, b} {
			if got := <-h.acks; !got.ok || got.token != 1 {
				t.Errorf("ack %+v", got)
			}
			w.acknowledged(h)
		}
		<-a.asks
		if _, rows, _ := w.join(a, true, func(*rollup.Batch) uint64 { return 2 }); rows != 0 {
			t.Errorf("an empty flush gave %d rows", rows)
		}
		stop()
	})
}
