package enrich

// dedupeNode is one cache line of a viewer's remembered event ids: exact 64-bit fingerprints with the minute of their receive time.
type dedupeNode struct {
	next uint32
	base uint32          // minute since 1970 from which those of the ids count; forever for natural keys
	off  [nodeIDs]uint8  // minutes after base
	fp   [nodeIDs]uint64 // 0 is free
}

const (
	nodeIDs = 6
	forever = uint32(1<<32 - 1)
	// behindBase is how much earlier than its first id's an id's minute may be to stand in the same node: sources are not in step.
	behindBase = 60
	// bigNodes is the list length from which a viewer's ids move to a hash set: a bot must not make its partition quadratic.
	bigNodes = 48
)

// bigSet holds the ids of a viewer that sends thousands in ten minutes.
type bigSet map[uint64]uint32

func baseOf(minute uint32) uint32 {
	if minute == forever {
		return forever
	}
	return minute - min(minute, behindBase)
}

// fits says whether an id of this minute can stand in the node.
func (n *dedupeNode) fits(minute uint32) bool {
	return (minute == forever) == (n.base == forever) && minute-n.base <= 0xff
}

func (n *dedupeNode) minute(k int) uint32 { return n.base + uint32(n.off[k]) }

func (n *dedupeNode) put(k int, fp uint64, minute uint32) {
	n.fp[k], n.off[k] = fp, uint8(minute-n.base)
}

// duplicate says whether the viewer's event id was accepted within the dedupe horizon, and remembers it if not. The horizon
// is measured from the watermark, so that the answer is the same in every replay: never shorter than configured.
func (e *Enricher) duplicate(slot uint32, v *viewer, fp uint64, recv int64) bool {
	// A record that comes later than the watermark (a bulk load of old ones) is remembered from now on: by its receive time alone it
	// would be forgotten at once, and its copy behind it counted.
	minute := minuteOf(max(recv, e.wm))
	if v.pinned {
		minute = forever
	}
	return e.remember(slot, v, fp, minute)
}

// remember says whether the viewer has an id, and keeps it if not, until minute is behind the dedupe horizon.
func (e *Enricher) remember(slot uint32, v *viewer, fp uint64, minute uint32) bool {
	if fp == 0 {
		fp = 1
	}
	if set, ok := e.big[slot]; ok {
		return e.duplicateBig(set, fp, minute)
	}
	free, freeAt, dead, nodes := (*dedupeNode)(nil), 0, (*dedupeNode)(nil), 0
	for i := v.dedupe; i != 0; nodes++ {
		n := e.dedupes.At(i)
		fits, live := n.fits(minute), false
		for k, f := range n.fp {
			switch {
			case f != 0 && !e.forgotten(n.minute(k)):
				if f == fp {
					return true
				}
				live = true
			case fits && free == nil:
				free, freeAt = n, k
			}
		}
		if !live {
			dead = n
		}
		i = n.next
	}
	if free == nil && dead != nil {
		e.ids -= dead.len()
		*dead = dedupeNode{next: dead.next, base: baseOf(minute)}
		free, freeAt = dead, 0
	}
	if free != nil {
		if free.fp[freeAt] == 0 {
			e.ids++
		}
		free.put(freeAt, fp, minute)
		return false
	}
	if nodes >= bigNodes {
		return e.duplicateBig(e.makeBig(slot, v), fp, minute)
	}
	e.ids++
	e.newNode(v, minute).put(0, fp, minute)
	return false
}

func (e *Enricher) newNode(v *viewer, minute uint32) *dedupeNode {
	i := e.dedupes.Alloc()
	n := e.dedupes.At(i)
	n.next, n.base = v.dedupe, baseOf(minute)
	v.dedupe = i
	return n
}

// len is the number of ids, forgotten ones included.
func (n *dedupeNode) len() (ids int) {
	for _, f := range n.fp {
		if f != 0 {
			ids++
		}
	}
	return ids
}

func minuteOf(recv int64) uint32 { return uint32(max(0, recv) / minuteMS) }

// forgotten says whether an id of this minute lies beyond the dedupe horizon.
func (e *Enricher) forgotten(minute uint32) bool { return minute < e.oldestMinute }

func (e *Enricher) makeBig(slot uint32, v *viewer) bigSet {
	set := bigSet{}
	e.eachID(slot, v, e.oldestMinute, func(fp uint64, minute uint32) { set[fp] = minute })
	e.freeDedupe(v)
	e.ids += len(set)
	e.big[slot] = set
	return set
}

func (e *Enricher) duplicateBig(set bigSet, fp uint64, minute uint32) bool {
	if m, ok := set[fp]; ok && !e.forgotten(m) {
		return true
	}
	before := len(set)
	if len(set) >= 1024 && len(set)&(len(set)-1) == 0 { // at powers of two: amortised over what was added
		for f, m := range set {
			if e.forgotten(m) {
				delete(set, f)
			}
		}
	}
	set[fp] = minute
	e.ids += len(set) - before
	return false
}

// eachID visits the ids of a viewer from a minute on.
func (e *Enricher) eachID(slot uint32, v *viewer, oldest uint32, visit func(fp uint64, minute uint32)) {
	for fp, m := range e.big[slot] {
		if m >= oldest {
			visit(fp, m)
		}
	}
	for i := v.dedupe; i != 0; {
		n := e.dedupes.At(i)
		for k, fp := range n.fp {
			if fp != 0 && n.minute(k) >= oldest {
				visit(fp, n.minute(k))
			}
		}
		i = n.next
	}
}

func (e *Enricher) freeDedupe(v *viewer) {
	for i := v.dedupe; i != 0; {
		n := e.dedupes.At(i)
		next := n.next
		e.ids -= n.len()
		e.dedupes.Free(i)
		i = next
	}
	v.dedupe = 0
}
