package clickhouse

import (
	"slices"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"

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
		fixed(in, "final_before", ms, 8, collect(rs, func(r *row) int64 { return r.FinalBefore }))
		fixed(in, "hours_told", ms, 8, collect(rs, func(r *row) int64 { return r.HoursTold }))
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
