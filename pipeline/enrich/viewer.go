package enrich

// viewer is the root of everything known of one pseudonym on this partition.
type viewer struct {
	hi, lo uint64
	last   int64  // newest receive time, ms
	dedupe uint32 // list of dedupeNode
	views  uint32 // list of view
	scopes uint32 // list of scope
	buyer  uint32 // index into Enricher.buyers, 0 for a viewer without orders and click touches
	pinned bool   // cost and stock keys: remembered for ever
}

// viewerTable finds viewers by pseudonym: open addressing over the low half, which is uniformly distributed, linear probing, at
// most 3/4 full. An entry of 0 is empty.
type viewerTable struct {
	slots []uint32
	used  int
}

const minTable = 1024

// find returns the viewer's slot, making it if it is new.
func (e *Enricher) find(hi, lo uint64) uint32 {
	t := &e.table
	if t.used*4 >= len(t.slots)*3 {
		e.growTable()
	}
	mask := uint64(len(t.slots) - 1)
	i := lo & mask
	for t.slots[i] != 0 {
		n := t.slots[i]
		if v := e.viewers.At(n); v.lo == lo && v.hi == hi {
			return n
		}
		i = (i + 1) & mask
	}
	n := e.viewers.Alloc()
	t.slots[i] = n
	t.used++
	v := e.viewers.At(n)
	v.hi, v.lo = hi, lo
	return n
}

func (e *Enricher) growTable() {
	old := e.table.slots
	e.table = viewerTable{slots: make([]uint32, max(minTable, len(old)*2))}
	for _, n := range old {
		if n != 0 {
			e.place(n)
		}
	}
}

// place enters a viewer that is not in the table.
func (e *Enricher) place(n uint32) {
	t := &e.table
	mask := uint64(len(t.slots) - 1)
	i := e.viewers.At(n).lo & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = n
	t.used++
}

// removeViewer frees a viewer whose lists are empty. The probe chain behind it is closed by moving entries back.
func (e *Enricher) removeViewer(n uint32) {
	t := &e.table
	mask := uint64(len(t.slots) - 1)
	i := e.viewers.At(n).lo & mask
	for t.slots[i] != n {
		i = (i + 1) & mask
	}
	for j := i; ; {
		j = (j + 1) & mask
		if t.slots[j] == 0 {
			break
		}
		home := e.viewers.At(t.slots[j]).lo & mask
		if (j-home)&mask >= (j-i)&mask {
			t.slots[i] = t.slots[j]
			i = j
		}
	}
	t.slots[i] = 0
	t.used--
	e.viewers.Free(n)
}
