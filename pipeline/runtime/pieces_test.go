package runtime

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// pieceCounter lets one key's row leave with a flush.
type pieceCounter struct{ *counter }

func (c pieceCounter) Flush(b *rollup.Batch, _ bool) (token uint64, more bool) {
	c.token++
	for _, key := range slices.Sorted(maps.Keys(c.keys)) {
		k := c.keys[key]
		if !k.dirty {
			continue
		}
		if k.flying == c.token || more {
			return c.token, true
		}
		b.Outcomes = append(b.Outcomes, rollup.Outcome{Topic: key, Part: uint16(c.part), Version: uint64(c.next), Records: k.n})
		k.dirty, k.flying, more = false, c.token, true
	}
	return c.token, false
}

// A round of many pieces does not wait for the interval between them, an hour here, and a stop sends all of them.
func TestPiecesFollowAtOnce(t *testing.T) {
	for _, stop := range []bool{false, true} {
		t.Run(fmt.Sprint("stop=", stop), func(t *testing.T) {
			w := newWorld(t)
			w.send(200)
			cfg := w.config()
			cfg.FlushHot, cfg.FlushMax, cfg.FlushBehind, cfg.CheckpointEvery = time.Hour, time.Hour, time.Hour, time.Hour
			cfg.BehindAge, cfg.BehindRecords = time.Hour, 1<<40
			cfg.NewTask = func(p int32, out Output) Task { return pieceCounter{newCounter(p, out, nil)} }
			r := w.start(cfg)
			eventually(t, "applied", func() (bool, string) {
				n := int64(0)
				for _, o := range r.Watermarks() {
					n += o
				}
				return n == 200, fmt.Sprint(n)
			})
			if !stop {
				r.writer.kick() // the rest comes by itself
				w.drain(r)
			}
			r.stop()
			w.check()
		})
	}
}
