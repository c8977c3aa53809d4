package runtime

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// storeConfig is of a reader whose rows go to the store id.
func (w *world) storeConfig(id byte, take bool) ReaderConfig {
	cfg := w.config()
	cfg.StoreID, cfg.TakeStore = [16]byte{id}, take
	return cfg
}

// refused waits until a process has ended because of another store.
func (x *process) refused(what string) {
	x.t.Helper()
	select {
	case <-x.done:
	case <-time.After(20 * time.Second):
		x.t.Fatalf("%s goes on", what)
	}
	if x.err == nil || !strings.Contains(x.err.Error(), "acknowledged by another database") {
		x.t.Errorf("%s ended with %v", what, x.err)
	}
}

// Who takes over beside a process that lives ends it: else each database would have a part of the rows.
func TestReaderEndsWhenAnotherStoreTakesOver(t *testing.T) {
	w := newWorld(t)
	w.send(100)
	first := w.start(w.storeConfig(1, false))
	w.drain(first)
	second := w.start(w.storeConfig(2, true))
	go func() { // both have something to commit
		for n := 0; n < 400; n++ {
			select {
			case <-first.done:
				return
			case <-time.After(10 * time.Millisecond):
				w.cl.ProduceSync(context.Background(), &kgo.Record{Topic: testTopic, Partition: int32(n % testPart), Value: []byte("room-1")})
			}
		}
	}()
	first.refused("the process of the database before")
	second.stop()
}

// A partition that gets no record is taken over too: the next start needs no flag.
func TestTakeOverOfAnIdlePartition(t *testing.T) {
	w := newWorld(t)
	w.send(100)
	r := w.start(w.storeConfig(1, false))
	w.drain(r)
	r.stop()
	r = w.start(w.storeConfig(2, true))
	w.drain(r)
	r.stop()
	if err := CheckStore(t.Context(), kadm.NewClient(w.cl), "g", [16]byte{2}); err != nil {
		t.Error(err)
	}
	w.send(100)
	r = w.start(w.storeConfig(2, false))
	w.drain(r)
	r.stop()
	w.check()
}

// A store that has less than it has acknowledged is an older copy: it is not gone on with, unless told to.
func TestReaderWaitsForWhatTheStoreHasLost(t *testing.T) {
	w := newWorld(t)
	w.send(100)
	config := func(stored, acknowledged int64, take bool) ReaderConfig {
		cfg := w.storeConfig(1, take)
		cfg.NewTask = func(p int32, out Output) Task {
			c := newCounter(p, out, nil)
			c.acknowledged = acknowledged
			return c
		}
		cfg.Stored = func(context.Context, int32) (int64, error) { return stored, nil }
		return cfg
	}
	r := w.start(config(10, 11, false))
	eventually(t, "it says what is missing", func() (bool, string) {
		err := r.Ready()
		return err != nil && strings.Contains(err.Error(), "it is an older copy"), ""
	})
	if got := len(w.sink.totals()); got > 0 {
		t.Errorf("%d rows were written", got)
	}
	r.stop()
	for _, cfg := range []ReaderConfig{config(10, 11, true), config(11, 11, false), config(12, 11, false)} {
		r := w.start(cfg)
		w.drain(r)
		r.stop()
	}
	w.check()
}

// While the first checkpoint does not succeed no row leaves: the transactions that fence are let through, those that hold state are not.
func TestReaderSendsNoRowWithoutItsFirstCheckpoint(t *testing.T) {
	w := newWorld(t)
	w.send(100)
	var held atomic.Int64
	var open atomic.Bool
	w.cluster.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		if open.Load() || held.Add(1) <= testPart {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.EndTxnResponse)
		resp.ErrorCode = kerr.InvalidTxnState.Code
		return resp, nil, true
	})
	r := w.start(w.config())
	eventually(t, "first checkpoints were tried, and partitions begun again", func() (bool, string) { return held.Load() > 4*testPart, "" })
	if rows, _ := w.sink.history(); len(rows) > 0 {
		t.Errorf("%d rows left before a checkpoint", len(rows))
	}
	open.Store(true)
	w.drain(r)
	r.stop()
	w.check()
}
