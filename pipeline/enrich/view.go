package enrich

import (
	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// Flags of a view.
const (
	viewEntered uint8 = 1 << iota
	viewLeft
	viewInteracted // by anything but product_exposure
	viewBounced    // counted as a bounce at present
	viewEff10
	viewEff60
	viewEff300
	viewTimed // waits in the close timer
)

// view is one stay of a viewer in a room: (platform, viewer, view_id). It exists from its first event of any kind; it counts from its
// first enter in the log, in that enter's room and window.
type view struct {
	id        uint64
	next      uint32     // the viewer's other views
	owner     uint32     // slot of the viewer
	room      uint32     // interned room string of the enter
	origin    uint32     // interned entry_source and campaign of the enter
	exps      uint32     // interned experiment list of the enter
	source    cellkey.ID // of room and origin, 0 until asked for
	flags     uint8
	leavePane int32 // pane of the earliest leave, noPane without one: offline from there on; allPanes where the enter was too late for online
	hiPane    int32 // newest pane with a viewer event
	enterTS   int64
	last      int64 // newest event_ts of any of its events
	watch     int64 // ms, foreground
	owed      int64 // ms of watch that its source's cell has not been told of yet
	owedAt    int64 // last as of the first of them
	seen      panes[[1]uint64]
}

// viewOf finds or makes the viewer's view. A view is forgotten a horizon after its last event; the check is made here and not by
// the sweep alone, so that the answer depends on the log only.
func (e *Enricher) viewOf(slot uint32, v *viewer, id uint64) (uint32, *view) {
	link := &v.views
	for i := v.views; i != 0; i = *link {
		w := e.views.At(i)
		if w.id == id {
			if w.last < e.exactFrom {
				e.resetView(w)
			}
			if link != &v.views {
				*link = w.next
				w.next, v.views = v.views, i
			}
			return i, w
		}
		link = &w.next
	}
	i := e.views.Alloc()
	w := e.views.At(i)
	w.id, w.next, w.owner, w.leavePane = id, v.views, slot, noPane
	v.views = i
	return i, w
}

func (e *Enricher) resetView(w *view) {
	w.seen.prune(&e.viewArch, noPane)
	*w = view{id: w.id, next: w.next, owner: w.owner, leavePane: noPane, flags: w.flags & viewTimed}
}

// viewerEvent applies an accepted viewer event to its view: watch time and thresholds, presence, enter, leave, bounce.
func (e *Enricher) viewerEvent(slot uint32, v *viewer, n *eventlog.Entry, late bool) {
	i, w := e.viewOf(slot, v, n.View)
	w.last = max(w.last, n.TS)
	if !late {
		e.presence(w, n)
	}
	action := event.Action(n.Sub)
	if action == event.Enter && w.flags&viewEntered == 0 {
		e.enter(v, w, n, late)
	}
	if action == event.Leave {
		e.leave(w, n, late)
	}
	if d := watchOf(n); d != 0 {
		w.watch += d
		if w.flags&viewEntered != 0 {
			e.owe(w, d)
		}
	}
	e.judge(i, w, n.Recv)
}

// watchOf is the event's foreground watch time in ms.
func watchOf(n *eventlog.Entry) int64 {
	a := event.Action(n.Sub)
	if (a == event.Heartbeat || a == event.Leave) && n.Flags&eventlog.Background == 0 {
		return n.Value
	}
	return 0
}

func (e *Enricher) enter(v *viewer, w *view, n *eventlog.Entry, late bool) {
	w.flags |= viewEntered
	w.enterTS, w.room, w.origin, w.exps = n.TS, e.str(n.Room), e.str(n.Origin), e.str(n.Exps)
	e.emitView(w, n.Recv, measure.Views, 1, change.Own)
	source := e.sourceOf(w)
	if late {
		e.emit(change.Change{TS: n.TS, Recv: n.Recv, Delta: 1, Key: source, Slot: measure.BeyondHorizon, Mask: change.AllGrains, Flags: change.Own})
		w.leavePane = allPanes
	} else {
		e.distinct(v, source, n.TS, n.Recv, 1<<kindViewer)
	}
	if w.watch != 0 {
		e.emitOrigin(w, n.Recv, measure.WatchMS, w.watch)
	}
	for q := paneOf(w.enterTS); q <= w.hiPane+onlinePanes-1; q++ {
		e.light(w, q, n.Recv, 1)
	}
}

// presence marks the pane of a viewer event and lights what it newly lights: the three panes that end within 30 s after it.
func (e *Enricher) presence(w *view, n *eventlog.Entry) {
	p := paneOf(n.TS)
	var fresh [onlinePanes]bool
	for k := range fresh {
		fresh[k] = !e.lit(w, p+int32(k))
	}
	block := p / blockPanes
	w.seen.open(&e.viewArch, block, e.oldestBlock)[0] |= 1 << (uint(p) % blockPanes)
	w.hiPane = max(w.hiPane, p)
	if w.flags&viewEntered == 0 {
		return
	}
	for k, f := range fresh {
		if f {
			e.lightPane(w, p+int32(k), n.Recv, 1)
		}
	}
}

// lit says whether a viewer event of the view lies within 30 s before the end of pane q.
func (e *Enricher) lit(w *view, q int32) bool {
	if r := uint(q) % blockPanes; q/blockPanes == w.seen.block && r >= onlinePanes-1 {
		return w.seen.bits[0]>>(r-(onlinePanes-1))&(1<<onlinePanes-1) != 0
	}
	for k := int32(0); k < onlinePanes; k++ {
		if w.seen.has(&e.viewArch, 0, q-k) {
			return true
		}
	}
	return false
}

func (e *Enricher) light(w *view, q int32, recv, delta int64) {
	if e.lit(w, q) {
		e.lightPane(w, q, recv, delta)
	}
}

// lightPane counts the view online in pane q if the pane lies between its enter and its leave.
func (e *Enricher) lightPane(w *view, q int32, recv, delta int64) {
	if q < paneOf(w.enterTS) || q >= w.leavePane {
		return
	}
	e.emitWhole(w, int64(q)*paneMS, recv, measure.Online, delta, change.PaneOnly, 0)
}

// leave ends the view. A view once left stays left: from the earliest leave on it is not online.
func (e *Enricher) leave(w *view, n *eventlog.Entry, late bool) {
	w.flags |= viewLeft
	p := paneOf(n.TS)
	if late || p >= w.leavePane {
		return
	}
	if w.flags&viewEntered != 0 {
		for q := max(p, paneOf(w.enterTS)); q <= w.hiPane+onlinePanes-1; q++ {
			e.light(w, q, n.Recv, -1) // panes at or beyond the former leave were dark: lightPane knows
		}
	}
	w.leavePane = p
}

// owe puts watch time aside for the cell of the view's source. Almost every view has a cell of its own there, in the window of its enter:
// told of each heartbeat, these cells would make more rows than all others together. They are told every settleMS, and at once when
// the view is over.
func (e *Enricher) owe(w *view, ms int64) {
	if w.owed == 0 {
		w.owedAt = w.last // not the event's time: due then never lies before a timer that is set already
	}
	w.owed += ms
}

func (e *Enricher) settle(w *view, recv int64) {
	e.emitOrigin(w, recv, measure.WatchMS, w.owed)
	w.owed = 0
}

// judge sets the whole-view measures to what the view's totals say now.
func (e *Enricher) judge(i uint32, w *view, recv int64) {
	if w.flags&viewEntered == 0 {
		return
	}
	e.threshold(w, recv, w.watch > 10_000, viewEff10, measure.Effective10s)
	e.threshold(w, recv, w.watch > 60_000, viewEff60, measure.Effective60s)
	e.threshold(w, recv, w.watch >= 300_000, viewEff300, measure.Effective300s)
	closed := e.closed(w)
	if bounce := w.mayBounce() && closed; bounce != (w.flags&viewBounced != 0) {
		w.flags ^= viewBounced
		delta := int64(-1)
		if bounce {
			delta = 1
		}
		e.emitView(w, recv, measure.Bounces, delta, 0)
	}
	if w.owed != 0 && (closed || e.wm >= w.owedAt+settleMS) {
		e.settle(w, recv)
	}
	if due := e.due(w); due != never && w.flags&viewTimed == 0 {
		w.flags |= viewTimed
		e.timers.add(due, i)
	}
}

func (e *Enricher) closed(w *view) bool {
	return w.flags&viewLeft != 0 || e.wm >= w.last+closeAfterMS
}

func (w *view) mayBounce() bool { return w.watch < 10_000 && w.flags&viewInteracted == 0 }

// due is the watermark at which the view changes something by itself, never if it doesn't. It is a function of the view's saved state: a timer
// may be set for an earlier moment, but nothing happens before this one.
func (e *Enricher) due(w *view) int64 {
	at := int64(never)
	if w.mayBounce() && !e.closed(w) {
		at = w.last + closeAfterMS
	}
	if w.owed != 0 {
		at = min(at, w.owedAt+settleMS)
	}
	return at
}

func (e *Enricher) threshold(w *view, recv int64, reached bool, flag uint8, slot measure.Slot) {
	if reached && w.flags&flag == 0 {
		w.flags |= flag
		e.emitView(w, recv, slot, 1, 0)
	}
}

// emitView adds to a whole-view measure at the enter: in its room, its origin and its experiments.
func (e *Enricher) emitView(w *view, recv int64, slot measure.Slot, delta int64, flags uint8) {
	e.emitWhole(w, w.enterTS, recv, slot, delta, change.AllGrains, flags)
	e.emitOrigin(w, recv, slot, delta)
}

func (e *Enricher) emitWhole(w *view, ts, recv int64, slot measure.Slot, delta int64, mask, flags uint8) {
	c := change.Change{TS: ts, Recv: recv, Delta: delta, Key: e.keys.RoomKey(w.room), Slot: slot, Mask: mask, Flags: flags}
	e.emit(c)
	for _, x := range e.variants(w.exps) {
		c.Key = e.keys.Cell(measure.Variant, w.room, x, 0)
		e.emit(c)
	}
}

func (e *Enricher) emitOrigin(w *view, recv int64, slot measure.Slot, delta int64) {
	flags := uint8(0)
	if slot == measure.Views {
		flags = change.Own
	}
	e.emit(change.Change{TS: w.enterTS, Recv: recv, Delta: delta, Key: e.sourceOf(w),
		Slot: slot, Mask: change.AllGrains, Flags: flags})
}

// sourceOf is the Source cube's key of an entered view. An enter that names neither entry_source nor campaign has the origin cellkey.Sep.
func (e *Enricher) sourceOf(w *view) cellkey.ID {
	if w.source == 0 {
		origin := w.origin
		if origin == 0 {
			origin = e.noOrigin
		}
		w.source = e.keys.Cell(measure.Source, w.room, origin, 0)
	}
	return w.source
}
