package runtime

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestReaderCountsAndGoesOnWhereItStopped(t *testing.T) {
	w := newWorld(t)
	w.send(1000)
	cfg := w.config()
	r := w.start(cfg)
	w.drain(r)
	w.check()
	r.stop()

	var applied atomic.Int64
	cfg.NewTask = func(p int32, out Output) Task {
		return newCounter(p, out, func(int64, string) error { applied.Add(1); return nil })
	}
	w.send(300)
	r = w.start(cfg)
	w.drain(r)
	w.check()
	r.stop()
	if n := applied.Load(); n != 300 {
		t.Errorf("after a clean stop %d records were applied, want the 300 new ones", n)
	}
	offsets, err := kadm.NewClient(w.cl).FetchOffsets(t.Context(), "g")
	if err != nil {
		t.Fatal(err)
	}
	for p := range int32(testPart) {
		if o, _ := offsets.Lookup(testTopic, p); o.At != 325 {
			t.Errorf("group offset of partition %d is %d, want 325", p, o.At)
		}
	}
}

func TestReaderSurvivesCrashes(t *testing.T) {
	w := newWorld(t)
	resumed := 0
	for range 6 {
		var mu sync.Mutex
		first, last := map[int32]int64{}, map[int32]int64{}
		cfg := w.config()
		cfg.CheckpointEvery = 4 * time.Millisecond
		cfg.NewTask = func(p int32, out Output) Task {
			return newCounter(p, out, func(offset int64, _ string) error {
				mu.Lock()
				defer mu.Unlock()
				if _, ok := first[p]; !ok {
					first[p] = offset
				}
				last[p] = offset
				return nil
			})
		}
		r := w.start(cfg)
		eventually(t, "a checkpoint, and more since", func() (bool, string) {
			w.send(50)
			saved := 0
			r.each(func(s *slot) {
				if s.checkpointed.Load() > 0 {
					saved++
				}
			})
			mu.Lock()
			defer mu.Unlock()
			return saved > 1 && len(last) == testPart, ""
		})
		w.send(500)
		r.crash()
		for _, offset := range first {
			if offset > 0 {
				resumed++
			}
		}
	}
	if resumed == 0 {
		t.Error("no partition ever went on from a checkpoint: nothing was tested")
	}
	r := w.start(w.config())
	w.drain(r)
	w.check()
	r.stop()
	w.checkChangelog()
}

func TestReaderKeepsRowsTheStoreNeverTook(t *testing.T) {
	w := newWorld(t)
	w.sink.away.Store(true)
	w.send(2000)
	cfg := w.config()
	cfg.StopTimeout = 100 * time.Millisecond
	r := w.start(cfg)
	eventually(t, "all applied while the store is away", func() (bool, string) {
		n := int64(0)
		for _, o := range r.Watermarks() { // the counter's watermark is its offset
			n += o
		}
		return n == 2000, ""
	})
	eventually(t, "a failed write", func() (bool, string) { return w.sink.failed.Load() > 1, "" })
	if err := r.Ready(); err == nil || !strings.Contains(err.Error(), errAway.Error()) {
		t.Errorf("Ready() = %v, want the sink's error", err)
	}
	r.stop() // its checkpoint stands at the end of the log, with rows nobody has

	w.sink.away.Store(false)
	r = w.start(w.config())
	w.drain(r)
	w.check()
}

func TestReaderCoalescesWhileTheStoreIsAway(t *testing.T) {
	w := newWorld(t)
	r := w.start(w.config())
	w.send(400)
	w.drain(r)
	rowsBefore, _ := w.sink.history()
	w.sink.away.Store(true)
	for range 10 {
		w.send(1000)
	}
	eventually(t, "failed writes", func() (bool, string) { return w.sink.failed.Load() >= 3, "" })
	w.sink.away.Store(false)
	w.drain(r)
	w.check()
	rows, _ := w.sink.history()
	if n := len(rows) - len(rowsBefore); n > 2*50*testPart {
		t.Errorf("10 000 changes of 200 cells left as %d rows", n)
	}
}

