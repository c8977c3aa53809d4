package enrich

// sweepPart is the part of all viewers that one snapshot looks through for what has expired.
const sweepPart = 64

// sweep frees what no later event can ask for. It runs when no snapshot is on its way: it marks what it has changed. It changes no answer: whoever
// asks checks the expiry by the watermark, so when the memory is given back is of no consequence.
func (e *Enricher) sweep() {
	for range e.viewers.Cap()/sweepPart + 1 {
		e.swept++
		if e.swept >= e.viewers.Cap() {
			e.swept = 1
		}
		if e.swept >= e.viewers.Cap() {
			return
		}
		if v := e.viewers.At(e.swept); v.hi|v.lo != 0 && !v.pinned {
			e.sweepViewer(e.swept, v)
		}
	}
}

func (e *Enricher) sweepViewer(slot uint32, v *viewer) {
	changed := e.sweepViews(v)
	changed = e.sweepScopes(v) || changed
	changed = e.sweepIDs(slot, v) || changed
	changed = e.sweepBuyer(v) || changed
	changed = e.sweepSequences(v) || changed
	if v.views|v.scopes|v.dedupe|v.buyer|v.sequences == 0 && e.big[slot] == nil {
		e.removeViewer(slot)
		changed = true
	}
	if changed {
		e.mark(slot)
	}
}

func (e *Enricher) sweepBuyer(v *viewer) (changed bool) {
	if v.buyer == 0 {
		return false
	}
	b := e.buyers[v.buyer]
	changed = e.forgetOld(b)
	n := len(b.touches)
	e.dropTouches(b)
	if len(b.orders)+len(b.touches) == 0 && b.first == nil {
		e.buyers[v.buyer] = nil
		e.freeBuyers = append(e.freeBuyers, v.buyer)
		v.buyer = 0
		return true
	}
	return changed || len(b.touches) < n
}

func (e *Enricher) sweepViews(v *viewer) (changed bool) {
	link := &v.views
	for *link != 0 {
		i := *link
		w := e.views.At(i)
		if w.flags&viewTimed != 0 || w.last >= e.exactFrom {
			link = &w.next
			continue
		}
		w.seen.prune(&e.viewArch, noPane)
		*link = w.next
		e.views.Free(i)
		changed = true
	}
	return changed
}

func (e *Enricher) sweepScopes(v *viewer) (changed bool) {
	link := &v.scopes
	for *link != 0 {
		i := *link
		s := e.scopes.At(i)
		if !e.expired(s) {
			link = &s.next
			continue
		}
		s.panes.prune(&e.scopeArch, noPane)
		*link = s.next
		e.scopes.Free(i)
		changed = true
	}
	return changed
}

// longestDayMS is a day of the shop's zone in which clocks are set back, by two hours at most.
const longestDayMS = dayMS + 2*hourMS

// expired says that no window the scope serves is open any more, horizon included: its session is remembered for sessionMemoryMS, or the horizon and a day.
func (e *Enricher) expired(s *scope) bool {
	return s.last < min(e.wm-sessionMemoryMS, e.exactFrom-longestDayMS)
}

// sweepIDs frees a viewer's ids once all of them are beyond the dedupe horizon.
func (e *Enricher) sweepIDs(slot uint32, v *viewer) bool {
	if v.dedupe == 0 && e.big[slot] == nil {
		return false
	}
	live := 0
	e.eachID(slot, v, e.oldestMinute, func(uint64, uint32) { live++ })
	if live > 0 {
		return false
	}
	e.ids -= len(e.big[slot])
	delete(e.big, slot)
	e.freeDedupe(v)
	return true
}
