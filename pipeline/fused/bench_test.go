package fused

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/livemeter/livemeter/bench/festival"
	"github.com/livemeter/livemeter/pipeline/collect"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// benchBlocks is a backlog of heartbeats and likes: viewers in Zipf rooms, 232 events a block, event time running at 50 000 events a second.
func benchBlocks(rooms, viewers, blocks int) [][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	cum := make([]float64, rooms)
	sum := 0.0
	for i := range cum {
		sum += 1 / math.Pow(float64(i+1), 1.1)
		cum[i] = sum
	}
	room := make([]int, viewers)
	for i := range room {
		u := rnd.Float64() * sum
		lo, hi := 0, rooms-1
		for lo < hi {
			if m := (lo + hi) / 2; cum[m] < u {
				lo = m + 1
			} else {
				hi = m
			}
		}
		room[i] = lo
	}
	d := eventlog.NewDict(0)
	w := eventlog.NewWriter(d)
	src := d.Source(goldenSource)
	n := 0
	out := make([][]byte, 0, blocks)
	entered := make([]bool, viewers)
	for range blocks {
		for range 232 {
			n++
			v := rnd.IntN(viewers)
			at := golden0 + int64(n)/50
			in := eventlog.Input{Offset: int64(n), Recv: at, TS: at - int64(rnd.IntN(2000)), Platform: "douyin", Room: fmt.Sprint("r", room[v]), Session: "s",
				ViewerHi: uint64(v), ViewerLo: uint64(v) * 0x9e3779b97f4a7c15, Instance: uint64(v), EventFP: rnd.Uint64(), View: uint64(v) + 1}
			switch {
			case !entered[v]:
				entered[v] = true
				in.Sub = uint8(event.Enter)
			case rnd.IntN(100) < 18:
				in.Kind, in.Sub, in.Value = eventlog.Interaction, uint8(event.Like), 3
			default:
				in.Sub, in.Value = uint8(event.Heartbeat), 5000
			}
			w.Add(src, &in)
		}
		out = append(out, w.Seal(nil))
	}
	return out
}

// cpu is the processor time this process has used: unlike the wall clock it hardly minds what else the machine does.
func cpu() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkRun(b *testing.B) {
	for _, c := range []struct{ rooms, viewers int }{{100, 250_000}, {10_000, 250_000}, {50_000, 250_000}} {
		b.Run(fmt.Sprintf("rooms=%d", c.rooms), func(b *testing.B) {
			blocks := benchBlocks(c.rooms, c.viewers, 8000)
			b.ResetTimer()
			b.ReportAllocs()
			events, began := 0, cpu()
			for b.Loop() {
				task := NewRun(0, nil)
				rows := 0
				must := func(err error) {
					if err != nil {
						b.Fatal(err)
					}
				}
				must(task.Apply(0, eventlog.AppendSettings(nil, &eventlog.Settings{Partitions: 1, HorizonMS: 6 * 3600_000, LatenessMS: 60_000,
					SessionGapMS: 3600_000, DedupeMS: 600_000, Zone: "Asia/Shanghai", MaxCells: 4 << 20})))
				must(task.Apply(1, eventlog.AppendSources(nil, &eventlog.Sources{Topics: []eventlog.SourceTopic{{Name: "raw.viewer", ID: [16]byte{1}, Partitions: 1}}})))
				for i, v := range blocks {
					must(task.Apply(int64(i+2), v))
					if i%500 == 499 {
						var batch rollup.Batch
						flushAll(task, &batch, true)
						for _, c := range batch.Cells {
							rows += len(c.Grain)
						}
					}
				}
				events += 232 * len(blocks)
				b.ReportMetric(float64(rows), "rows")
			}
			b.ReportMetric(float64(cpu()-began)/float64(events), "cpu-ns/event")
		})
	}
}

