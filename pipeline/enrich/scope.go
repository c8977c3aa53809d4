package enrich

import (
	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// Distinct kinds: one bit each in a want set, one word each in a scope.
const (
	kindViewer = iota
	kindInteractor
	kindEngager
	kindClicker
	numKinds
)

var kindSlot = [numKinds]measure.Slot{measure.Viewers, measure.Interactors, measure.Engagers, measure.ProductClickers}

// dayRing is how many days a scope has room for, while it is there (see expired); the longest horizon that the configuration takes (30 days) is shorter.
const dayRing = 32

// scope is what one viewer has done under one cell key: "first in this window" is a bit test, exact up to the horizon on every grain.
type scope struct {
	key     cellkey.ID
	next    uint32 // the viewer's other scopes
	panes   panes[[4]uint64]
	dayHi   int32 // newest day; bit k of days is the day dayHi−k
	hour    uint8 // kinds seen in the hour of the current block
	session uint8 // kinds seen at all
	last    int64 // newest event_ts
	days    [numKinds]uint32
}

// scopeOf finds the viewer's scope of a key or makes it, and moves it to the front of the list: the next event is likely to ask for it.
func (e *Enricher) scopeOf(v *viewer, key cellkey.ID) *scope {
	link := &v.scopes
	for i := v.scopes; i != 0; i = *link {
		s := e.scopes.At(i)
		if s.key == key {
			if e.expired(s) {
				s.panes.prune(&e.scopeArch, noPane)
				*s = scope{key: key, next: s.next}
			}
			if link != &v.scopes {
				*link = s.next
				s.next, v.scopes = v.scopes, i
			}
			return s
		}
		link = &s.next
	}
	i := e.scopes.Alloc()
	s := e.scopes.At(i)
	s.key, s.next = key, v.scopes
	v.scopes = i
	return s
}

// distinct marks the kinds of want at ts and emits a change for each that is the first of its window, from the pane up to the
// session: when the pane's bit is set, those of all windows that contain it are.
func (e *Enricher) distinct(v *viewer, key cellkey.ID, ts, recv int64, want uint8) {
	s := e.scopeOf(v, key)
	s.last = max(s.last, ts)
	pane := paneOf(ts)
	block := pane / blockPanes
	if block > s.panes.block && block/hourBlocks != s.panes.block/hourBlocks {
		s.hour = 0
	}
	bits := s.panes.open(&e.scopeArch, block, e.oldestBlock)
	bit := uint64(1) << (uint(pane) % blockPanes)
	minute := uint64(minuteBits) << (uint(pane) % blockPanes / minutePanes * minutePanes)
	for k, w := 0, want; w != 0; k, w = k+1, w>>1 {
		if w&1 == 0 || bits[k]&bit != 0 {
			continue
		}
		mask := change.PaneOnly
		if bits[k]&minute == 0 {
			mask |= 1<<measure.Grain1m | e.firstLonger(s, k, block, ts)
		}
		bits[k] |= bit
		e.emit(change.Change{TS: ts, Recv: recv, Delta: 1, Key: key, Slot: kindSlot[k], Mask: mask, Flags: change.Own | change.Distinct})
	}
	if block/hourBlocks == s.panes.block/hourBlocks {
		s.hour |= want
	}
}

// firstLonger is the mask of hour, day and session where kind k has not been seen yet, given that its minute is new.
func (e *Enricher) firstLonger(s *scope, k int, block int32, ts int64) uint8 {
	if e.seenInHour(s, k, block) {
		return 0
	}
	mask := uint8(1 << measure.Grain1h)
	if s.markDay(k, e.days.Number(ts)) {
		return mask
	}
	mask |= 1 << measure.Grain1d
	if s.session>>k&1 == 0 {
		s.session |= 1 << k
		mask |= 1 << measure.GrainSession
	}
	return mask
}

func (e *Enricher) seenInHour(s *scope, k int, block int32) bool {
	if block/hourBlocks == s.panes.block/hourBlocks {
		return s.hour>>k&1 != 0
	}
	for i := s.panes.archived; i != 0; {
		o := e.scopeArch.At(i)
		if o.block/hourBlocks == block/hourBlocks && o.bits[k] != 0 {
			return true
		}
		i = o.next
	}
	return false
}

// markDay sets the day's bit and says whether it was set. A day beyond the ring counts as seen: see the limits in DESIGN.md.
func (s *scope) markDay(k int, day int32) (seen bool) {
	if day > s.dayHi {
		shift := day - s.dayHi
		for i := range s.days {
			s.days[i] <<= uint(min(shift, dayRing))
		}
		s.dayHi = day
	}
	d := s.dayHi - day
	if d >= dayRing {
		return true
	}
	bit := uint32(1) << d
	seen = s.days[k]&bit != 0
	s.days[k] |= bit
	return seen
}
