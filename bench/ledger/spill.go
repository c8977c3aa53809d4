package ledger

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/s2"
)

// spill is one temporary file of records: topic, partition, timestamp, length as varints, then the bytes.
type spill struct {
	file *os.File
	out  *s2.Writer
	buf  []byte
}

func newSpill(dir string, i int) (*spill, error) {
	f, err := os.Create(filepath.Join(dir, strconv.Itoa(i)))
	if err != nil {
		return nil, fmt.Errorf("ledger: temporary file: %w", err)
	}
	return &spill{file: f, out: s2.NewWriter(f, s2.WriterConcurrency(1), s2.WriterBlockSize(128<<10))}, nil
}

func (s *spill) write(topic uint32, partition int32, ts int64, value []byte) error {
	b := binary.AppendUvarint(s.buf[:0], uint64(topic))
	b = binary.AppendVarint(b, int64(partition))
	b = binary.AppendVarint(b, ts)
	b = binary.AppendUvarint(b, uint64(len(value)))
	s.buf = append(b, value...)
	if _, err := s.out.Write(s.buf); err != nil {
		return fmt.Errorf("ledger: temporary file %s (is the disk full?): %w", s.file.Name(), err)
	}
	return nil
}

// shard is what one temporary file holds.
type shard struct {
	owners  map[owner][]*event
	invalid map[OutcomeKey]int64
	err     error
}

// readShard decodes and judges all records of one temporary file; s is nil where there are none.
func readShard(s *spill, topics []topicInfo) shard {
	out := shard{owners: map[owner][]*event{}, invalid: map[OutcomeKey]int64{}}
	if s == nil {
		return out
	}
	if out.err = s.out.Close(); out.err != nil {
		return out
	}
	if _, out.err = s.file.Seek(0, io.SeekStart); out.err != nil {
		return out
	}
	defer s.file.Close()
	in := bufio.NewReader(s2.NewReader(s.file))
	names := stringSet{}
	var (
		p     parser
		value []byte
	)
	for {
		topic, err := binary.ReadUvarint(in)
		if errors.Is(err, io.EOF) {
			return out
		}
		partition, err1 := binary.ReadVarint(in)
		ts, err2 := binary.ReadVarint(in)
		size, err3 := binary.ReadUvarint(in)
		if out.err = errors.Join(err, err1, err2, err3); out.err != nil {
			return out
		}
		value = slices.Grow(value[:0], int(size))[:size]
		if _, out.err = io.ReadFull(in, value); out.err != nil {
			return out
		}
		e, who, bad := p.decode(topics[topic].raw, string(value), ts)
		if bad != (fault{}) {
			out.invalid[OutcomeKey{topics[topic].name, int32(partition), ts - ts%60_000, "invalid", bad.reason}]++
			if e == nil {
				continue
			}
		}
		e.topic, e.part = uint32(topic), int32(partition)
		names.event(e)
		who = owner{who.kind, names.one(who.platform), names.one(who.id)}
		out.owners[who] = append(out.owners[who], e)
	}
}

// stringSet replaces equal strings by one copy that does not hold on to a record.
type stringSet map[string]string

func (n stringSet) one(s string) string {
	if s == "" {
		return ""
	}
	if old, ok := n[s]; ok {
		return old
	}
	s = strings.Clone(s)
	n[s] = s
	return s
}

func (n stringSet) event(e *event) {
	for _, s := range []*string{&e.typ, &e.sub, &e.place.platform, &e.place.room, &e.place.session, &e.view, &e.source, &e.campaign, &e.click, &e.sku, &e.currency,
		&e.instance, &e.sdk[0], &e.sdk[1]} {
		*s = n.one(*s)
	}
	e.id = strings.Clone(e.id)
	for i := range e.exps {
		e.exps[i] = experiment{n.one(e.exps[i].id), n.one(e.exps[i].variant)}
	}
	if o := e.order; o != nil {
		o.id, o.refundID, o.refundLine = n.one(o.id), n.one(o.refundID), n.one(o.refundLine)
		for i := range o.items {
			o.items[i].line, o.items[i].sku = n.one(o.items[i].line), n.one(o.items[i].sku)
		}
	}
}
