package fused

import (
	"fmt"
	"math/rand/v2"
	"slices"

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

// join answers the whole of the record at an offset of events.enriched, nil while chunks are missing. applied says whether a record of `events` is
// applied already. The first chunks of some may be gone with the topic's beginning: nothing can come of them.
func (p *enrichedChunks) join(at int64, value []byte, applied func(offset int64) bool) ([]byte, error) {
	if len(value) == 0 || value[0] != enrichedChunk {
		return value, nil
	}
	var r wire.Reader
	r.Reset(value[1:])
	offset, stamp, n, count, part := r.Int(), r.Fixed(), r.Uint(), r.Uint(), r.Raw()
	if err := r.Err(); err != nil {
		return nil, err
	}
	if n >= count || r.Left() > 0 {
		return nil, fmt.Errorf("%w: chunk %d of %d", wire.ErrDamaged, n, count)
	}
	set := p.parts[stamp]
	if applied(offset) || set == nil && n > 0 || set != nil && n < set.have {
		return nil, nil
	}
	if set == nil {
		if p.parts == nil {
			p.parts = map[uint64]*enrichedParts{}
		}
		set = &enrichedParts{offset: offset, first: at}
		p.parts[stamp] = set
	}
	if n > set.have || offset != set.offset {
		return nil, fmt.Errorf("%w: chunk %d of %d of the record at offset %d, where chunk %d of that at %d is next", wire.ErrDamaged, n, count, offset, set.have, set.offset)
	}
	set.have++
	if set.value = append(set.value, part...); set.have < count {
		return nil, nil
	}
	delete(p.parts, stamp)
	return set.value, nil
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
