package fused

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/runtime"
	"github.com/livemeter/livemeter/pipeline/wire"
)

// maxEnriched bounds a record of events.enriched. What one record of the log changes has no bound: where a watermark has stood still, the watch time of
// all viewers is due at once.
const maxEnriched = maxChunk

// enrichedChunk is the first byte of a chunk, where a whole record has the version of its format. Then: offset in `events`, stamp, number, how many.
const enrichedChunk = 0xff

// enrichedChunks cuts what one record of the log changes, and puts it together again. Nothing is applied before all of it is there: rows may leave between
// two records. Each time that a record is sent its chunks have a stamp of their own: a restarted enricher and one that does not know that it is dead send
// the same changes in other bytes.
type enrichedChunks struct {
	limit int
	parts map[uint64]*enrichedParts // by stamp
}

type enrichedParts struct {
	offset int64 // in `events`
	first  int64 // in events.enriched
	have   uint64
	value  []byte
}

func (p *enrichedChunks) cut(offset int64, value []byte, emit func(value []byte)) {
	if len(value) <= p.limit {
		emit(value)
		return
	}
	stamp, n, count := rand.Uint64(), uint64(0), uint64((len(value)+p.limit-1)/p.limit)
	for part := range slices.Chunk(value, p.limit) {
		var w wire.Writer
		w.Byte(enrichedChunk)
		w.Int(offset)
		w.Fixed(stamp)
		w.Uint(n)
		w.Uint(count)
		w.Raw(string(part))
		emit(w.Buf)
		n++
	}
}

// join answers the whole of the record at an offset of events.enriched, nil while chunks are missing; hole: some before this one were refused, and nothing
// can come of it, until all of it is sent again under another stamp. applied says whether a record of `events` is applied already.
func (p *enrichedChunks) join(at int64, value []byte, applied func(offset int64) bool) (whole []byte, hole bool, err error) {
	if len(value) == 0 || value[0] != enrichedChunk {
		return value, false, nil
	}
	var r wire.Reader
	r.Reset(value[1:])
	offset, stamp, n, count, part := r.Int(), r.Fixed(), r.Uint(), r.Uint(), r.Raw()
	if err := r.Err(); err != nil {
		return nil, false, err
	}
	if n >= count || r.Left() > 0 {
		return nil, false, fmt.Errorf("%w: chunk %d of %d", wire.ErrDamaged, n, count)
	}
	set := p.parts[stamp]
	if applied(offset) || set != nil && n < set.have {
		return nil, false, nil
	}
	if set == nil && n > 0 { // or it was given up
		return nil, true, nil
	}
	if set == nil {
		if p.parts == nil {
			p.parts = map[uint64]*enrichedParts{}
		}
		set = &enrichedParts{offset: offset, first: at}
		p.parts[stamp] = set
	}
	if n > set.have && offset == set.offset {
		delete(p.parts, stamp)
		return nil, true, nil
	}
	if n > set.have || offset != set.offset {
		return nil, false, fmt.Errorf("%w: chunk %d of %d of the record at offset %d, where chunk %d of that at %d is next", wire.ErrDamaged, n, count, offset, set.have, set.offset)
	}
	set.have++
	if set.value = append(set.value, part...); set.have < count {
		return nil, false, nil
	}
	delete(p.parts, stamp)
	return set.value, false, nil
}

// drop forgets the chunks of what is applied.
func (p *enrichedChunks) drop(applied func(offset int64) bool) {
	for stamp, set := range p.parts {
		if applied(set.offset) {
			delete(p.parts, stamp)
		}
	}
}

// from is where a restart has to begin that goes on at next: chunks are no part of a checkpoint.
func (p *enrichedChunks) from(next int64) int64 {
	for _, set := range p.parts {
		next = min(next, set.first)
	}
	return next
}

// applyEnriched drops what a restarted or paused enricher sends again: its provenance is the offset in `events`. What stands behind a hole it drops, too: a record
// that was refused takes some of those behind it with it, not all, and an enricher that has lost one sends all of them again.
func (t *Task) applyEnriched(offset int64, value []byte) error {
	applied := func(offset int64) bool { return t.began >= 0 && offset <= t.agg.Offset() }
	whole, hole, err := t.enriched.join(offset, value, applied)
	if hole {
		t.missing(offset)
	}
	if err == nil && whole == nil {
		return nil
	}
	if err == nil {
		err = t.dec.Decode(whole, &t.rec, t.keys)
	}
	if err == nil {
		err = t.sameLife(&t.rec)
	}
	if err != nil {
		return fmt.Errorf("events.enriched partition %d offset %d: %w", t.partition, offset, err)
	}
	if applied(t.rec.Offset) {
		return nil
	}
	if t.began >= 0 && t.rec.From > t.after {
		t.missing(offset)
		return nil
	}
	t.hole = -1
	t.began, t.after = t.rec.Began, t.rec.Offset+1
	err = t.agg.Apply(&t.rec)
	t.enriched.drop(applied)
	return err
}

// missing: what stands there is not taken, for want of what was to come before it.
func (t *Task) missing(offset int64) {
	if t.hole < 0 {
		t.hole = offset
	}
}

// sameLife holds an aggregator to one enricher's state from its beginning on: a record says what is different from those before, and an enricher that
// has lost its state counts again what it finds.
func (t *Task) sameLife(rec *change.Record) error {
	switch {
	case t.began >= 0 && rec.Began != t.began:
		return fmt.Errorf("%w: an enricher whose state begins at offset %d of events sent it, and the rows up to now are of one that began at %d: the enricher's state was lost, and what it counts again would be added to them. "+
			"Give it its changelog back", runtime.ErrOtherLife, rec.Began, t.began)
	case t.began < 0 && rec.Offset != rec.Began:
		return fmt.Errorf("%w: nothing is saved, and this record, of offset %d of events, is not the first of its enricher, whose state begins at %d", runtime.ErrOtherLife, rec.Offset, rec.Began)
	case t.began < 0 && rec.Began > 0 && t.stored > 0:
		return fmt.Errorf("%w: nothing is saved, this first record is that of offset %d of events, and the database has rows of them: what is counted again would be added. "+
			"Give the aggregator its changelog back", runtime.ErrOtherLife, rec.Offset)
	}
	return nil
}
