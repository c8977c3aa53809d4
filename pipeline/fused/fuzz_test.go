package fused

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// script is a golden file's events, for records of every kind.
func script(f *testing.F, name string) string {
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		f.Fatal(err)
	}
	in, _, _ := strings.Cut(string(raw), "\n---\n")
	return in
}

// taps collects what an enricher emits.
type taps struct{ sent [][]byte }

func (o *taps) Emit(_ int32, value []byte) { o.sent = append(o.sent, value) }

// playInto plays the golden events into a task.
func playInto(f *testing.F, task runtime.Task) *player {
	p := newPlayer(f, task)
	for _, name := range []string{"buyers.txt", "order_room_by_click.txt", "view_bounce_border.txt"} {
		for line := range strings.Lines(script(f, name)) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
			if line = strings.TrimSpace(line); line != "" {
				p.line(line)
			}
		}
	}
	return p
}

// FuzzSnapshot: whatever one record of a changelog holds, a restore of all ends with an error or with a task that can go on, flush, save and sweep itself.
func FuzzSnapshot(f *testing.F) {
	p := playInto(f, NewRun(0, nil))
	p.save()
	for k, v := range p.log {
		f.Add([]byte(k), v)
	}
	f.Fuzz(func(t *testing.T, key, value []byte) {
		if len(key) == 6 && binary.BigEndian.Uint32(key[2:]) > 1<<10 {
			return // the number of a bucket is taken as it is: a slab as large as that is made, which here would be all of the memory
		}
		damaged := maps.Clone(p.log)
		damaged[string(key)] = value
		task := NewRun(0, nil)
		for k, v := range damaged {
			if task.Restore([]byte(k), v) != nil {
				return
			}
		}
		if _, err := task.RestoreDone(); err != nil {
			return
		}
		var b rollup.Batch
		flushAll(task, &b, false)
		snapshot(task, func([]byte, []byte) {})
		task.(*Task).sweepKeys()
		_ = task.Apply(p.offset, p.block)
		flushAll(task, &b, false)
		snapshot(task, func([]byte, []byte) {})
		task.Stats()
	})
}

// FuzzEnriched: whatever the bytes of a record of events.enriched, the decoder answers with an error or with changes that can be written
// again and say the same, and that an aggregator can apply.
func FuzzEnriched(f *testing.F) {
	out := &taps{}
	playInto(f, NewEnricher(0, out))
	if len(out.sent) == 0 {
		f.Fatal("nothing to begin with")
	}
	for _, v := range out.sent {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		var dec, again change.Decoder
		var enc change.Encoder
		var rec, back change.Record
		keys := cellkey.NewTable()
		if dec.Decode(value, &rec, keys) != nil {
			return
		}
		if len(rec.Changes)*7+len(rec.Orders)*20 > len(value) {
			t.Fatalf("%d changes and %d orders from %d bytes", len(rec.Changes), len(rec.Orders), len(value))
		}
		if err := again.Decode(enc.Encode(&rec, keys, true), &back, keys); err != nil {
			t.Fatalf("what was written again is not read: %v", err)
		}
		if !reflect.DeepEqual(clean(rec), clean(back)) {
			t.Fatalf("%+v became %+v", rec, back)
		}
		task := NewAggregator(0, nil)
		if err := task.Apply(0, value); err == nil {
			var b rollup.Batch
			flushAll(task, &b, false)
		}
	})
}

// clean makes records comparable: no slice and an empty one are the same.
func clean(r change.Record) string {
	settings := ""
	if r.Settings != nil {
		settings = fmt.Sprint(*r.Settings)
	}
	return fmt.Sprint(r.Offset, r.Watermark, r.MaxRecv, settings, r.Changes, r.Orders)
}

// recorder keeps the records that a task applies.
type recorder struct {
	runtime.Task
	seen [][]byte
}

func (r *recorder) Apply(offset int64, value []byte) error {
	r.seen = append(r.seen, bytes.Clone(value))
	return r.Task.Apply(offset, value)
}

// FuzzLog: whatever a record of the log holds, a task applies it or answers with an error, and can still flush and save itself.
func FuzzLog(f *testing.F) {
	r := &recorder{Task: NewRun(0, nil)}
	playInto(f, r)
	for _, v := range r.seen {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		task := NewRun(0, nil)
		for i, v := range append(slices.Clone(r.seen[:6]), value) {
			if task.Apply(int64(i), v) != nil {
				return
			}
		}
		var b rollup.Batch
		flushAll(task, &b, false)
		snapshot(task, func([]byte, []byte) {})
	})
}
