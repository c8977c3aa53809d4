package enrich

// viewer is the root of everything known of one pseudonym on this partition.
type viewer struct {
	hi, lo    uint64
	dedupe    uint32 // list of dedupeNode
	views     uint32 // list of view
	scopes    uint32 // list of scope
	sequences uint32 // list of sequence
	buyer     uint32 // index into Enricher.buyers, 0 for a viewer without orders and click touches
	pinned    bool   // cost and stock keys: remembered for ever
}

// viewerTable finds viewers by pseudonym: open addressing over the low half, which is uniformly distributed, linear probing, at
// most 3/4 full.
type viewerTable struct {
	slots []viewerSlot
	used  int
}

// viewerSlot holds enough of the pseudonym to pass by other viewers without loading them. n is 0 where it is free.
type viewerSlot struct{ tag, n uint32 }

const minTable = 1024

// tagOf is of the half that says neither the slot nor, modulo a number of partitions, much of the rest.
func tagOf(hi uint64) uint32 { return uint32(hi >> 32) }

// guess is the first viewer in the probe chain that looks like the one, 0 without: what it is for, and whether it is the one, the viewer tells.
func (t *viewerTable) guess(hi, lo uint64) uint32 {
	mask, tag := uint64(len(t.slots)-1), tagOf(hi)
	for i := lo & mask; ; i = (i + 1) & mask {
		if s := t.slots[i]; s.tag == tag || s.n == 0 {
			return s.n
		}
	}
}

// find returns the viewer's slot, making it if it is new.
func (e *Enricher) find(hi, lo uint64) uint32 {
	t := &e.table
	if t.used*4 >= len(t.slots)*3 {
		e.growTable()
	}
	mask, tag := uint64(len(t.slots)-1), tagOf(hi)
	i := lo & mask
	for ; t.slots[i].n != 0; i = (i + 1) & mask {
		if s := t.slots[i]; s.tag == tag {
			if v := e.viewers.At(s.n); v.lo == lo && v.hi == hi {
				return s.n
			}
		}
	}
	n := e.viewers.Alloc()
	e.mark(n)
	t.slots[i] = viewerSlot{tag, n}
	t.used++
	v := e.viewers.At(n)
	v.hi, v.lo = hi, lo
	return n
}

func (e *Enricher) growTable() {
	old := e.table.slots
	e.table = viewerTable{slots: make([]viewerSlot, max(minTable, len(old)*2))}
	for _, s := range old {
		if s.n != 0 {
			e.place(s.n)
		}
	}
}

// place enters a viewer that is not in the table.
func (e *Enricher) place(n uint32) {
	t, v := &e.table, e.viewers.At(n)
	mask := uint64(len(t.slots) - 1)
	i := v.lo & mask
	for t.slots[i].n != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = viewerSlot{tagOf(v.hi), n}
	t.used++
}

// removeViewer frees a viewer whose lists are empty. The probe chain behind it is closed by moving entries back.
func (e *Enricher) removeViewer(n uint32) {
	t := &e.table
	mask := uint64(len(t.slots) - 1)
	i := e.viewers.At(n).lo & mask
	for t.slots[i].n != n {
		i = (i + 1) & mask
	}
	for j := i; ; {
		j = (j + 1) & mask
		if t.slots[j].n == 0 {
			break
		}
		home := e.viewers.At(t.slots[j].n).lo & mask
		if (j-home)&mask >= (j-i)&mask {
			t.slots[i] = t.slots[j]
			i = j
		}
	}
	t.slots[i] = viewerSlot{}
	t.used--
	e.viewers.Free(n)
}
