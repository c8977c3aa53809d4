package runtime

import (
	"context"
	"errors"
	"fmt"
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
	if x.err == nil || !strings.Contains(x.err.Error(), "acknowledged by another database") || !strings.Contains(x.err.Error(), "changelog topic ("+testChangelog+")") {
		x.t.Errorf("%s ended with %v", what, x.err)
	}
}

// named waits until all commits of the group name a store.
func (w *world) named(id byte) {
	w.t.Helper()
	eventually(w.t, "all commits name the store", func() (bool, string) {
		stores, err := storesOf(w.t.Context(), kadm.NewClient(w.cl), "g")
		for _, has := range stores {
			if has[0] != id {
				return false, "another"
			}
		}
		return len(stores) == testPart, fmt.Sprint(len(stores), err)
	})
}

// older waits until a process has ended because its store has lost rows.
func (x *process) older() (older *OlderStoreError) {
	x.t.Helper()
	select {
	case <-x.done:
	case <-time.After(time.Minute):
		x.t.Fatal("it goes on with a store that has lost rows")
	}
	if !errors.As(x.err, &older) {
		x.t.Fatalf("it ended with %v", x.err)
	}
	return older
}

// Who takes over beside a process that lives ends it, whether that had taken over itself or is taken back from: else each database would have a part of the rows.
func TestReaderEndsWhenAnotherStoreTakesOver(t *testing.T) {
	for name, first := range map[string]struct {
		before []byte // stores that had the rows
		flag   bool
	}{"the first": {nil, false}, "the first, with the flag": {nil, true}, "taken over": {[]byte{2}, true}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.send(100)
			for _, id := range first.before {
				r := w.start(w.storeConfig(id, false))
				w.drain(r)
				w.named(id)
				r.stop()
			}
			old := w.start(w.storeConfig(1, first.flag))
			w.drain(old)
			w.named(1)
			second := w.start(w.storeConfig(2, true))
			go func() { // both have something to commit
				for n := 0; ; n++ {
					select {
					case <-old.done:
						return
					case <-time.After(10 * time.Millisecond):
						w.cl.ProduceSync(context.Background(), &kgo.Record{Topic: testTopic, Partition: int32(n % testPart), Value: []byte("room-1")})
					}
				}
			}()
			old.refused("the process of the database before")
			second.stop()
		})
	}
}

// acknowledging is a reader whose state says that a store has acknowledged a watermark, and that has told another.
func (w *world) acknowledging(id byte, take bool, acknowledged int64, stored func(context.Context) (int64, error)) ReaderConfig {
	cfg := w.storeConfig(id, take)
	cfg.NewTask = func(p int32, out Output) Task {
		c := newCounter(p, out, nil)
		c.acknowledged = acknowledged
		return c
	}
	cfg.StoredTimeout = storedTimeout
	cfg.Stored = func(ctx context.Context, _ int32) (int64, error) { return stored(ctx) }
	return cfg
}

const storedTimeout = 2 * time.Second

func tells(offset int64) func(context.Context) (int64, error) {
	return func(context.Context) (int64, error) { return offset, nil }
}

// What the store before had acknowledged is not asked of the one that takes over, also where that acknowledges nothing before the process ends.
func TestTakeOverOfAStoreThatTakesNothingYet(t *testing.T) {
	w := newWorld(t)
	w.send(100)
	r := w.start(w.acknowledging(1, false, 11, tells(11)))
	w.drain(r)
	w.named(1)
	r.stop()
	w.sink.away.Store(true)
	cfg := w.acknowledging(2, true, 11, tells(0))
	cfg.StopTimeout = time.Second
	r = w.start(cfg)
	w.named(2)
	r.stop()
	w.sink.away.Store(false)
	r = w.start(w.acknowledging(2, false, 11, tells(0)))
	w.drain(r)
	r.stop()
	w.check()
	r = w.start(w.acknowledging(2, false, 12, tells(0))) // which it has acknowledged itself
	r.older()
}

