package enrich

// touch loads the state that a block's entries are going to ask for, step by step for all of them: the loads of a step do not depend on
// each other, so their cache misses overlap, where entry by entry each would wait for the one before. It changes nothing.
func (e *Enricher) touch() {
	entries := e.block.Entries
	e.slots = append(e.slots[:0], make([]uint32, len(entries))...)
	t := &e.table
	mask := uint64(len(t.slots) - 1)
	for i := range entries {
		e.slots[i] = t.slots[entries[i].ViewerLo&mask]
	}
	warm := uint32(0)
	for i, slot := range e.slots {
		if slot == 0 {
			continue
		}
		// A collision in the table is left to find: it is rare, and what it has loaded is not far away.
		v := e.viewers.At(slot)
		if v.lo != entries[i].ViewerLo || v.hi != entries[i].ViewerHi {
			e.slots[i] = 0
			continue
		}
		warm += v.dedupe
	}
	for _, slot := range e.slots {
		if slot == 0 {
			continue
		}
		v := e.viewers.At(slot)
		if v.dedupe != 0 {
			warm += e.dedupes.At(v.dedupe).next
		}
		if v.scopes != 0 {
			warm += e.scopes.At(v.scopes).next
		}
		if v.views != 0 {
			warm += e.views.At(v.views).next
		}
	}
	e.warm = warm
}
