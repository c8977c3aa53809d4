package clickhouse

import (
	"fmt"

	"github.com/livemeter/livemeter/pipeline/measure"
)

// RejectedDays is for how many days of receive time dead letters are kept.
const RejectedDays = 7

// otherTables are the tables beside those of the cubes: epochs, outcomes, completeness, orders, watermarks, peaks_taken, rejected.
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
			columns: columnsOf(ofEpoch(0, outcomeFields)),
			engine:  "ReplacingMergeTree(version)", partition: "(epoch, toYYYYMM(minute))",
			order: "(epoch, source_topic, source_partition, minute, outcome, reason, part, gen)",
			ttl:   tableTTL(coarse, "toStartOfMonth(minute) + toIntervalMonth(1)"),
		},
		{
			name: "completeness_rows", comment: "Partial rows of completeness: query the view",
			columns: columnsOf(ofEpoch(0, completenessFields)),
			engine:  "ReplacingMergeTree(version)", partition: "(epoch, toYYYYMM(minute))",
			order: "(epoch, platform, kind, sdk_name, sdk_version, minute, part, gen)",
			ttl:   tableTTL(coarse, "toStartOfMonth(minute) + toIntervalMonth(1)"),
		},
		{
			name: "orders_rows", comment: "Versions of orders: query the view orders",
			columns: columnsOf(ofEpoch(0, orderFields)),
			engine:  "ReplacingMergeTree(version)", partition: "epoch", order: "(epoch, platform, order_id, buyer)",
			ttl: tableTTL(coarse, "toStartOfMonth(updated_at) + toIntervalMonth(1)"),
		},
		{
			name: "watermarks_rows", comment: "How far each partition of events has come: query the view watermarks",
			columns: columnsOf(ofEpoch(0, watermarkFields)),
			engine:  "AggregatingMergeTree", order: "(epoch, part)", // the highest holds: see rollup.Watermark
		},
		{
			name: takenTable, comment: "How far the peaks of online have been taken, for a roller that starts",
			columns: []column{
				{"epoch", "UInt16", "Which log of events the peaks come from"},
				{"cube", "LowCardinality(String)", "View that shows the peaks"},
				{"grain", grainType, "Length of the windows that have the peaks"},
				{"taken_until", "DateTime('UTC')", "All rows with an earlier inserted_at are in the peaks"},
			},
			engine: "ReplacingMergeTree", order: "(epoch, cube, grain)", // the last line counts: the server's clock may be set back
		},
		{
			name: "rejected_rows", comment: "Invalid records with their original bytes, kept seven days: query the view rejected",
			columns: rejectedColumns(),
			engine:  "ReplacingMergeTree", partition: "toYYYYMMDD(received_ts)",
			order: "(topic_id, source_partition, source_offset)",
			// By receive time: a replay must not prolong the life of original bytes.
			ttl: fmt.Sprintf("toDateTime(received_ts) + toIntervalDay(%d)", RejectedDays),
		},
	}
}

// orderColumns are those of the view, whose buyer has another type.
func orderColumns(buyer string) []column {
	all := columnsOf(orderFields)
	for i := range all {
		if all[i].name == "buyer" {
			all[i].typ = buyer
		}
	}
	return all[:len(all)-1] // but the version
}

func rejectedColumns() []column { return columnsOf(rejectedFields) }
