package chhttp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	block "github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// The engine writes Native as revision 0. A client that names its client_protocol_version expects what a server writes for that revision:
// a block info before each block and, from customSerialization on, a flag before each column. The columns' bytes stay as they are, so it is
// enough to know how long each is; types whose length only their decoder knows go through clickhouse-go.
const customSerialization = 54454

// transcode appends the blocks in data, of revision 0, to dst as blocks of the revision given.
func transcode(dst, data []byte, revision uint64) ([]byte, error) {
	in := walker{data: data}
	for in.at < len(in.data) {
		mark, start := len(dst), in.at
		var err error
		dst, err = in.block(dst, revision)
		if errors.Is(err, errUnknownType) {
			return transcodeDecoded(dst[:mark], data[start:], revision)
		}
		if err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// blockHead appends what stands before the columns.
func blockHead(dst []byte, revision, columns, rows uint64) []byte {
	if revision > 0 {
		dst = append(dst, 1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0) // no overflow rows, bucket -1
	}
	return binary.AppendUvarint(binary.AppendUvarint(dst, columns), rows)
}

func columnHead(dst []byte, revision uint64, name, typ string) []byte {
	dst = append(binary.AppendUvarint(dst, uint64(len(name))), name...)
	dst = append(binary.AppendUvarint(dst, uint64(len(typ))), typ...)
	if revision >= customSerialization {
		dst = append(dst, 0)
	}
	return dst
}

// walker goes over a column's bytes without decoding them. Reading past the end sets err and leaves at where it is.
type walker struct {
	data []byte
	at   int
	err  error
}

func (w *walker) block(dst []byte, revision uint64) ([]byte, error) {
	columns, rows := w.uvarint(), w.uvarint()
	dst = blockHead(dst, revision, columns, rows)
	for range columns {
		name, typ := w.text(), w.text()
		if w.err != nil {
			return nil, w.err
		}
		dst = columnHead(dst, revision, name, typ)
		start := w.at
		if rows > 0 {
			t, err := parseType(typ)
			if err != nil {
				return dst, err
			}
			w.prefix(t)
			w.skip(t, rows)
		}
		if w.err != nil {
			return nil, fmt.Errorf("column %s %s: %w", name, typ, w.err)
		}
		dst = append(dst, w.data[start:w.at]...)
	}
	return dst, w.err
}

func (w *walker) take(n uint64) []byte {
	if w.err != nil || n > uint64(len(w.data)-w.at) {
		w.err = io.ErrUnexpectedEOF
		return nil
	}
	b := w.data[w.at : w.at+int(n)]
	w.at += int(n)
	return b
}

func (w *walker) times(n, width uint64) {
	if width > 0 && n > uint64(len(w.data))/width {
		w.err = io.ErrUnexpectedEOF
		return
	}
	w.take(n * width)
}

func (w *walker) uvarint() uint64 {
	v, n := binary.Uvarint(w.data[w.at:])
	if n <= 0 {
		w.err = io.ErrUnexpectedEOF
		return 0
	}
	w.at += n
	return v
}

func (w *walker) uint64() uint64 {
	b := w.take(8)
	if b == nil {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

func (w *walker) text() string { return string(w.take(w.uvarint())) }

// prefix skips what a type writes once before its data.
func (w *walker) prefix(t *typeNode) {
	if t.kind == lowCardinality {
		w.take(8)
	}
	for _, arg := range t.args {
		w.prefix(arg)
	}
}

func (w *walker) skip(t *typeNode, rows uint64) {
	if rows == 0 || w.err != nil {
		return
	}
	switch t.kind {
	case fixed:
		w.times(rows, t.width)
	case text:
		for range rows {
			if w.take(w.uvarint()); w.err != nil {
				return
			}
		}
	case nullable:
		w.take(rows)
		w.skip(t.args[0], rows)
	case array:
		w.times(rows-1, 8)
		elements := w.uint64() // offsets are running totals
		w.skip(t.args[0], elements)
	case tuple:
		for _, arg := range t.args {
			w.skip(arg, rows)
		}
	case lowCardinality:
		w.skipLowCardinality(t.keys, rows)
	}
}

func (w *walker) skipLowCardinality(keys *typeNode, rows uint64) {
	const additionalKeys = 1 << 9
	flags := w.uint64()
	if flags&additionalKeys != 0 {
		w.skip(keys, w.uint64())
	}
	n := w.uint64()
	if w.err == nil && n != rows {
		w.err = fmt.Errorf("LowCardinality has %d rows, not %d", n, rows)
		return
	}
	w.times(n, 1<<(flags&0xff))
}

// transcodeDecoded does the same by decoding and encoding again.
func transcodeDecoded(dst, data []byte, revision uint64) ([]byte, error) {
	in := proto.NewReader(strings.NewReader(string(data)))
	for {
		b := block.NewBlock()
		b.ServerContext = &column.ServerContext{Timezone: time.UTC}
		if err := b.Decode(in, 0); errors.Is(err, io.EOF) {
			return dst, nil
		} else if err != nil {
			return nil, err
		}
		if b.Rows() == 0 { // the encoder would write prefixes that no reader expects here
			dst = blockHead(dst, revision, uint64(len(b.Columns)), 0)
			for _, c := range b.Columns {
				dst = columnHead(dst, revision, c.Name(), string(c.Type()))
			}
			continue
		}
		var out proto.Buffer
		if err := b.Encode(&out, revision); err != nil {
			return nil, err
		}
		dst = append(dst, out.Buf...)
	}
}
