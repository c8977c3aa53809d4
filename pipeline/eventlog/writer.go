package eventlog

import (
	"encoding/binary"
	"slices"

	"github.com/livemeter/livemeter/pipeline/event"
)

// stamp is the reference of a string or source in the block with that number.
type stamp struct{ block, ref uint32 }

// Writer packs the entries of one partition into blocks. It belongs to one goroutine, the one of its Dict.
type Writer struct {
	dict    *Dict
	forgot  uint32 // as of the last look at dict
	buf     []byte
	n       int
	block   uint32 // number of the open block; a stamp of another is void
	recv    int64
	strs    []stamp
	nstr    uint32
	srcs    []stamp
	nsrc    uint32
	last    []int64 // by source number: last offset in the open block
	scratch []byte
}

// NewWriter returns a writer with an empty block.
func NewWriter(d *Dict) *Writer {
	w := &Writer{dict: d, forgot: d.forgot}
	w.begin(nil)
	return w
}

// Len is the number of entries in the open block, Size the bytes it takes.
func (w *Writer) Len() int  { return w.n }
func (w *Writer) Size() int { return len(w.buf) }

// Seal ends the open block and returns its record value, which is the caller's from now on; nil if the block is empty. The next block
// is built in next[:0], which becomes the writer's.
func (w *Writer) Seal(next []byte) []byte {
	if w.n == 0 {
		return nil
	}
	sealed := w.buf
	w.begin(next)
	return sealed
}

func (w *Writer) begin(buf []byte) {
	w.buf = append(buf[:0], RecordBlock, FormatVersion)
	w.block++
	if w.block == 0 { // after 2^32 blocks every old stamp could look fresh
		clear(w.strs)
		clear(w.srcs)
		w.block = 1
	}
	w.n, w.nstr, w.nsrc, w.recv = 0, 0, 0, 0
}

// Add appends one entry of source number src (Dict.Source).
func (w *Writer) Add(src int, in *Input) {
	mask := in.mask()
	head := uint8(in.Kind)&kindMask | in.Flags&flagMask<<flagShift
	if mask != 0 {
		w.buf = binary.AppendUvarint(append(w.buf, head|extraBit, in.Sub), uint64(mask))
	} else {
		w.buf = append(w.buf, head, in.Sub)
	}
	w.source(src, in.Offset)
	p := binary.AppendUvarint(w.buf, zigzag(in.Recv-w.recv))
	w.buf = binary.AppendUvarint(p, uint64(in.Recv-in.TS))
	w.recv = in.Recv
	w.n++
	if in.Kind == Reject {
		if mask != 0 {
			w.rejected(in, mask)
		}
		return
	}
	w.identity(in, mask)
	if mask&^hasViewValue != 0 {
		w.extras(in, mask)
	}
	if in.Kind == Order {
		w.order(&in.Order)
	}
}

func (w *Writer) source(src int, offset int64) {
	if src >= len(w.srcs) {
		w.srcs = append(w.srcs, make([]stamp, src+1-len(w.srcs))...)
		w.last = append(w.last, make([]int64, src+1-len(w.last))...)
	}
	s := &w.srcs[src]
	if s.block == w.block {
		p := binary.AppendUvarint(w.buf, uint64(s.ref))
		w.buf = binary.AppendUvarint(p, uint64(offset-w.last[src]))
	} else {
		w.nsrc++
		*s = stamp{w.block, w.nsrc}
		id := w.dict.sources[src]
		p := append(w.buf, 0)
		p = append(p, id.TopicID[:]...)
		p = binary.AppendUvarint(p, uint64(uint32(id.Partition)))
		w.buf = binary.AppendUvarint(p, uint64(offset))
	}
	w.last[src] = offset
}

func (w *Writer) identity(in *Input, mask uint32) {
	p := slices.Grow(w.buf, 32)
	q := p[len(p) : len(p)+32]
	binary.LittleEndian.PutUint64(q, in.ViewerHi)
	binary.LittleEndian.PutUint64(q[8:], in.ViewerLo)
	binary.LittleEndian.PutUint64(q[16:], in.Instance)
	binary.LittleEndian.PutUint64(q[24:], in.EventFP)
	w.buf = binary.AppendUvarint(p[:len(p)+32], in.Seq)
	w.refNumber(w.dict.internRoom(in.Platform, in.Room, in.Session, &w.scratch))
	if in.Kind <= Interaction || mask&hasViewValue != 0 {
		p := binary.LittleEndian.AppendUint64(w.buf, in.View)
		w.buf = binary.AppendUvarint(p, zigzag(in.Value))
	}
}