// A store that has lost rows and answers slowly is refused for that, and not for its slowness.
func TestOlderStoreThatAnswersSlowly(t *testing.T) {
	w := newWorld(t)
	w.send(100)
	r := w.start(w.acknowledging(1, false, 11, func(ctx context.Context) (int64, error) {
		select {
		case <-time.After(storedTimeout * 2 / 3):
			return 10, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}))
	r.older()
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
	if err := CheckStore(t.Context(), kadm.NewClient(w.cl), "g", testChangelog, [16]byte{2}); err != nil {
		t.Error(err)
	}
	w.send(100)
	r = w.start(w.storeConfig(2, false))
	w.drain(r)
	r.stop()
	w.check()
}

// A store that has less than it has acknowledged is an older copy: it is not gone on with, unless told to.
func TestReaderRefusesAStoreThatHasLostRows(t *testing.T) {
	w := newWorld(t)
	w.send(100)
	config := func(stored, acknowledged int64, take bool) ReaderConfig {
		return w.acknowledging(1, take, acknowledged, tells(stored))
	}
	r := w.start(config(10, 11, false))
	if older := r.older(); older.Stored != 10 || older.Acked != 11 {
		t.Errorf("it ended with %+v", older)
	}
	if got := len(w.sink.totals()); got > 0 {
		t.Errorf("%d rows were written", got)
	}
	for _, cfg := range []ReaderConfig{config(10, 11, true), config(10, 11, false), config(11, 11, false), config(12, 12, false)} {
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
	fenced := map[string]bool{} // the cluster asks one at a time
	w.cluster.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		id := req.(*kmsg.EndTxnRequest).TransactionalID
		if open.Load() || !fenced[id] {
			fenced[id] = true
			return nil, nil, false
		}
		held.Add(1)
		resp := req.ResponseKind().(*kmsg.EndTxnResponse)
		resp.ErrorCode = kerr.InvalidTxnState.Code
		return resp, nil, true
	})
	r := w.start(w.config())
	eventually(t, "first checkpoints were tried, and partitions begun again", func() (bool, string) { return held.Load() > 3*testPart, "" })
	if rows, _ := w.sink.history(); len(rows) > 0 {
		t.Errorf("%d rows left before a checkpoint", len(rows))
	}
	open.Store(true)
	w.drain(r)
	r.stop()
	w.check()
}

// The commit that names the store that has taken over is made again until it succeeds: nothing else would be committed of a partition without records.
func TestTakeOverIsCommittedWhateverFails(t *testing.T) {
	w := newWorld(t)
	w.send(100)
	r := w.start(w.storeConfig(1, false))
	w.drain(r)
	r.stop()
	var refused atomic.Int64
	w.cluster.ControlKey(int16(kmsg.OffsetCommit), func(req kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		if refused.Add(1) > 2*testPart {
			return nil, nil, false
		}
		q, resp := req.(*kmsg.OffsetCommitRequest), req.ResponseKind().(*kmsg.OffsetCommitResponse)
		for _, rt := range q.Topics {
			st := kmsg.NewOffsetCommitResponseTopic()
			st.Topic, st.TopicID = rt.Topic, rt.TopicID
			for _, rp := range rt.Partitions {
				sp := kmsg.NewOffsetCommitResponseTopicPartition()
				sp.Partition, sp.ErrorCode = rp.Partition, kerr.RebalanceInProgress.Code
				st.Partitions = append(st.Partitions, sp)
			}
			resp.Topics = append(resp.Topics, st)
		}
		return resp, nil, true
	})
	r = w.start(w.storeConfig(2, true))
	w.drain(r)
	eventually(t, "all commits name the new store", func() (bool, string) {
		err := CheckStore(t.Context(), kadm.NewClient(w.cl), "g", testChangelog, [16]byte{2})
		return err == nil, fmt.Sprint(err)
	})
	r.stop()
}
