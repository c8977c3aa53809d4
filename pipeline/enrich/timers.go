package enrich

import "math/bits"

// timers are the views that may change without an event, by the watermark at which they do. A timer whose view has moved on is simply
// judged again. They are rebuilt from the views on restore.
//
// The watermark never falls and every timer lies beyond it, so a radix heap does: bucket k holds those of which the highest bit that differs
// from now is the k-th. When time moves on, a timer moves to lower buckets, a few times in its life; a binary heap compares at every level.
type timers struct {
	now     int64
	buckets [65][]timer
	due     []timer // scratch
}

type timer struct {
	at   int64
	view uint32
}

// add puts a timer where it belongs; one that is due already waits for the next move of the watermark.
func (t *timers) add(at int64, view uint32) {
	k := bits.Len64(uint64(max(at, t.now) ^ t.now))
	t.buckets[k] = append(t.buckets[k], timer{at, view})
}

// advance moves on to now and returns what is due by then, valid until the next call.
func (t *timers) advance(now int64) []timer {
	k := bits.Len64(uint64(now ^ t.now))
	t.now, t.due = now, t.due[:0]
	for _, b := range t.buckets[:k] { // their times share the bits of the former now down to the one that has changed
		t.due = append(t.due, b...)
	}
	for i := range k {
		t.buckets[i] = t.buckets[i][:0]
	}
	last := t.buckets[k]
	t.buckets[k] = last[:0]
	for _, x := range last {
		if x.at <= now {
			t.due = append(t.due, x)
		} else {
			t.add(x.at, x.view) // into a lower bucket: bit k is set in both
		}
	}
	return t.due
}

// fire judges every view whose time has come.
func (e *Enricher) fire() {
	due, warm := e.timers.advance(e.wm), uint32(0)
	for _, x := range due { // in two passes, like a block: see warmUp
		w := e.views.At(x.view)
		warm += w.owner + uint32(w.seen.bits[0])
	}
	e.warm = warm
	for _, x := range due {
		w := e.views.At(x.view)
		if w.flags&viewTimed == 0 {
			continue
		}
		e.mark(w.owner)
		w.flags &^= viewTimed
		e.judge(x.view, w, 0)
	}
}