func (w *Writer) extras(in *Input, mask uint32) {
	if mask&hasExps != 0 {
		w.scratch = appendExps(w.scratch[:0], in.Exps)
		w.ref(w.scratch)
	}
	if mask&hasSKU != 0 {
		w.refString(in.SKU)
	}
	if mask&hasOrigin != 0 {
		k := append(w.scratch[:0], in.EntrySource...)
		k = append(k, Sep[0])
		w.scratch = append(k, in.Campaign...)
		w.ref(w.scratch)
	}
	if mask&hasCurrency != 0 {
		w.refString(in.Currency)
	}
	if mask&hasGift != 0 {
		w.buf = binary.AppendUvarint(w.buf, zigzag(in.Gift))
	}
	if mask&hasRating != 0 {
		w.buf = append(w.buf, in.Rating)
	}
	if mask&hasClick != 0 {
		w.buf = binary.LittleEndian.AppendUint64(w.buf, in.Click)
	}
	if mask&hasSDK != 0 {
		w.sdk(in)
	}
	if mask&hasOriginal != 0 {
		w.original(in.Original)
	}
}

// original names its source in full each time: replays are rare, and their sources are no sources of the block.
func (w *Writer) original(o *OriginalInput) {
	p := append(w.buf, o.Source.TopicID[:]...)
	p = binary.AppendUvarint(p, uint64(uint32(o.Source.Partition)))
	p = binary.AppendUvarint(p, uint64(o.Offset))
	w.buf = append(p, byte(o.Reason))
	w.refString(o.Topic)
}

func (w *Writer) sdk(in *Input) {
	k := append(w.scratch[:0], in.SDKName...)
	k = append(k, Sep[0])
	w.scratch = append(k, in.SDKVersion...)
	w.ref(w.scratch)
}

// rejected appends whose number a rejected record has.
func (w *Writer) rejected(in *Input, mask uint32) {
	for _, n := range [3]uint64{in.ViewerHi, in.ViewerLo, in.Instance} {
		w.buf = binary.LittleEndian.AppendUint64(w.buf, n)
	}
	w.buf = binary.AppendUvarint(w.buf, in.Seq)
	w.refNumber(w.dict.internRoom(in.Platform, "", "", &w.scratch))
	if mask&hasSDK != 0 {
		w.sdk(in)
	}
}

// appendExps joins the distinct (id, variant) pairs in their order.
func appendExps(p []byte, exps []event.Experiment) []byte {
	for i, e := range exps {
		if repeats(exps[:i], e) {
			continue
		}
		if i > 0 {
			p = append(p, ListSep[0])
		}
		p = append(p, e.ID...)
		p = append(p, Sep[0])
		p = append(p, e.Variant...)
	}
	return p
}

func repeats(before []event.Experiment, e event.Experiment) bool {
	for _, b := range before {
		if b == e {
			return true
		}
	}
	return false
}

func (w *Writer) order(o *OrderInput) {
	p := appendText(w.buf, o.OrderID)
	p = binary.AppendUvarint(p, zigzag(o.Version))
	p = binary.AppendUvarint(p, zigzag(o.Goods))
	p = binary.AppendUvarint(p, zigzag(o.Discount))
	p = binary.AppendUvarint(p, zigzag(o.Paid))
	w.buf = binary.AppendUvarint(p, uint64(len(o.Items)))
	for i := range o.Items {
		it := &o.Items[i]
		w.buf = appendText(w.buf, it.LineID)
		w.refString(it.SKU)
		p = binary.AppendUvarint(w.buf, zigzag(it.Qty))
		w.buf = binary.AppendUvarint(p, zigzag(it.PaidMinor))
	}
	p = appendText(w.buf, o.RefundID)
	p = appendText(p, o.RefundLine)
	w.buf = binary.AppendUvarint(p, zigzag(o.Refund))
}

func (w *Writer) refString(s string) {
	w.scratch = append(w.scratch[:0], s...)
	w.ref(w.scratch)
}

func (w *Writer) ref(key []byte) { w.refNumber(w.dict.intern(key)) }

// refNumber appends a reference to string n of the dictionary, and its definition where the block has none yet.
func (w *Writer) refNumber(n uint32) {
	if w.forgot != w.dict.forgot { // forgotten just now: the numbers start again
		w.forgot = w.dict.forgot
		clear(w.strs)
	}
	if int(n) >= len(w.strs) {
		w.strs = append(w.strs, make([]stamp, int(n)+1-len(w.strs))...)
	}
	s := &w.strs[n]
	if s.block == w.block {
		w.buf = binary.AppendUvarint(w.buf, uint64(s.ref))
		return
	}
	w.nstr++
	*s = stamp{w.block, w.nstr}
	w.buf = appendText(append(w.buf, 0), w.dict.strings[n])
}
