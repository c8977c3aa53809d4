package clickhouse

import (
	"slices"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// insert is one block of columns for one table. values[i] is a slice of the type that clickhouse-go appends whole.
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

// pick is vs itself where at is nil, else its elements at these rows.
func pick[T any](vs []T, at []int32) []T {
	if at == nil {
		return vs
	}
	out := make([]T, len(at))
	for i, a := range at {
		out[i] = vs[a]
	}
	return out
}

// valuesAt is pick for a column that may end early; so may the result.
func valuesAt[T any](vs []T, at []int32) []T {
	if at == nil || len(vs) == 0 {
		return vs
	}
	out := make([]T, len(at))
	for i, a := range at {
		if int(a) < len(vs) {
			out[i] = vs[a]
		}
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

// maxInsertPartitions bounds the parts that one INSERT makes when a backlog spans many days.
const maxInsertPartitions = 32

const dayMS = 86_400_000

// partitionOf mirrors the table's PARTITION BY: the day of fine grains, one for the coarse ones.
func partitionOf(grain uint8, window int64) int32 {
	if measure.Grain(grain) <= measure.Grain1m {
		return int32(window/dayMS) + 1
	}
	return 0
}

// blocks splits n rows into blocks of at most maxRows rows in at most maxInsertPartitions partitions. A nil block is all rows as they
// are: the normal case copies nothing.
func blocks(c *rollup.Cells, maxRows int) [][]int32 {
	n := len(c.Grain)
	seen, last := map[int32]int{}, int32(-1)
	for i, g := range c.Grain {
		if p := partitionOf(g, c.Window[i]); p != last {
			seen[p], last = 0, p
		}
	}
	if n <= maxRows && len(seen) <= maxInsertPartitions {
		return [][]int32{nil}
	}
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	part := func(i int32) int32 { return partitionOf(c.Grain[i], c.Window[i]) }
	slices.SortStableFunc(order, func(a, b int32) int { return int(part(a) - part(b)) })
	var out [][]int32
	for start := 0; start < n; {
		end, parts := start, 0
		for last := int32(-1); end < n && end-start < maxRows; end++ {
			if p := part(order[end]); p != last {
				if parts == maxInsertPartitions {
					break
				}
				parts, last = parts+1, p
			}
		}
		out = append(out, order[start:end])
		start = end
	}
	return out
}

func (s *Sink) cellInserts(epoch uint16, c *rollup.Cells) ([]*insert, error) {
	if err := checkCells(c); err != nil {
		return nil, err
	}
	if len(c.Grain) == 0 {
		return nil, nil
	}
	var out []*insert
	for _, at := range blocks(c, s.cfg.MaxBlockRows) {
		out = append(out, cellInsert(epoch, c, at, s.cfg.Protocol == HTTP))
	}
	return out, nil
}

func cellInsert(epoch uint16, c *rollup.Cells, at []int32, narrow bool) *insert {
	n := len(c.Grain)
	if at != nil {
		n = len(at)
	}
	in := &insert{table: RowsTable(c.Cube), rows: n}
	fixed(in, "epoch", "UInt16", 2, repeat(epoch, n))
	grains := make([]int8, n)
	for i, g := range pick(c.Grain, at) {
		grains[i] = int8(g)
	}
	fixed(in, "grain", grainType, 1, grains)
	text(in, "platform", "LowCardinality(String)", pick(c.Platform, at))
	text(in, "room_id", "String", pick(c.Room, at))
	text(in, "live_session_id", "String", pick(c.Session, at))
	for i, k := range measure.SubKeys[c.Cube] {
		typ := "String"
		if k == "currency" {
			typ = "LowCardinality(String)"
		}
		text(in, k, typ, pick(c.Sub[i], at))
	}
	fixed(in, "window_start", ms, 8, pick(c.Window, at))
	fixed(in, "part", "UInt16", 2, pick(c.Part, at))
	fixed(in, "gen", "UInt64", 8, pick(c.Gen, at))
	fixed(in, "version", "UInt64", 8, pick(c.Version, at))
	fixed(in, "state", "UInt8", 1, pick(c.State, at))
	fixed(in, "first_event", ms, 8, pick(c.First, at))
	if len(c.Runs) > 0 {
		runs := valuesAt(c.Runs, at)
		fixed(in, "runs", "Array(Int64)", 8, slices.Concat(runs, make([][]int64, n-len(runs))))
	}
	fixed(in, "updated_at", ms, 8, pick(c.Updated, at))
	stored, index := storedMeasures(c.Cube)
	for i, m := range stored {
		in.measure(m.Name, valuesAt(c.Values[index[i]], at), narrow)
	}
	return in
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

func (s *Sink) outcomeInserts(epoch uint16, rows []rollup.Outcome) []*insert {
	type row = rollup.Outcome
	return chunks(rows, s.cfg.MaxBlockRows, func(rs []row) *insert {
		in := &insert{table: "outcomes_rows"}
		fixed(in, "epoch", "UInt16", 2, repeat(epoch, len(rs)))
		text(in, "source_topic", "LowCardinality(String)", collect(rs, func(r *row) string { return r.Topic }))
		fixed(in, "source_partition", "Int32", 4, collect(rs, func(r *row) int32 { return r.Partition }))
		fixed(in, "minute", ms, 8, collect(rs, func(r *row) int64 { return r.Minute }))
		text(in, "outcome", "LowCardinality(String)", collect(rs, func(r *row) string { return r.Outcome }))
		text(in, "reason", "LowCardinality(String)", collect(rs, func(r *row) string { return r.Reason }))
		fixed(in, "part", "UInt16", 2, collect(rs, func(r *row) uint16 { return r.Part }))
		fixed(in, "gen", "UInt64", 8, collect(rs, func(r *row) uint64 { return r.Gen }))
		fixed(in, "version", "UInt64", 8, collect(rs, func(r *row) uint64 { return r.Version }))
		fixed(in, "records", "Int64", 8, collect(rs, func(r *row) int64 { return r.Records }))
		return in
	})
}

func (s *Sink) orderInserts(epoch uint16, rows []rollup.Order) []*insert {
	type row = rollup.Order
	return chunks(rows, s.cfg.MaxBlockRows, func(rs []row) *insert {
		in := &insert{table: "orders_rows"}
		fixed(in, "epoch", "UInt16", 2, repeat(epoch, len(rs)))
		text(in, "platform", "LowCardinality(String)", collect(rs, func(r *row) string { return r.Platform }))
		text(in, "order_id", "String", collect(rs, func(r *row) string { return r.OrderID }))
		fixed(in, "buyer", "FixedString(16)", 16, collect(rs, func(r *row) []byte { return r.Buyer[:] }))
		text(in, "state", "LowCardinality(String)", collect(rs, func(r *row) string { return r.State }))
		fixed(in, "order_version", "Int64", 8, collect(rs, func(r *row) int64 { return r.OrderVersion }))
		text(in, "room_id", "String", collect(rs, func(r *row) string { return r.Room }))
		text(in, "live_session_id", "String", collect(rs, func(r *row) string { return r.Session }))
		text(in, "currency", "LowCardinality(String)", collect(rs, func(r *row) string { return r.Currency }))
		fixed(in, "paid_minor", "Int64", 8, collect(rs, func(r *row) int64 { return r.PaidMinor }))
		fixed(in, "refund_minor", "Int64", 8, collect(rs, func(r *row) int64 { return r.RefundMinor }))
		fixed(in, "created_ts", ms, 8, collect(rs, func(r *row) int64 { return r.CreatedTS }))
		fixed(in, "paid_ts", ms, 8, collect(rs, func(r *row) int64 { return r.PaidTS }))
		fixed(in, "event_ts", ms, 8, collect(rs, func(r *row) int64 { return r.EventTS }))
		fixed(in, "updated_at", ms, 8, collect(rs, func(r *row) int64 { return r.Updated }))
		fixed(in, "version", "UInt64", 8, collect(rs, func(r *row) uint64 { return r.Version }))
		return in
	})
}

func watermarkInserts(epoch uint16, rows []rollup.Watermark) []*insert {
	type row = rollup.Watermark
	return chunks(rows, maxBlockRows, func(rs []row) *insert {
		in := &insert{table: "watermarks_rows"}
		fixed(in, "epoch", "UInt16", 2, repeat(epoch, len(rs)))
		fixed(in, "part", "UInt16", 2, collect(rs, func(r *row) uint16 { return r.Part }))
		fixed(in, "version", "UInt64", 8, collect(rs, func(r *row) uint64 { return r.Version }))
		fixed(in, "watermark", ms, 8, collect(rs, func(r *row) int64 { return r.WM }))
		return in
	})
}

func (s *Sink) rejectedInserts(rows []rollup.Rejected) []*insert {
	type row = rollup.Rejected
	// A record is at most 32 KiB where it was not too large; originals of any size come, so a block is kept small.
	return chunks(rows, 1000, func(rs []row) *insert {
		in := &insert{table: "rejected_rows"}
		text(in, "source_topic", "LowCardinality(String)", collect(rs, func(r *row) string { return r.Topic }))
		fixed(in, "topic_id", "UUID", 16, collect(rs, func(r *row) uuid.UUID { return r.TopicID }))
		fixed(in, "source_partition", "Int32", 4, collect(rs, func(r *row) int32 { return r.Partition }))
		fixed(in, "source_offset", "Int64", 8, collect(rs, func(r *row) int64 { return r.Offset }))
		fixed(in, "received_ts", ms, 8, collect(rs, func(r *row) int64 { return r.ReceivedTS }))
		text(in, "reason", "LowCardinality(String)", collect(rs, func(r *row) string { return r.Reason }))
		text(in, "field", "LowCardinality(String)", collect(rs, func(r *row) string { return r.Field }))
		text(in, "original", "String", collect(rs, func(r *row) string { return string(r.Original) }))
		fixed(in, "original_length", "Int64", 8, collect(rs, func(r *row) int64 { return r.Length }))
		return in
	})
}
