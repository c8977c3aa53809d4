package enrich

import "container/heap"

// timers are the views that may close without a leave, by the watermark at which they do. A timer whose view has moved on is simply
// judged again. They are rebuilt from the views on restore.
type timers []timer

type timer struct {
	due  int64
	view uint32
}

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].due < t[j].due }
func (t timers) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *timers) Push(x any)        { *t = append(*t, x.(timer)) }
func (t *timers) Pop() any {
	old := *t
	x := old[len(old)-1]
	*t = old[:len(old)-1]
	return x
}

func (t *timers) add(due int64, view uint32) { heap.Push(t, timer{due, view}) }

// fire judges every view whose time has come.
func (e *Enricher) fire() {
	for len(e.timers) > 0 && e.timers[0].due <= e.wm {
		i := heap.Pop(&e.timers).(timer).view
		w := e.views.At(i)
		if w.flags&viewTimed == 0 {
			continue
		}
		w.flags &^= viewTimed
		e.mark(w.owner)
		e.judge(i, w, 0)
	}
}
