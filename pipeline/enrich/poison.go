package enrich

import (
	"slices"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// An entry over which a stage panics is told as invalid, reason internal, and its neighbours count: see runtime.Poison. Found it is by applying a record
// again, entry by entry, from the state before it.

// mark is how much of a record's effects there was after an entry.
type mark struct{ changes, orders int }

// Skip makes entries of the record at offset invalid instead of applying them.
func (e *Enricher) Skip(offset int64, entries ...int) {
	if e.skips == nil {
		e.skips = map[int64][]int{}
	}
	e.skips[offset] = append(e.skips[offset], entries...)
}

// Step makes blocks be applied entry by entry, so that At and EntryOf know which one it was.
func (e *Enricher) Step(on bool) { e.stepping = on }

// At is the entry of the block that is being applied, -1 where none is; only while stepping.
func (e *Enricher) At() int { return e.at }

// EntryOf is the entry that made a change, or an order, of the record applied last, by its place among them; the other one is −1. It is −1 where time made it, or many did.
func (e *Enricher) EntryOf(change, order int) int {
	return slices.IndexFunc(e.marks, func(m mark) bool { return change >= 0 && m.changes > change || order >= 0 && m.orders > order })
}

// Entry is entry i of the block applied last, and the name of its source's topic, "" where the log has not told it.
func (e *Enricher) Entry(i int) (n *eventlog.Entry, source eventlog.SourceID, topic string) {
	n = &e.block.Entries[i]
	source = e.block.Sources[n.Source]
	return n, source, e.sources.list[e.sources.find(source)].topic
}

// applySingly is applyBlock for a record of which not every entry is to be applied, or not for sure.
func (e *Enricher) applySingly(skip []int) {
	for i := range e.block.Entries {
		e.at = i
		n := &e.block.Entries[i]
		switch {
		case !slices.Contains(skip, i):
			e.warmUp(e.block.Entries[i : i+1])
			e.pass(n, e.slots[0])
		case e.isNew(n) && n.OriginalIndex < 0: // a replay changes nothing then
			e.Stats.Invalid[event.Internal]++
			e.ledger.count(e, n, outcomeInvalid, event.Internal)
		}
		e.marks = append(e.marks, mark{len(e.out.Changes), len(e.out.Orders)})
	}
	e.at = -1
}
