package eventlog

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/livemeter/livemeter/pipeline/event"
)

// load is a realistic stretch of heartbeats: Zipf rooms, many viewers, ten sources.
func load(n int) []Input {
	r := rand.New(rand.NewPCG(1, 2))
	z := rand.NewZipf(r, 1.1, 10, 9999)
	in := make([]Input, n)
	for i := range in {
		room := z.Uint64()
		in[i] = Input{Kind: Viewer, Sub: uint8(event.Heartbeat), Offset: int64(i), Recv: 1795312800000 + int64(i/50), TS: 1795312800000 + int64(i/50) - r.Int64N(800),
			ViewerHi: r.Uint64(), ViewerLo: r.Uint64(), Instance: r.Uint64(), EventFP: r.Uint64(), View: r.Uint64(), Seq: r.Uint64N(400), Value: 5000,
			Platform: "douyin", Room: fmt.Sprintf("r_%05d", room), Session: fmt.Sprintf("ls_%05d_20261122", room)}
	}
	return in
}

const blockBytes = 16 << 10

func BenchmarkAdd(b *testing.B) {
	in := load(1 << 13)
	d := NewDict(0)
	w := NewWriter(d)
	for i := range 10 {
		d.Source(SourceID{Partition: int32(i)})
	}
	var spare []byte
	for i := range in { // the steady state: every room has been seen
		w.Add(i%10, &in[i])
	}
	spare = w.Seal(nil)
	b.ReportAllocs()
	bytes, i := 0, 0
	for b.Loop() {
		w.Add(i%10, &in[i&(1<<13-1)])
		i++
		if w.Size() >= blockBytes {
			bytes += w.Size()
			spare = w.Seal(spare)
		}
	}
	b.ReportMetric(float64(bytes+w.Size())/float64(i), "B/event")
}

func BenchmarkDecode(b *testing.B) {
	in := load(1 << 14)
	d := NewDict(0)
	w := NewWriter(d)
	var blocks [][]byte
	for i := range in {
		w.Add(d.Source(SourceID{Partition: int32(i % 10)}), &in[i])
		if w.Size() >= blockBytes {
			blocks = append(blocks, w.Seal(nil))
		}
	}
	var blk Block
	n, i := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		if err := Decode(blocks[i%len(blocks)], &blk); err != nil {
			b.Fatal(err)
		}
		n += len(blk.Entries)
		i++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
}