func TestReaderStopsReadingAtTheLimit(t *testing.T) {
	w := newWorld(t)
	w.sink.away.Store(true)
	cfg := w.config()
	cfg.MaxDirtyCells = 5
	cfg.StopTimeout = 100 * time.Millisecond
	core, logs := observer.New(zap.InfoLevel)
	reader, err := NewReader(cfg, zap.New(core), prometheus.NewPedanticRegistry())
	if err != nil {
		t.Fatal(err)
	}
	r := w.run(reader)
	w.send(20000)
	paused := func() (bool, string) {
		n := 0
		r.each(func(s *slot) {
			if v := s.seen.Load(); v != nil && v.full && v.next < 5000 {
				n++
			}
		})
		return n == testPart, ""
	}
	eventually(t, "input paused", paused)
	w.sink.away.Store(false)
	w.drain(r)
	w.check()
	stops, goesOn := logs.FilterMessageSnippet("limits.max_dirty_cells is reached").Len(), logs.FilterMessageSnippet("the partition reads on").Len()
	if stops < testPart || goesOn < stops {
		t.Errorf("%d lines of log that a partition stops, %d that it goes on", stops, goesOn)
	}
}

func TestReadersShareAndHandOver(t *testing.T) {
	w := newWorld(t)
	a := w.start(w.config())
	w.send(1000)
	w.drain(a)
	b := w.start(w.config())
	eventually(t, "the second reader owns two partitions", func() (bool, string) {
		w.send(20)
		return len(b.Watermarks()) == testPart/2 && len(a.Watermarks()) == testPart/2, ""
	})
	w.send(1000)
	w.drain(a, b)
	w.check()
	a.stop()
	w.send(1000)
	w.drain(b)
	w.check()
}

func TestReaderEndsWithAClearError(t *testing.T) {
	for name, c := range map[string]struct {
		hook func(int64, string) error
		want []string
	}{
		"error": {func(o int64, _ string) error {
			if o == 7 {
				return errors.New("format 9 is not known")
			}
			return nil
		}, []string{"partition", testTopic, "offset 7", "format 9 is not known"}},
		"panic": {func(o int64, _ string) error {
			if o == 7 {
				panic("index out of range")
			}
			return nil
		}, []string{"panicked at offset 7", "index out of range", "reader_test.go"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.send(100)
			cfg := w.config()
			cfg.NewTask = func(p int32, out Output) Task { return newCounter(p, out, c.hook) }
			r := w.start(cfg)
			<-r.done
			if r.err == nil {
				t.Fatal("no error")
			}
			for _, s := range c.want {
				if !strings.Contains(r.err.Error(), s) {
					t.Errorf("%q is not in: %v", s, r.err)
				}
			}
		})
	}
}

func TestReaderRefusesALogThatLostRecords(t *testing.T) {
	w := newWorld(t)
	w.send(400)
	r := w.start(w.config())
	w.drain(r)
	r.stop()
	w.send(400)
	if err := w.cluster.DeleteRecords(testTopic, 2, 150); err != nil {
		t.Fatal(err)
	}
	r = w.start(w.config())
	<-r.done
	if r.err == nil || !strings.Contains(r.err.Error(), "partition 2 of events: offset 100 is needed but the log starts at 150") {
		t.Errorf("run: %v", r.err)
	}
}

// A topic that was deleted and made again is another log, also when it has grown beyond the offset that was saved, or while it is read.
func TestReaderRefusesALogMadeAgain(t *testing.T) {
	for name, alive := range map[string]bool{"while it stood": false, "while it ran": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.send(100)
			r := w.start(w.config())
			w.drain(r)
			if !alive {
				r.stop()
			}
			if _, err := kadm.NewClient(w.cl).DeleteTopic(t.Context(), testTopic); err != nil {
				t.Fatal(err)
			}
			if err := w.cluster.CreateTopic(testTopic, testPart, nil); err != nil {
				t.Fatal(err)
			}
			fresh, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
			if err != nil {
				t.Fatal(err)
			}
			defer fresh.Close()
			w.cl = fresh
			w.send(400)
			if !alive {
				r = w.start(w.config())
			}
			select {
			case <-r.done:
			case <-time.After(20 * time.Second):
				t.Fatal("a reader goes on with the state of another log")
			}
			if r.err == nil || !strings.Contains(r.err.Error(), "made again") {
				t.Errorf("the reader ended with %v", r.err)
			}
		})
	}
}

