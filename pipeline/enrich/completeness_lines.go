package enrich

import (
	"strings"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// completeness is what one record of the log adds, and what is remembered to save look-ups.
type completeness struct {
	lines     []completenessLine
	platforms []uint32 // by string of a room: that of its platform; 0 where it is not known yet
	keys      map[completenessKey]cellkey.ID
}

type completenessKey struct{ platform, sdk, kind uint32 }

type completenessLine struct {
	key    cellkey.ID
	minute uint32
	recv   int64
	n      [3]int64 // by slot
}

// adds counts in a minute's line. Neighbours mostly share it.
func (e *Enricher) adds(key cellkey.ID, minute uint32, recv, expected, received, late int64) {
	lines := e.complete.lines
	for i := len(lines) - 1; i >= 0; i-- {
		if l := &lines[i]; l.key == key && l.minute == minute {
			l.n[cellkey.Expected] += expected
			l.n[cellkey.Received] += received
			l.n[cellkey.Late] += late
			l.recv = max(l.recv, recv)
			return
		}
	}
	e.complete.lines = append(lines, completenessLine{key, minute, recv, [3]int64{expected, received, late}})
}

// emitCompleteness turns the lines into changes.
func (e *Enricher) emitCompleteness() {
	for _, l := range e.complete.lines {
		for slot, n := range l.n {
			if n != 0 {
				e.emit(change.Change{TS: int64(l.minute) * minuteMS, Recv: l.recv, Delta: n, Key: l.key, Slot: measure.Slot(slot), Mask: 1 << measure.Grain1m, Flags: change.Own})
			}
		}
	}
	e.complete.lines = e.complete.lines[:0]
}

func (e *Enricher) completenessKey(room, sdk, kind uint32) cellkey.ID {
	c := &e.complete
	if int(room) >= len(c.platforms) {
		c.platforms = append(c.platforms, make([]uint32, int(room)+256-len(c.platforms))...)
	}
	platform := c.platforms[room]
	if platform == 0 {
		name, _, _ := strings.Cut(e.keys.Text(room), cellkey.Sep)
		platform = e.keys.String(name)
		c.platforms[room] = platform
	}
	k := completenessKey{platform, sdk, kind}
	id, ok := c.keys[k]
	if !ok {
		name, version, _ := strings.Cut(e.keys.Text(sdk), cellkey.Sep)
		id = e.keys.Of(cellkey.Key{Cube: cellkey.Completeness, Platform: e.keys.Text(platform), Room: sequenceKinds[kind], Session: name, Sub: [2]string{version}})
		if c.keys == nil {
			c.keys = map[completenessKey]cellkey.ID{}
		}
		c.keys[k] = id
	}
	return id
}

// forgetKeys drops what was remembered to save look-ups: numbers may be given to others.
func (c *completeness) forgetKeys() {
	clear(c.platforms)
	clear(c.keys)
}
