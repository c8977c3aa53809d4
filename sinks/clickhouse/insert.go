package clickhouse

import (
	"slices"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// insert is one block of columns for one table. values[i] is a slice of the type that clickhouse-go appends whole, or arrays.
type insert struct {
	table  string
	types  []ch.ColumnNameAndType
	values []any
	rows   int
	bytes  int
}

func (in *insert) statement(db string) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + db + "." + in.table + " (")
	for i, t := range in.types {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(t.Name)
	}
	b.WriteString(")")
	return b.String()
}

// fixed is a column whose elements take size bytes.
func fixed[T any](in *insert, name, typ string, size int, values []T) {
	in.types = append(in.types, ch.ColumnNameAndType{Name: name, Type: typ})
	in.values = append(in.values, values)
	in.bytes += size * len(values)
}

func text(in *insert, name, typ string, values []string) {
	fixed(in, name, typ, 1, values)
	for _, s := range values {
		in.bytes += len(s)
	}
}

func repeat[T any](v T, n int) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func collect[R, T any](rows []R, f func(*R) T) []T {
	out := make([]T, len(rows))
	for i := range rows {
		out[i] = f(&rows[i])
	}
	return out
}

// chunks cuts rows into pieces of at most size.
func chunks[R any](rows []R, size int, f func([]R) *insert) []*insert {
	var out []*insert
	for piece := range slices.Chunk(rows, size) {
		in := f(piece)
		in.rows = len(piece)
		out = append(out, in)
	}
	return out
}

func (s *Sink) completenessInserts(epoch uint16, rows []rollup.Completeness) []*insert {
	return insertsOf("completeness_rows", ofEpoch(epoch, completenessFields), rows, s.cfg.MaxBlockRows)
}

func (s *Sink) outcomeInserts(epoch uint16, rows []rollup.Outcome) []*insert {
	return insertsOf("outcomes_rows", ofEpoch(epoch, outcomeFields), rows, s.cfg.MaxBlockRows)
}

func (s *Sink) orderInserts(epoch uint16, rows []rollup.Order) []*insert {
	return insertsOf("orders_rows", ofEpoch(epoch, orderFields), rows, s.cfg.MaxBlockRows)
}

func watermarkInserts(epoch uint16, rows []rollup.Watermark) []*insert {
	return insertsOf("watermarks_rows", ofEpoch(epoch, watermarkFields), rows, maxBlockRows)
}

// rejectedInserts keeps blocks small: a record is at most 32 KiB where it was not too large, but originals of any size come.
func (s *Sink) rejectedInserts(rows []rollup.Rejected) []*insert {
	return insertsOf("rejected_rows", rejectedFields, rows, 1000)
}