// State is of the store that has its rows: with another one they would be nowhere together.
func TestReaderRefusesAnotherStore(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		id            byte
		take, refused bool
	}{{id: 0}, {id: 1}, {id: 1}, {id: 2, refused: true}, {id: 0}, {id: 2, take: true}, {id: 2}, {id: 1, refused: true}, {id: 2}} {
		w.send(100)
		cfg := w.config()
		cfg.StoreID, cfg.TakeStore = [16]byte{c.id}, c.take
		r := w.start(cfg)
		if !c.refused {
			w.drain(r)
			r.stop()
			continue
		}
		select {
		case <-r.done:
		case <-time.After(20 * time.Second):
			t.Fatalf("store %d goes on with the state of another", c.id)
		}
		if r.err == nil || !strings.Contains(r.err.Error(), "acknowledged by another database") {
			t.Errorf("store %d: the reader ended with %v", c.id, r.err)
		}
	}
	w.check()
}

// Where nothing is saved, nothing that was counted is in the store: a process that dies before its first checkpoint leaves no rows.
func TestReaderSavesBeforeTheFirstRow(t *testing.T) {
	w := newWorld(t)
	w.send(400)
	cfg := w.config()
	cfg.CheckpointEvery = time.Hour
	r := w.start(cfg)
	w.drain(r)
	for p, recs := range w.read(testChangelog) {
		if !slices.ContainsFunc(recs, func(rec *kgo.Record) bool { return string(rec.Key) == "offset" }) {
			t.Errorf("partition %d has rows and no checkpoint", p)
		}
	}
	w.checkSink()
}

// Partitions that retention has emptied before the first start are begun at their start, and found there again.
func TestReaderBeginsAtTheStartOfAnEmptiedLog(t *testing.T) {
	w := newWorld(t)
	w.send(400)
	for p := range int32(testPart) {
		if err := w.cluster.DeleteRecords(testTopic, p, 100); err != nil {
			t.Fatal(err)
		}
	}
	clear(w.truth)
	for want, change := range map[string]func(*ReaderConfig){
		"the database has rows of it": func(c *ReaderConfig) { c.Stored = func(context.Context, int32) (int64, error) { return 1, nil } },
		"differences to those before": func(c *ReaderConfig) { c.WholeLog = true },
	} {
		cfg := w.config()
		change(&cfg)
		r := w.start(cfg)
		select {
		case <-r.done:
		case <-time.After(20 * time.Second):
			t.Fatalf("a reader that wants %s begins in the middle", want)
		}
		if r.err == nil || !strings.Contains(r.err.Error(), want) {
			t.Errorf("the reader ended with %v, want %s", r.err, want)
		}
	}
	for range 2 {
		r := w.start(w.config())
		w.drain(r)
		r.stop()
	}
	r := w.start(w.config())
	w.send(40)
	w.drain(r)
	w.checkSink()
}

func TestReaderRefusesTopicsThatDoNotMatch(t *testing.T) {
	w := newWorld(t)
	if err := w.cluster.CreateTopic("narrow", 1, nil); err != nil {
		t.Fatal(err)
	}
	for changelog, want := range map[string]string{"narrow": "has 1 partitions", "absent": "does not exist"} {
		cfg := w.config()
		cfg.Changelog, cfg.TopicsTimeout = changelog, 200*time.Millisecond
		r := w.start(cfg)
		<-r.done
		if r.err == nil || !strings.Contains(r.err.Error(), want) {
			t.Errorf("changelog %s: run: %v", changelog, r.err)
		}
	}
}

// Processes that start together make the topics together: who is told that they are there may ask a broker that has not learnt of them.
func TestReaderWaitsForTopicsThatWereJustMade(t *testing.T) {
	w := newWorld(t)
	cfg := w.config()
	cfg.Changelog = "late"
	r := w.start(cfg)
	time.Sleep(300 * time.Millisecond) // the moment at which the topic is made, after the first looks for it
	if err := w.cluster.CreateTopic("late", testPart, map[string]string{"cleanup.policy": "compact"}); err != nil {
		t.Fatal(err)
	}
	w.send(40)
	w.drain(r)
	r.stop()
	w.check()
}