// backlog is what a collector makes of a festival: the blocks of partition 0 of two, and how many events they hold.
func backlog(b *testing.B, events int) (blocks [][]byte, n int) {
	f, err := festival.New(festival.Config{Seed: 1, Rooms: 10_000, Viewers: 500_000, Rate: 20_000, Faults: true, Start: time.UnixMilli(golden0)})
	if err != nil {
		b.Fatal(err)
	}
	stage, err := collect.NewStage(collect.Config{Key: make([]byte, 16), Partitions: 2, Now: func() int64 { return 1 << 60 }})
	if err != nil {
		b.Fatal(err)
	}
	topics := map[string]event.Topic{}
	sources := map[event.Topic]int{}
	for i, name := range festival.Topics("") {
		t := event.Topic(i)
		topics[name], sources[t] = t, stage.Source(eventlog.SourceID{TopicID: [16]byte{byte(i + 1)}})
	}
	var buf []byte
	for i := range events {
		r := f.Next(buf[:0])
		t := topics[r.Topic]
		got := stage.Add(&collect.Record{Topic: t, Source: sources[t], Offset: int64(i), Timestamp: r.Timestamp, Value: r.Value})
		w := stage.Writer(got.Partition)
		if got.Partition == 0 {
			n++
		}
		if w.Size() < 16<<10 {
			continue
		}
		if block := w.Seal(nil); got.Partition == 0 {
			blocks = append(blocks, block, progressOf(topics, r.Timestamp))
		}
	}
	return blocks, n
}

// progressOf claims that all sources have come to now.
func progressOf(topics map[string]event.Topic, now int64) []byte {
	var p eventlog.Progress
	for _, t := range topics {
		p.Items = append(p.Items, eventlog.ProgressItem{Source: eventlog.SourceID{TopicID: [16]byte{byte(t + 1)}}, Recv: now})
	}
	return eventlog.AppendProgress(nil, &p)
}

// caughtUp is a task that has applied the blocks, and how many rows it has given to a store that takes them all.
func caughtUp(b *testing.B, blocks [][]byte) (task runtime.Task, rows int) {
	task = NewRun(0, nil)
	apply := func(offset int, value []byte) {
		if err := task.Apply(int64(offset), value); err != nil {
			b.Fatal(err)
		}
	}
	apply(0, eventlog.AppendSettings(nil, &eventlog.Settings{Partitions: 2, HorizonMS: 6 * 3600_000, LatenessMS: 60_000, SessionGapMS: 3600_000,
		DedupeMS: 600_000, Zone: "Asia/Shanghai", MaxCells: 2_000_000}))
	var all eventlog.Sources
	for i, name := range festival.Topics("") {
		all.Topics = append(all.Topics, eventlog.SourceTopic{Name: name, Kind: event.Topic(i), ID: [16]byte{byte(i + 1)}, Partitions: 1})
	}
	apply(1, eventlog.AppendSources(nil, &all))
	for i, block := range blocks {
		apply(i+2, block)
		if i%2000 == 1999 {
			var batch rollup.Batch
			flushAll(task, &batch, true)
			for _, c := range batch.Cells {
				rows += len(c.Grain)
			}
		}
	}
	return task, rows
}

// BenchmarkFestival catches up a realistic backlog: the reader's part of `run`, without Kafka and without a store.
func BenchmarkFestival(b *testing.B) {
	blocks, n := backlog(b, 2_000_000)
	b.ReportAllocs()
	for b.Loop() {
		began := cpu()
		_, rows := caughtUp(b, blocks)
		b.ReportMetric(float64(cpu()-began)/float64(n), "cpu-ns/event")
		b.ReportMetric(float64(rows)/float64(n), "rows/event")
	}
}

// BenchmarkCheckpoint saves the whole state of a task that has caught up, and restores it.
func BenchmarkCheckpoint(b *testing.B) {
	blocks, _ := backlog(b, 2_000_000)
	for b.Loop() {
		task, _ := caughtUp(b, blocks)
		viewers := float64(task.Stats().Viewers)
		saved, bytes := map[string][]byte{}, 0
		began := cpu()
		task.Snapshot()
		for task.Save(func(key, value []byte) {
			saved[string(key)] = value
			bytes += len(value)
		}) {
		}
		b.ReportMetric(float64(cpu()-began)/viewers, "save-cpu-ns/viewer")
		b.ReportMetric(float64(bytes)/viewers, "B/viewer")
		began = cpu()
		again := NewRun(0, nil)
		for key, value := range saved {
			if err := again.Restore([]byte(key), value); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := again.RestoreDone(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(cpu()-began)/viewers, "restore-cpu-ns/viewer")
	}
}

// flushAll flushes until no piece of the round is left.
func flushAll(task runtime.Task, b *rollup.Batch, behind bool) {
	for {
		token, more := task.Flush(b, behind)
		task.Ack(token)
		if !more {
			return
		}
	}
}
