package eventlog

import (
	"encoding/binary"
	"math"
	"sync"

	"github.com/livemeter/livemeter/pipeline/event"
)

// minEntryBytes is the shortest entry, a reject of a known source; it bounds what a damaged record can make Decode allocate.
const minEntryBytes = 6

// Decode reads a record of type RecordBlock into b and reuses all memory of b. Strings alias value: b is valid until the next decode
// into it and as long as value is. After an error b is unspecified.
func Decode(value []byte, b *Block) error {
	if err := checkType(value, RecordBlock); err != nil {
		return err
	}
	b.Sources, b.Strings = b.Sources[:0], append(b.Strings[:0], "")
	b.Entries, b.Orders, b.Originals = b.Entries[:0], b.Orders[:0], b.Originals[:0]
	d := decoders.Get().(*decoder)
	defer d.release()
	d.p, d.b, d.last, d.recv, d.old = value, b, d.last[:0], 0, value[1] < 3
	for i := headerBytes; i < len(value); {
		next, what := d.entry(i)
		if next > len(value) {
			return damaged(what, i)
		}
		i = next
	}
	return nil
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

func (d *decoder) release() {
	d.p, d.b = nil, nil
	decoders.Put(d)
}

type decoder struct {
	p    []byte
	b    *Block
	last []int64 // by source of the block: its last offset
	recv int64
	old  bool // the record has version 2
}

// entry decodes the entry at i and answers the index after it; beyond the end, it also answers what is wrong.
func (d *decoder) entry(i int) (int, string) {
	p, b := d.p, d.b
	if len(p)-i < minEntryBytes {
		return beyond, "cut entry"
	}
	head, sub, mask := p[i], p[i+1], uint32(0)
	i += 2
	if head&extraBit != 0 {
		m, next := uvarint(p, i)
		if m >= uint64(maskEnd) {
			return beyond, "unknown optional fields"
		}
		mask, i = uint32(m), next
	}
	b.Entries = append(b.Entries, Entry{Kind: EntryKind(head & kindMask), Flags: head >> flagShift & flagMask, Sub: sub, OrderIndex: -1, OriginalIndex: -1})
	e := &b.Entries[len(b.Entries)-1]
	if !validSub(e.Kind, sub) {
		return beyond, "unknown kind of entry"
	}
	if i = d.source(e, i); i > len(p) {
		return i, "source"
	}
	v, i := uvarint(p, i)
	d.recv += int64(v>>1) ^ -int64(v&1)
	e.Recv = d.recv
	v, i = uvarint(p, i)
	e.TS = e.Recv - int64(v)
	if e.TS|e.Recv < 0 { // no collector writes such a time, and windows have none
		return beyond, "time before 1970"
	}
	if e.Kind == Reject {
		return d.rejected(e, i, mask), "reject"
	}
	if mask&hasInstance != 0 {
		return beyond, "unknown optional fields"
	}
	if i = d.identity(e, i, mask); i > len(p) {
		return i, "identity"
	}
	if mask&^hasViewValue != 0 {
		if i = d.extras(e, i, mask); i > len(p) {
			return i, "optional fields"
		}
	}
	if e.Kind == Order {
		e.OrderIndex = int32(len(b.Orders))
		return d.order(i), "order"
	}
	return i, ""
}

var subs = [...]uint8{Viewer: uint8(event.NumActions), Interaction: uint8(event.NumKinds), Order: uint8(event.NumStates), Cost: 1, Stock: 1, Reject: uint8(event.NumReasons)}

// validSub keeps out what a reader would use as an index.
func validSub(k EntryKind, sub uint8) bool {
	return int(k) < len(subs) && sub < subs[k] && (k != Reject || sub != uint8(event.ReasonNone))
}

func (d *decoder) source(e *Entry, i int) int {
	ref, i := uvarint(d.p, i)
	if ref != 0 {
		if ref > uint64(len(d.last)) {
			return beyond
		}
		v, i := uvarint(d.p, i)
		d.last[ref-1] += int64(v)
		e.Source, e.Offset = uint32(ref-1), d.last[ref-1]
		return i
	}
	id, i := topicID(d.p, i)
	part, i := uvarint(d.p, i)
	off, i := uvarint(d.p, i)
	if i > len(d.p) || part > maxPartition {
		return beyond
	}
	e.Source, e.Offset = uint32(len(d.b.Sources)), int64(off)
	d.b.Sources = append(d.b.Sources, SourceID{id, int32(part)})
	d.last = append(d.last, int64(off))
	return i
}

func (d *decoder) identity(e *Entry, i int, mask uint32) int {
	p := d.p
	if i > len(p) || len(p)-i < 32 {
		return beyond
	}
	q := p[i : i+32 : i+32]
	e.ViewerHi, e.ViewerLo = binary.LittleEndian.Uint64(q), binary.LittleEndian.Uint64(q[8:])
	e.Instance, e.EventFP = binary.LittleEndian.Uint64(q[16:]), binary.LittleEndian.Uint64(q[24:])
	e.Seq, i = uvarint(p, i+32)
	if d.old && e.Kind > Interaction {
		e.Seq = 0 // the server's, which nothing asks for
	}
	e.Room, i = d.ref(i)
	if e.Kind <= Interaction || mask&hasViewValue != 0 {
		e.View, i = d.hash(i)
		e.Value, i = varint(p, i)
	}
	return i
}

func (d *decoder) extras(e *Entry, i int, mask uint32) int {
	if mask&hasExps != 0 {
		e.Exps, i = d.ref(i)
	}
	if mask&hasSKU != 0 {
		e.SKU, i = d.ref(i)
	}
	if mask&hasOrigin != 0 {
		e.Origin, i = d.ref(i)
	}
	if mask&hasCurrency != 0 {
		e.Currency, i = d.ref(i)
	}
	if mask&hasGift != 0 {
		e.Gift, i = varint(d.p, i)
	}
	if mask&hasRating != 0 {
		if i >= len(d.p) {
			return beyond
		}
		e.Rating = d.p[i]
		i++
	}
	if mask&hasClick != 0 {
		e.Click, i = d.hash(i)
	}
	if mask&hasSDK != 0 {
		e.SDK, i = d.ref(i)
	}
	if mask&hasOriginal != 0 {
		e.OriginalIndex = int32(len(d.b.Originals))
		i = d.original(i)
	}
	return i
}

func (d *decoder) original(i int) int {
	var o Original
	o.Source.TopicID, i = topicID(d.p, i)
	part, i := uvarint(d.p, i)
	off, i := uvarint(d.p, i)
	if i >= len(d.p) || part > maxPartition || off > math.MaxInt64 || d.p[i] == byte(event.ReasonNone) || d.p[i] >= byte(event.NumReasons) {
		return beyond
	}
	o.Source.Partition, o.Offset, o.Reason = int32(part), int64(off), event.Reason(d.p[i])
	o.Topic, i = d.ref(i + 1)
	d.b.Originals = append(d.b.Originals, o)
	return i
}

// rejected reads whose number a rejected record has, where that is known.
func (d *decoder) rejected(e *Entry, i int, mask uint32) int {
	if mask == 0 {
		return i
	}
	if mask&^(hasSDK|hasInstance) != 0 || mask&hasInstance == 0 {
		return beyond
	}
	e.ViewerHi, i = d.hash(i)
	e.ViewerLo, i = d.hash(i)
	e.Instance, i = d.hash(i)
	e.Seq, i = uvarint(d.p, i)
	e.Room, i = d.ref(i)
	if mask&hasSDK != 0 {
		e.SDK, i = d.ref(i)
	}
	return i
}

func (d *decoder) hash(i int) (uint64, int) {
	if i > len(d.p) || len(d.p)-i < 8 {
		return 0, beyond
	}
	return binary.LittleEndian.Uint64(d.p[i:]), i + 8
}

// ref reads a reference to a string, and its definition where it has one.
func (d *decoder) ref(i int) (uint32, int) {
	v, i := uvarint(d.p, i)
	if v != 0 {
		if v >= uint64(len(d.b.Strings)) {
			return 0, beyond
		}
		return uint32(v), i
	}
	s, i := text(d.p, i)
	if i > len(d.p) {
		return 0, beyond
	}
	d.b.Strings = append(d.b.Strings, s)
	return uint32(len(d.b.Strings) - 1), i
}

// order appends to Orders and reuses the Items of what was there before.
func (d *decoder) order(i int) int {
	p, b := d.p, d.b
	var items []Item
	if n := len(b.Orders); n < cap(b.Orders) {
		items = b.Orders[:n+1][n].Items[:0]
	}
	b.Orders = append(b.Orders, OrderBody{})
	o := &b.Orders[len(b.Orders)-1]
	o.OrderID, i = text(p, i)
	o.Version, i = varint(p, i)
	o.Goods, i = varint(p, i)
	o.Discount, i = varint(p, i)
	o.Paid, i = varint(p, i)
	n, i := uvarint(p, i)
	if n > event.MaxItems {
		return beyond
	}
	for ; n > 0 && i <= len(p); n-- {
		var it Item
		it.LineID, i = text(p, i)
		it.SKU, i = d.ref(i)
		it.Qty, i = varint(p, i)
		it.Paid, i = varint(p, i)
		items = append(items, it)
	}
	o.Items = items
	o.RefundID, i = text(p, i)
	o.RefundLine, i = text(p, i)
	o.Refund, i = varint(p, i)
	return i
}
