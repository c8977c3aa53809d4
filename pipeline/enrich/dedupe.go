package enrich

// dedupeNode is one cache line of a viewer's remembered event ids: exact 64-bit fingerprints with the minute of their receive time.
type dedupeNode struct {
	next uint32
	min  [nodeIDs]uint16 // minute of receive time mod 2^16; forever for natural keys
	fp   [nodeIDs]uint64 // 0 is free
}

const (
	nodeIDs = 6
	forever = uint16(0xffff)
	// bigNodes is the list length from which a viewer's ids move to a hash set: a bot must not make its partition quadratic.
	bigNodes = 48
)

// bigSet holds the ids of a viewer that sends thousands in ten minutes.
type bigSet map[uint64]uint16

// duplicate says whether the viewer's event id was accepted within the dedupe horizon, and remembers it if not. The horizon
// is measured from the watermark, so that the answer is the same in every replay: never shorter than configured.
func (e *Enricher) duplicate(slot uint32, v *viewer, fp uint64, recv int64) bool {
	if fp == 0 {
		fp = 1
	}
	// A record that comes later than the watermark (a bulk load of old ones) is remembered from now on: by its receive time alone it
	// would be forgotten at once, and its copy behind it counted.
	minute := minuteOf(max(recv, e.wm))
	if v.pinned {
		minute = forever
	}
	if set, ok := e.big[slot]; ok {
		return e.duplicateBig(set, fp, minute)
	}
	free, freeAt, nodes := (*dedupeNode)(nil), 0, 0
	for i := v.dedupe; i != 0; nodes++ {
		n := e.dedupes.At(i)
		for k := range n.fp {
			switch {
			case n.fp[k] == 0:
			case n.fp[k] == fp && !e.forgotten(n.min[k]):
				return true
			case free != nil || !e.forgotten(n.min[k]):
				continue
			default:
				e.ids--
			}
			if free == nil {
				free, freeAt = n, k
			}
		}
		i = n.next
	}
	e.ids++
	if free != nil {
		free.fp[freeAt], free.min[freeAt] = fp, minute
		return false
	}
	if nodes >= bigNodes {
		e.makeBig(slot, v)[fp] = minute
		return false
	}
	i := e.dedupes.Alloc()
	n := e.dedupes.At(i)
	n.next, n.fp[0], n.min[0] = v.dedupe, fp, minute
	v.dedupe = i
	return false
}

func minuteOf(recv int64) uint16 { return uint16(recv / 60_000 % int64(forever)) }

// forgotten says whether an id of this minute lies beyond the dedupe horizon. Minutes ahead of the watermark are not, up to 22 days: no
// source may lag behind another by more.
func (e *Enricher) forgotten(minute uint16) bool {
	if minute == forever || e.wm == 0 {
		return false
	}
	age := (int(e.wmMinute) - int(minute) + int(forever)) % int(forever)
	return age > e.dedupeMinutes && age < int(forever)/2
}

func (e *Enricher) makeBig(slot uint32, v *viewer) bigSet {
	set := bigSet{}
	e.eachID(slot, v, func(fp uint64, minute uint16) { set[fp] = minute })
	e.freeDedupe(v)
	e.big[slot] = set
	return set
}

func (e *Enricher) duplicateBig(set bigSet, fp uint64, minute uint16) bool {
	if m, ok := set[fp]; ok && !e.forgotten(m) {
		return true
	}
	if len(set) >= 1024 && len(set)&(len(set)-1) == 0 { // at powers of two: amortised over what was added
		for f, m := range set {
			if e.forgotten(m) {
				delete(set, f)
				e.ids--
			}
		}
	}
	set[fp] = minute
	e.ids++
	return false
}

// eachID visits the ids of a viewer that are still remembered.
func (e *Enricher) eachID(slot uint32, v *viewer, visit func(fp uint64, minute uint16)) {
	for fp, m := range e.big[slot] {
		if !e.forgotten(m) {
			visit(fp, m)
		}
	}
	for i := v.dedupe; i != 0; {
		n := e.dedupes.At(i)
		for k, fp := range n.fp {
			if fp != 0 && !e.forgotten(n.min[k]) {
				visit(fp, n.min[k])
			}
		}
		i = n.next
	}
}

func (e *Enricher) freeDedupe(v *viewer) {
	for i := v.dedupe; i != 0; {
		next := e.dedupes.At(i).next
		e.dedupes.Free(i)
		i = next
	}
	v.dedupe = 0
}
