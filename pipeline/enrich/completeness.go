package enrich

import (
	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// Completeness: an instance numbers what it sends, so what is missing between its numbers was lost on the way. An order, a cost and a stock level are
// numbered by their versions in the same way.
//
// A number that was received answers for those below it down to the next lower one that was: `expected` is their number, in the minute in which it was
// received. When one of them comes after all, it answers for what is below it, in its own minute, and takes that off the other's. So what a minute expects is a
// function of what was received, and not of the order: only `late`, how many came behind a higher one, is the log's.
//
// The first number of an instance answers for all from 1 on, unless it is above fromStart: then the instance began before what is known of it, and it answers for
// itself. So does one that is more than maxJump above the one below.

// sequence is one instance, order, cost or stock level of a viewer: 16 bytes, and nothing else while nothing is missing.
type sequence struct {
	next uint32
	id   uint32 // part of a hash; the lowest bits are its kind
	hi   uint32 // highest number received
	last uint32 // minute of its last record
}

// gap is numbers of a sequence that were not received. A sequence's stand from the highest down.
type gap struct {
	next     uint32
	from, to uint32
	minute   uint32     // of the number above it, which answers for them
	key      cellkey.ID // of the same
}

const (
	fromStart = 64     // the highest first number of an instance or order that answers for those before it
	maxJump   = 10_000 // the longest step that is a loss: a longer one is an instance that numbers by other rules
	maxGaps   = 64     // of a sequence: the lowest are forgotten and stay missing
	maxNumber = 1<<32 - 1

	// maxSequences is for how many a viewer has: who sends each event from an instance of its own must not make its partition quadratic.
	maxSequences = 64

	kindOfID = 3 // mask
)

// Kinds of sequences.
const (
	seqOfInstance uint32 = iota
	seqOfOrder
	seqOfCost
	seqOfStock
)

var sequenceKinds = [...]string{"seq", "order", "cost", "stock"}

// number notes that a record came which has a number. The order's version is its own, whose seq is its server's.
func (e *Enricher) number(v *viewer, n *eventlog.Entry) {
	kind, id, number := seqOfInstance, n.Instance, n.Seq
	switch n.Kind {
	case eventlog.Order:
		o := &e.block.Orders[n.OrderIndex]
		kind, id, number = seqOfOrder, hashOf(o.OrderID), uint64(o.Version)
	case eventlog.Cost:
		kind, id = seqOfCost, 0
	case eventlog.Stock:
		kind, id = seqOfStock, 0
	}
	if number == 0 || number > maxNumber {
		return
	}
	key := e.completenessKey(e.str(n.Room), e.str(n.SDK), kind)
	now, again := minuteOf(max(n.Recv, e.wm)), n.OriginalIndex >= 0
	if again { // it says nothing of how lively its instance is
		now = minuteOf(n.Recv)
	}
	e.received(v, uint32(id>>32)&^kindOfID|kind, uint32(number), minuteOf(n.Recv), now, key, n.Recv, again)
}

// hashOf is 64-bit FNV-1a: state must not depend on a process's seed.
func hashOf(id string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return h
}

// received takes number x of a sequence. now is the minute from which it counts as silent; again: by way of a replay, whose original may have brought the number.
func (e *Enricher) received(v *viewer, id, x, minute, now uint32, key cellkey.ID, recv int64, again bool) {
	i := e.sequenceOf(v, id)
	if i == 0 && again && now < minuteOf(e.exactFrom) { // it was forgotten, with whether it had this number
		return
	}
	if i == 0 {
		i = e.sequences.Alloc()
		q := e.sequences.At(i)
		*q = sequence{next: v.sequences, id: id}
		v.sequences = i
	}
	q := e.sequences.At(i)
	q.last = max(q.last, now)
	if x <= q.hi {
		e.fills(i, x, minute, key, recv)
		return
	}
	e.adds(key, minute, recv, answers(id, q.hi, x), 1, 0)
	e.opens(i, gap{from: q.hi + 1, to: x - 1, minute: minute, key: key})
	q.hi = x
}

// answers is for how many numbers one that was received answers, where below is the next lower one, 0 without one.
func answers(id, below, x uint32) int64 {
	most := uint32(maxJump)
	switch {
	case below > 0:
	case id&kindOfID >= seqOfCost: // they may be numbered from anywhere
		most = 1
	default:
		most = fromStart
	}
	if x-below > most {
		return 1
	}
	return int64(x - below)
}

// fills takes a number below the highest: where it is in no gap it was received before.
func (e *Enricher) fills(i, x, minute uint32, key cellkey.ID, recv int64) {
	link := e.gapLink(i, x)
	if link == nil {
		return
	}
	at, id := *link, e.sequences.At(i).id
	g := *e.gaps.At(at)
	*link = g.next
	e.gaps.Free(at)
	below, above := g.from-1, g.to+1
	e.adds(key, minute, recv, answers(id, below, x), 1, 1)
	e.adds(g.key, g.minute, recv, answers(id, x, above)-answers(id, below, above), 0, 0)
	e.opens(i, gap{from: g.from, to: x - 1, minute: minute, key: key})
	e.opens(i, gap{from: x + 1, to: g.to, minute: g.minute, key: g.key})
}

// gapLink is where the index of the gap with x stands, nil without one.
func (e *Enricher) gapLink(i, x uint32) *uint32 {
	head, ok := e.gapsOf[i]
	if !ok {
		return nil
	}
	for link := head; *link != 0; link = &e.gaps.At(*link).next {
		if g := e.gaps.At(*link); g.from <= x && x <= g.to {
			return link
		}
	}
	return nil
}

// opens puts a gap in its place, if it is one.
func (e *Enricher) opens(i uint32, g gap) {
	if g.from > g.to {
		return
	}
	link := e.gapsOf[i]
	if link == nil {
		link = new(uint32)
		e.gapsOf[i] = link
	}
	for n := 0; *link != 0 && e.gaps.At(*link).from > g.from; n++ {
		link = &e.gaps.At(*link).next
	}
	g.next = *link
	at := e.gaps.Alloc()
	*e.gaps.At(at) = g
	*link = at
	e.dropGaps(e.gapsOf[i], maxGaps)
}

// dropGaps frees the gaps behind the first keep.
func (e *Enricher) dropGaps(link *uint32, keep int) {
	for range keep {
		if *link == 0 {
			return
		}
		link = &e.gaps.At(*link).next
	}
	for *link != 0 {
		at := *link
		*link = e.gaps.At(at).next
		e.gaps.Free(at)
	}
}

// sequenceOf finds what is known of a sequence, 0 where nothing is, or no more, and has it stand first. Where there are too many the one that has been
// silent for longest makes room. Only those that are not forgotten count: a sweep may have been there or not.
func (e *Enricher) sequenceOf(v *viewer, id uint32) uint32 {
	var last *uint32
	known := 0
	for link := &v.sequences; *link != 0; {
		i := *link
		q := e.sequences.At(i)
		if e.silent(q) {
			e.dropSequence(link)
			continue
		}
		if q.id == id {
			*link = q.next
			q.next, v.sequences = v.sequences, i
			return i
		}
		known++
		last, link = link, &q.next
	}
	if known >= maxSequences {
		e.dropSequence(last)
	}
	return 0
}

// silent says that a sequence is forgotten: an instance the horizon after its last record, an order 400 days, cost and stock never.
func (e *Enricher) silent(q *sequence) bool {
	switch q.id & kindOfID {
	case seqOfInstance:
		return q.last < minuteOf(e.exactFrom)
	case seqOfOrder:
		return q.last < minuteOf(e.wm-orderMemoryMS)
	}
	return false
}

func (e *Enricher) dropSequence(link *uint32) {
	i := *link
	*link = e.sequences.At(i).next
	if head := e.gapsOf[i]; head != nil {
		e.dropGaps(head, 0)
		delete(e.gapsOf, i)
	}
	e.sequences.Free(i)
}

func (e *Enricher) sweepSequences(v *viewer) (changed bool) {
	for link := &v.sequences; *link != 0; {
		if !e.silent(e.sequences.At(*link)) {
			link = &e.sequences.At(*link).next
			continue
		}
		e.dropSequence(link)
		changed = true
	}
	return changed
}
