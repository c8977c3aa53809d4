package clickhouse

import "github.com/livemeter/livemeter/pipeline/measure"

// otherTables are the tables beside those of the cubes: epochs, outcomes, orders, watermarks, rejected.
func otherTables(cfg Config) []table {
	coarse := cfg.TTLDays[measure.Grain1d]
	return []table{
		{
			name: "epochs", comment: "Logs of events there were; readers see the highest active one",
			columns: []column{
				{"epoch", "UInt16", "Number of the epoch, from 1"},
				{"events_topic_id", "UUID", "Kafka's id of the topic events"},
				{"active", "UInt8", "1: views may show this epoch"},
				{"created_at", ms, "When the line was written; the last one of an epoch counts"},
			},
			engine: "ReplacingMergeTree(created_at)", order: "epoch",
		},
		{
			name: "outcomes_rows", comment: "Partial rows of outcomes: query the view",
			columns: []column{
				{"epoch", "UInt16", epochComment},
				{"source_topic", "LowCardinality(String)", "Raw topic, with prefix"},
				{"source_partition", "Int32", "Partition of the raw topic"},
				{"minute", ms, "Start of the minute of receive time"},
				{"outcome", "LowCardinality(String)", "accepted, duplicate or invalid"},
				{"reason", "LowCardinality(String)", "Why invalid, else ''"},
				{"part", "UInt16", "Partition of events that counted"},
				{"gen", "UInt64", genComment},
				{"version", "UInt64", versComment},
				{"records", "Int64", "Records with this outcome"},
			},
			engine: "ReplacingMergeTree(version)", partition: "(epoch, toYYYYMM(minute))",
			order: "(epoch, source_topic, source_partition, minute, outcome, reason, part, gen)",
			ttl:   tableTTL(coarse, "toStartOfMonth(minute) + toIntervalMonth(1)"),
		},
		{
			name: "orders_rows", comment: "Versions of orders: query the view orders",
			columns: append([]column{{"epoch", "UInt16", epochComment}},
				append(orderColumns("FixedString(16)"), column{"version", "UInt64", versComment})...),
			engine: "ReplacingMergeTree(version)", partition: "epoch", order: "(epoch, platform, order_id, buyer)",
			ttl: tableTTL(coarse, "toStartOfMonth(updated_at) + toIntervalMonth(1)"),
		},
		{
			name: "watermarks_rows", comment: "How far each partition of events has come: query the view watermarks",
			columns: []column{
				{"epoch", "UInt16", epochComment},
				{"part", "UInt16", "Partition of events"},
				{"version", "UInt64", "Offset in this partition"},
				{"watermark", ms, watermarkComment},
				{"final_before", ms, finalComment},
				{"hours_told", ms, hoursComment},
			},
			engine: "ReplacingMergeTree(watermark)", order: "(epoch, part)", // the highest holds: see rollup.Watermark
		},
		{
			name: "rejected_rows", comment: "Invalid records with their original bytes, kept seven days: query the view rejected",
			columns: rejectedColumns(),
			engine:  "ReplacingMergeTree", partition: "toYYYYMMDD(received_ts)",
			order: "(topic_id, source_partition, source_offset)",
			// By receive time: a replay must not prolong the life of original bytes.
			ttl: "toDateTime(received_ts) + toIntervalDay(7)",
		},
	}
}

func orderColumns(buyer string) []column {
	return []column{
		{"platform", "LowCardinality(String)", "Platform of the shop"},
		{"order_id", "String", "Order"},
		{"buyer", buyer, "Pseudonym of the buyer"},
		{"state", "LowCardinality(String)", "State of the highest order_version"},
		{"order_version", "Int64", "Highest version seen"},
		{"room_id", "String", "Room of the highest version, '' without one"},
		{"live_session_id", "String", "Live session of the highest version"},
		{"currency", "LowCardinality(String)", "Currency of the amounts"},
		{"paid_minor", "Int64", "Paid so far, of the highest version"},
		{"refund_minor", "Int64", "Σ of all refunds, each by its highest version"},
		{"created_ts", ms, "Event time of created, 1970 if unknown"},
		{"paid_ts", ms, "Event time of paid, 1970 if unknown"},
		{"event_ts", ms, "Event time of the highest version"},
		{"updated_at", ms, "Receive time of the last event of the order"},
	}
}

func rejectedColumns() []column {
	return []column{
		{"source_topic", "LowCardinality(String)", "Raw topic, with prefix"},
		{"topic_id", "UUID", "Kafka's id of the raw topic"},
		{"source_partition", "Int32", "Partition of the raw topic"},
		{"source_offset", "Int64", "Offset of the record"},
		{"received_ts", ms, "Receive time of the record"},
		{"reason", "LowCardinality(String)", "Why the record is invalid"},
		{"field", "LowCardinality(String)", "Path of the field that is wrong, '' where it is the whole record"},
		{"original", "String", "The record's bytes as they came; only the first of them where original_length is more"},
		{"original_length", "Int64", "Bytes of the record as it came: more than length(original) where events.rejected could not take it whole"},
	}
}
