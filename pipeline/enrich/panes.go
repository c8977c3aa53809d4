package enrich

import (
	"time"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/slab"
)

// Pane arithmetic: a pane is 10 s of event time since the epoch, a block 60 panes (10 minutes), so a minute is six aligned bits of
// a block's word and an hour is six whole blocks.
const (
	paneMS       = measure.PaneMS
	minuteMS     = measure.MinuteMS
	hourMS       = measure.HourMS
	dayMS        = measure.DayMS
	blockPanes   = 60
	hourBlocks   = 6
	minuteBits   = 0x3f
	minutePanes  = measure.PanesPerMinute
	noPane       = int32(1<<31 - 1)
	allPanes     = int32(-1 << 31)
	onlinePanes  = 3 // a viewer event at e lights the panes that end in (e, e+30 s]
	closeAfterMS = 30_000
	settleMS     = 30_000
	never        = 1<<63 - 1
)

// ViewCloses is how far the watermark passes a view's last event until the view is over without a leave.
const ViewCloses = closeAfterMS * time.Millisecond

func paneOf(ts int64) int32 { return int32(ts / paneMS) }

// bitset is the pane bits of one block for several kinds: 1 for a view's presence, 4 for a scope's distinct kinds.
type bitset interface{ ~[1]uint64 | ~[4]uint64 }

// older is a block that is not the current one, in a list without order: one that late events open stands in front.
type older[B bitset] struct {
	block int32
	next  uint32
	bits  B
}

// panes is an exact set of panes, kind by kind: the current block inline, older ones in the archive until the horizon passes.
type panes[B bitset] struct {
	block    int32
	archived uint32 // list of older
	bits     B
}

// at returns the word set of a block, nil where nothing of it is known.
func (p *panes[B]) at(arch *slab.Slab[older[B]], block int32) *B {
	if block == p.block {
		return &p.bits
	}
	for i := p.archived; i != 0; {
		o := arch.At(i)
		if o.block == block {
			return &o.bits
		}
		i = o.next
	}
	return nil
}

// open returns the word set of a block, making it. A newer block becomes the current one; blocks before oldest are forgotten.
func (p *panes[B]) open(arch *slab.Slab[older[B]], block, oldest int32) *B {
	switch {
	case block == p.block:
		return &p.bits
	case block > p.block:
		if p.block >= oldest && !empty(p.bits) {
			i := arch.Alloc()
			*arch.At(i) = older[B]{p.block, p.archived, p.bits}
			p.archived = i
		}
		p.prune(arch, oldest)
		var zero B
		p.block, p.bits = block, zero
		return &p.bits
	}
	if b := p.at(arch, block); b != nil {
		return b
	}
	i := arch.Alloc()
	*arch.At(i) = older[B]{block: block, next: p.archived}
	p.archived = i
	return &arch.At(i).bits
}

func empty[B bitset](b B) bool {
	var zero B
	return b == zero
}

// prune frees archived blocks before oldest.
func (p *panes[B]) prune(arch *slab.Slab[older[B]], oldest int32) {
	link := &p.archived
	for *link != 0 {
		i := *link
		o := arch.At(i)
		if o.block >= oldest {
			link = &o.next
			continue
		}
		*link = o.next
		arch.Free(i)
	}
}

// has says whether kind k has pane q.
func (p *panes[B]) has(arch *slab.Slab[older[B]], k int, q int32) bool {
	b := p.at(arch, q/blockPanes)
	return b != nil && (*b)[k]>>(uint(q)%blockPanes)&1 != 0
}
