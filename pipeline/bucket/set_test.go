package bucket

import (
	"bytes"
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/livemeter/livemeter/pipeline/wire"
)

// texts are slots that hold a text or nothing.
type texts []string

func (t *texts) Cap() uint32 { return uint32(len(*t)) }

func (t *texts) Warm(uint32, uint32) {}

func (t *texts) Pack(w *wire.Writer, slot uint32) {
	if s := (*t)[slot]; s != "" {
		w.Byte(byte(slot%Slots) + 1)
		w.Raw(s)
		w.Int(int64(len(s)))
	}
}

// save is all buckets that have changed, at once.
func save(s *Set) map[uint32][]byte {
	out := map[uint32][]byte{}
	for more := true; more; {
		more = next(s, out)
	}
	return out
}

func next(s *Set, out map[uint32][]byte) bool {
	var w wire.Writer
	return s.Save(&w, 'x', 7, func(key, value []byte) {
		n, _ := Number(key, 'x')
		out[n] = value
	})
}

// Whatever changes while a snapshot is saved, it is what a snapshot taken at once would have been, over many words of buckets and with slots that come,
// go and are used again; what changed meanwhile is in the next one.
func TestSnapshotIsOfItsBeginning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slots := make(texts, 1)
		var parts, whole Set
		change := func() {
			slot := uint32(rapid.SampledFrom([]int{1, 2, 63, 64, 65, 127, 4095, 4096, 4097, 9000, 20_000}).Draw(t, "slot"))
			if int(slot) >= len(slots) {
				slots = append(slots, make(texts, int(slot)+1-len(slots))...)
			}
			parts.Mark(slot)
			whole.Mark(slot)
			slots[slot] = rapid.SampledFrom([]string{"", "a", "bb", fmt.Sprint("c", slot)}).Draw(t, "text")
		}
		for range rapid.IntRange(1, 6).Draw(t, "snapshots") {
			for range rapid.IntRange(0, 12).Draw(t, "changes before") {
				change()
			}
			whole.Begin(&slots)
			want := save(&whole)
			parts.Begin(&slots)
			got := map[uint32][]byte{}
			for more := true; more; {
				for range rapid.IntRange(0, 3).Draw(t, "changes meanwhile") {
					change()
				}
				more = next(&parts, got)
			}
			if !maps.EqualFunc(got, want, bytes.Equal) {
				t.Fatalf("saved %x, want %x", got, want)
			}
		}
	})
}

func TestSlotOf(t *testing.T) {
	for _, c := range []struct {
		bucket uint32
		n      byte
		slot   uint32
		ok     bool
	}{{0, 0, 0, false}, {0, 1, 0, false}, {0, 2, 1, true}, {0, 64, 63, true}, {0, 65, 0, false}, {1, 1, 64, true}, {1<<26 - 1, 64, 1<<32 - 1, true}, {1 << 26, 1, 0, false}} {
		if slot, ok := SlotOf(c.bucket, c.n); ok != c.ok || ok && slot != c.slot {
			t.Errorf("bucket %d, %d: %d %v, want %d %v", c.bucket, c.n, slot, ok, c.slot, c.ok)
		}
	}
}
