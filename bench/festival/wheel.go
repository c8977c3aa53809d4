package festival

const (
	slotMS    = 16
	slotCount = 1 << 16 // 17 minutes; what is due later goes round again
)

type task uint8

const (
	taskStay task = iota
	taskOrder
	taskSend
)

// item is something to do at a time: a stay's next step, an order's, or a record that waits.
type item struct {
	due  int64
	ref  uint32
	step uint8
	task task
}

// wheel is a timing wheel.
type wheel struct {
	slots  [][]item
	cursor int64 // slot number that is being emptied
	count  int
}

func newWheel(now int64) *wheel {
	return &wheel{slots: make([][]item, slotCount), cursor: now / slotMS}
}

func (w *wheel) push(it item) {
	slot := min(max(it.due/slotMS, w.cursor), w.cursor+slotCount-1)
	w.slots[slot%slotCount] = append(w.slots[slot%slotCount], it)
	w.count++
}

// pop takes an item that is due at now.
func (w *wheel) pop(now int64) (item, bool) {
	for ; w.count > 0; w.cursor++ {
		s := &w.slots[w.cursor%slotCount]
		for len(*s) > 0 {
			it := (*s)[len(*s)-1]
			if it.due > now && it.due/slotMS <= w.cursor {
				return item{}, false
			}
			*s = (*s)[:len(*s)-1]
			w.count--
			if it.due <= now {
				return it, true
			}
			w.push(item{it.due, it.ref, it.step, it.task})
		}
		if (w.cursor+1)*slotMS > now {
			return item{}, false
		}
	}
	w.cursor = max(w.cursor, now/slotMS)
	return item{}, false
}

// popNext takes the item that is due first, however far that is.
func (w *wheel) popNext() (item, bool) {
	for w.count > 0 {
		if it, ok := w.pop((w.cursor+1)*slotMS - 1); ok {
			return it, true
		}
		if len(w.slots[w.cursor%slotCount]) == 0 {
			w.cursor++
		}
	}
	return item{}, false
}
