package enrich

import (
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// reach is how far into a viewer's lists warmUp goes: a view and its room, two experiments, the ids of a minute or two.
const reach = 3

// warmEntries is how many entries are warmed up together: enough for their misses to overlap, few enough that what the first of them loaded, and where its
// pages are, is still at hand when the last has been applied.
const warmEntries = 64

// lists is where in a viewer's lists warmUp has come to.
type lists struct{ dedupe, scope, view, sequence uint32 }

// warmUp loads the state that some of a block's entries are going to ask for, step by step for all of them: the loads of a step do not depend on
// each other, so their cache misses overlap, where entry by entry each would wait for the one before. It changes
// no row and no count; strings of experiments may get their numbers here.
func (e *Enricher) warmUp(entries []eventlog.Entry) {
	e.slots, e.lists = e.slots[:0], e.lists[:0]
	t, warm := &e.table, uint32(0)
	mask := uint64(len(t.slots) - 1)
	for i := range entries {
		warm += t.slots[entries[i].ViewerLo&mask].n
	}
	for i := range entries {
		n := &entries[i]
		slot := t.guess(n.ViewerHi, n.ViewerLo)
		e.slots = append(e.slots, slot)
		warm += e.viewers.At(slot).buyer + e.warmCells(n)
	}
	for i, slot := range e.slots {
		v := e.viewers.At(slot)
		if v.lo != entries[i].ViewerLo || v.hi != entries[i].ViewerHi {
			e.slots[i] = 0 // new, or behind one that looks alike: find will see
			continue
		}
		e.lists = append(e.lists, lists{v.dedupe, v.scopes, v.views, v.sequences})
	}
	e.warm = warm + e.warmLists()
}

// warmLists loads what hangs on the viewers that e.lists begins with.
func (e *Enricher) warmLists() (warm uint32) {
	for range reach {
		for i := range e.lists {
			l := &e.lists[i]
			s, w := e.scopes.At(l.scope), e.views.At(l.view)
			warm += s.days[numKinds-1] + uint32(w.last) + uint32(w.seen.bits[0]) // they are longer than a cache line
			*l = lists{e.dedupes.At(l.dedupe).next, s.next, w.next, e.sequences.At(l.sequence).next}
		}
	}
	return warm
}

// warmBucket loads the viewers of a checkpoint bucket, as warmUp does those of a block.
func (e *Enricher) warmBucket(from, to uint32) {
	e.lists = e.lists[:0]
	for i := from; i < to; i++ {
		v := e.viewers.At(i)
		e.lists = append(e.lists, lists{v.dedupe, v.scopes, v.views, v.sequences})
	}
	e.warm = e.warmLists()
}

// warmCells loads where the cells of the entry's experiments are looked up.
func (e *Enricher) warmCells(n *eventlog.Entry) (warm uint32) {
	for _, x := range e.variants(e.str(n.Exps)) {
		warm += e.keys.Warm(measure.Variant, e.str(n.Room), x, 0)
	}
	if n.SKU != 0 {
		warm += e.keys.Warm(measure.SKU, e.str(n.Room), e.str(n.SKU), 0)
	}
	if n.Origin != 0 {
		warm += e.keys.Warm(measure.Source, e.str(n.Room), e.str(n.Origin), 0)
	}
	return warm
}
