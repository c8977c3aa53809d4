package chhttp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
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

var errUnknownType = errors.New("length unknown")

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

type typeKind uint8

const (
	fixed typeKind = iota
	text
	nullable
	array
	tuple
	lowCardinality
)

type typeNode struct {
	kind  typeKind
	width uint64      // of fixed
	args  []*typeNode // of nullable, array, tuple
	keys  *typeNode   // of lowCardinality: the type of its dictionary
}

var widths = map[string]uint64{
	"UInt8": 1, "Int8": 1, "Bool": 1, "Enum8": 1, "Nothing": 1,
	"UInt16": 2, "Int16": 2, "Date": 2, "Enum16": 2, "BFloat16": 2,
	"UInt32": 4, "Int32": 4, "Float32": 4, "Date32": 4, "DateTime": 4, "Time": 4, "IPv4": 4, "Decimal32": 4,
	"UInt64": 8, "Int64": 8, "Float64": 8, "DateTime64": 8, "Time64": 8, "Decimal64": 8,
	"UInt128": 16, "Int128": 16, "UUID": 16, "IPv6": 16, "Decimal128": 16,
	"UInt256": 32, "Int256": 32, "Decimal256": 32,
}

var aliases = map[string]string{
	"Point": "Tuple(Float64, Float64)", "Ring": "Array(Point)", "LineString": "Array(Point)",
	"MultiLineString": "Array(LineString)", "Polygon": "Array(Ring)", "MultiPolygon": "Array(Polygon)",
}

func parseType(s string) (*typeNode, error) {
	name, args := splitType(s)
	if w, known := widths[name]; known {
		return &typeNode{kind: fixed, width: w}, nil
	}
	if alias, known := aliases[name]; known {
		return parseType(alias)
	}
	switch {
	case name == "String":
		return &typeNode{kind: text}, nil
	case strings.HasPrefix(name, "Interval"):
		return &typeNode{kind: fixed, width: 8}, nil
	case len(args) == 0:
	case name == "FixedString":
		n, err := strconv.ParseUint(args[0], 10, 32)
		return &typeNode{kind: fixed, width: n}, err
	case name == "Decimal":
		return &typeNode{kind: fixed, width: decimalWidth(args[0])}, nil
	case name == "SimpleAggregateFunction":
		return parseType(args[len(args)-1])
	case name == "LowCardinality":
		return parseLowCardinality(args[0])
	case name == "Nullable", name == "Array", name == "Tuple", name == "Map", name == "Nested":
		return parseCompound(name, args)
	}
	return nil, fmt.Errorf("type %s: %w", s, errUnknownType)
}

func parseCompound(name string, args []string) (*typeNode, error) {
	node := &typeNode{kind: tuple}
	for _, arg := range args {
		if name == "Tuple" || name == "Nested" {
			arg = withoutName(arg)
		}
		t, err := parseType(arg)
		if err != nil {
			return nil, err
		}
		node.args = append(node.args, t)
	}
	switch name {
	case "Nullable":
		node.kind = nullable
	case "Array":
		node.kind = array
	case "Map", "Nested":
		return &typeNode{kind: array, args: []*typeNode{node}}, nil
	}
	return node, nil
}

func parseLowCardinality(arg string) (*typeNode, error) {
	if name, args := splitType(arg); name == "Nullable" && len(args) == 1 {
		arg = args[0]
	}
	keys, err := parseType(arg)
	return &typeNode{kind: lowCardinality, keys: keys}, err
}

func decimalWidth(precision string) uint64 {
	p, _ := strconv.Atoi(precision)
	switch {
	case p <= 9:
		return 4
	case p <= 18:
		return 8
	case p <= 38:
		return 16
	}
	return 32
}

// splitType cuts Name(a, b) into its name and arguments.
func splitType(s string) (string, []string) {
	open := strings.IndexByte(s, '(')
	if open < 0 || !strings.HasSuffix(s, ")") {
		return s, nil
	}
	var args []string
	list := s[open+1 : len(s)-1]
	start := 0
	topLevel(list, ',', func(i int) bool {
		args = append(args, strings.TrimSpace(list[start:i]))
		start = i + 1
		return true
	})
	return s[:open], append(args, strings.TrimSpace(list[start:]))
}

// withoutName strips the name of a tuple's element.
func withoutName(s string) string {
	at := -1
	topLevel(s, ' ', func(i int) bool { at = i; return false })
	return s[at+1:]
}

// topLevel calls found with the places of c that are in no brackets and quotes, until it returns false.
func topLevel(s string, c byte, found func(int) bool) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case b == '(':
			depth++
		case b == ')':
			depth--
		case b == '\'' || b == '`' || b == '"':
			for i++; i < len(s) && s[i] != b; i++ {
				if s[i] == '\\' {
					i++
				}
			}
		case b == c && depth == 0:
			if !found(i) {
				return
			}
		}
	}
}
