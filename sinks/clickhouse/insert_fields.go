package clickhouse

import (
	"github.com/google/uuid"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// field is a column of a table beside the cubes', and what a row has there: the table's DDL and its INSERTs are made of one list.
type field[R any] struct {
	column
	put func(in *insert, c column, rows []R)
}

// words is a field of text.
func words[R any](name, typ, comment string, get func(*R) string) field[R] {
	return field[R]{column{name, typ, comment}, func(in *insert, c column, rows []R) { text(in, c.name, c.typ, collect(rows, get)) }}
}

// value is a field whose elements take size bytes.
func value[R, T any](name, typ string, size int, comment string, get func(*R) T) field[R] {
	return field[R]{column{name, typ, comment}, func(in *insert, c column, rows []R) { fixed(in, c.name, c.typ, size, collect(rows, get)) }}
}

// ofEpoch puts the epoch before fields. To the DDL it is any.
func ofEpoch[R any](epoch uint16, fields []field[R]) []field[R] {
	first := field[R]{column{"epoch", "UInt16", epochComment}, func(in *insert, c column, rows []R) { fixed(in, c.name, c.typ, 2, repeat(epoch, len(rows))) }}
	return append([]field[R]{first}, fields...)
}

func columnsOf[R any](fields []field[R]) []column {
	out := make([]column, len(fields))
	for i, f := range fields {
		out[i] = f.column
	}
	return out
}

// insertsOf are the blocks of at most size rows that write rows to a table.
func insertsOf[R any](table string, fields []field[R], rows []R, size int) []*insert {
	return chunks(rows, size, func(rs []R) *insert {
		in := &insert{table: table}
		for _, f := range fields {
			f.put(in, f.column, rs)
		}
		return in
	})
}

var outcomeFields = []field[rollup.Outcome]{
	words("source_topic", "LowCardinality(String)", "Raw topic, with prefix", func(r *rollup.Outcome) string { return r.Topic }),
	value("source_partition", "Int32", 4, "Partition of the raw topic", func(r *rollup.Outcome) int32 { return r.Partition }),
	value("minute", ms, 8, "Start of the minute of receive time", func(r *rollup.Outcome) int64 { return r.Minute }),
	words("outcome", "LowCardinality(String)", "accepted, duplicate or invalid", func(r *rollup.Outcome) string { return r.Outcome }),
	words("reason", "LowCardinality(String)", "Why invalid, else ''", func(r *rollup.Outcome) string { return r.Reason }),
	value("part", "UInt16", 2, "Partition of events that counted", func(r *rollup.Outcome) uint16 { return r.Part }),
	value("gen", "UInt64", 8, genComment, func(r *rollup.Outcome) uint64 { return r.Gen }),
	value("version", "UInt64", 8, versComment, func(r *rollup.Outcome) uint64 { return r.Version }),
	value("records", "Int64", 8, "Records with this outcome", func(r *rollup.Outcome) int64 { return r.Records }),
}

var completenessFields = []field[rollup.Completeness]{
	words("platform", "LowCardinality(String)", "Platform", func(r *rollup.Completeness) string { return r.Platform }),
	words("kind", "LowCardinality(String)", "What is numbered: seq of an SDK instance, versions of order, cost, stock", func(r *rollup.Completeness) string { return r.Kind }),
	words("sdk_name", "LowCardinality(String)", "sdk.name of the event, '' without one", func(r *rollup.Completeness) string { return r.SDKName }),
	words("sdk_version", "LowCardinality(String)", "sdk.version of the event, '' without one", func(r *rollup.Completeness) string { return r.SDKVersion }),
	value("minute", ms, 8, "Start of the minute of receive time", func(r *rollup.Completeness) int64 { return r.Minute }),
	value("part", "UInt16", 2, "Partition of events that counted", func(r *rollup.Completeness) uint16 { return r.Part }),
	value("gen", "UInt64", 8, genComment, func(r *rollup.Completeness) uint64 { return r.Gen }),
	value("version", "UInt64", 8, versComment, func(r *rollup.Completeness) uint64 { return r.Version }),
	value("expected", "Int64", 8, "Numbers received, and those below each down to the next one received", func(r *rollup.Completeness) int64 { return r.Expected }),
	value("received", "Int64", 8, "Numbers received, of rejected events too, each once", func(r *rollup.Completeness) int64 { return r.Received }),
	value("late", "Int64", 8, "Of them: behind a higher one in the log", func(r *rollup.Completeness) int64 { return r.Late }),
}

var orderFields = []field[rollup.Order]{
	words("platform", "LowCardinality(String)", "Platform of the shop", func(r *rollup.Order) string { return r.Platform }),
	words("order_id", "String", "Order", func(r *rollup.Order) string { return r.OrderID }),
	value("buyer", "FixedString(16)", 16, "Pseudonym of the buyer", func(r *rollup.Order) []byte { return r.Buyer[:] }),
	words("state", "LowCardinality(String)", "State of the highest order_version", func(r *rollup.Order) string { return r.State }),
	value("order_version", "Int64", 8, "Highest version seen", func(r *rollup.Order) int64 { return r.OrderVersion }),
	words("room_id", "String", "Room of the highest version, '' without one", func(r *rollup.Order) string { return r.Room }),
	words("live_session_id", "String", "Live session of the highest version", func(r *rollup.Order) string { return r.Session }),
	words("currency", "LowCardinality(String)", "Currency of the amounts", func(r *rollup.Order) string { return r.Currency }),
	value("paid_minor", "Int64", 8, "Paid so far, of the highest version", func(r *rollup.Order) int64 { return r.PaidMinor }),
	value("refund_minor", "Int64", 8, "Σ of all refunds, each by its highest version", func(r *rollup.Order) int64 { return r.RefundMinor }),
	value("created_ts", ms, 8, "Event time of created, 1970 if unknown", func(r *rollup.Order) int64 { return r.CreatedTS }),
	value("paid_ts", ms, 8, "Event time of paid, 1970 if unknown", func(r *rollup.Order) int64 { return r.PaidTS }),
	value("event_ts", ms, 8, "Event time of the highest version", func(r *rollup.Order) int64 { return r.EventTS }),
	value("updated_at", ms, 8, "Receive time of the last event of the order", func(r *rollup.Order) int64 { return r.Updated }),
	value("version", "UInt64", 8, versComment, func(r *rollup.Order) uint64 { return r.Version }),
}

// highest is the type of a column of an AggregatingMergeTree that keeps the highest of a key's.
func highest(typ string) string { return "SimpleAggregateFunction(max, " + typ + ")" }

// Each column holds by itself: of two rows the one with the higher watermark may be that of the lower offset, when a former owner's flush was luckier.
var watermarkFields = []field[rollup.Watermark]{
	value("part", "UInt16", 2, "Partition of events", func(r *rollup.Watermark) uint16 { return r.Part }),
	value("version", highest("UInt64"), 8, "Offset in this partition", func(r *rollup.Watermark) uint64 { return r.Version }),
	value("watermark", highest(ms), 8, watermarkComment, func(r *rollup.Watermark) int64 { return r.WM }),
	value("final_before", highest(ms), 8, finalComment, func(r *rollup.Watermark) int64 { return r.FinalBefore }),
	value("hours_told", highest(ms), 8, hoursComment, func(r *rollup.Watermark) int64 { return r.HoursTold }),
}

var rejectedFields = []field[rollup.Rejected]{
	words("source_topic", "LowCardinality(String)", "Raw topic, with prefix", func(r *rollup.Rejected) string { return r.Topic }),
	value("topic_id", "UUID", 16, "Kafka's id of the raw topic", func(r *rollup.Rejected) uuid.UUID { return r.TopicID }),
	value("source_partition", "Int32", 4, "Partition of the raw topic", func(r *rollup.Rejected) int32 { return r.Partition }),
	value("source_offset", "Int64", 8, "Offset of the record", func(r *rollup.Rejected) int64 { return r.Offset }),
	value("received_ts", ms, 8, "Receive time of the record", func(r *rollup.Rejected) int64 { return r.ReceivedTS }),
	words("reason", "LowCardinality(String)", "Why the record is invalid", func(r *rollup.Rejected) string { return r.Reason }),
	words("field", "LowCardinality(String)", "Path of the field that is wrong, '' where it is the whole record", func(r *rollup.Rejected) string { return r.Field }),
	words("original", "String", "The record's bytes as they came; only the first of them where original_length is more", func(r *rollup.Rejected) string { return string(r.Original) }),
	value("original_length", "Int64", 8, "Bytes of the record as it came: more than length(original) where events.rejected could not take it whole", func(r *rollup.Rejected) int64 { return r.Length }),
}
