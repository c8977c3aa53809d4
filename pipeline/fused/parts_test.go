package fused

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// A snapshot that is saved in parts, while events are applied, rows leave and answers come, is that of the moment it began, byte for byte.
func TestSnapshotInPartsIsOfItsBeginning(t *testing.T) {
	for f, g := range goldens(t) {
		for _, often := range []int{1, 2, 5, 13} {
			t.Run(fmt.Sprintf("%s/every=%d", filepath.Base(f), often), func(t *testing.T) {
				whole, parts := newPlayer(t, NewRun(0, nil)), newPlayer(t, NewRun(0, nil))
				compareSnapshots(t, g.in, often, whole, parts)
			})
		}
	}
}

func compareSnapshots(t *testing.T, in string, often int, whole, parts *player) {
	want, got, on := map[string][]byte{}, map[string][]byte{}, false
	save := func() {
		on = parts.task.Save(func(k, v []byte) { got[string(k)] = v })
		if on {
			return
		}
		if len(got) != len(want) {
			t.Errorf("%d records, want %d", len(got), len(want))
		}
		for k, v := range want {
			if !bytes.Equal(got[k], v) {
				t.Errorf("record %q is\n%x, want\n%x", k, got[k], v)
			}
		}
	}
	i := 0
	for line := range strings.Lines(in) {
		if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) == "" {
			continue
		}
		i++
		for _, p := range []*player{whole, parts} {
			p.line(strings.TrimSpace(line))
			var b rollup.Batch
			token, _ := p.task.Flush(&b, i%7 == 0)
			switch {
			case i%5 == 3:
				p.task.Nack(token)
			case i%3 == 0: // those before it, too
				p.task.Ack(token)
			}
		}
		if on && i%often == often-1 {
			save()
		}
		if !on && i%often == 0 {
			clear(want)
			clear(got)
			snapshot(whole.task, func(k, v []byte) { want[string(k)] = v })
			parts.task.Snapshot()
			on = true
		}
	}
	for on {
		save()
	}
}
