package clickhouse

import (
	"fmt"
	"slices"
	"strings"
)

func otherViews(cfg Config) []view {
	db := cfg.Database
	from := func(table string) string {
		return fmt.Sprintf("FROM %s.%s AS r FINAL\nWHERE %s", db, table, activeEpoch(db))
	}
	orders := orderColumns("String")
	orders = slices.Insert(orders, slices.IndexFunc(orders, func(c column) bool { return c.name == "created_ts" }),
		column{"net_minor", "Int64", "paid_minor − refund_minor"})
	return []view{
		{
			name: "outcomes", comment: "What became of every consumed record: the ledger of conservation",
			columns: []column{
				{"source_topic", "LowCardinality(String)", "Raw topic, with prefix"},
				{"source_partition", "Int32", "Partition of the raw topic"},
				{"minute", ms, "Start of the minute of receive time"},
				{"outcome", "LowCardinality(String)", "accepted, duplicate or invalid"},
				{"reason", "LowCardinality(String)", "Why invalid, else ''"},
				{"records", "Int64", "Records with this outcome"},
			},
			query: "SELECT r.source_topic AS source_topic, r.source_partition AS source_partition, r.minute AS minute, r.outcome AS outcome, r.reason AS reason, sum(r.records) AS records\n" +
				from("outcomes_rows") + "\nGROUP BY r.source_topic, r.source_partition, r.minute, r.outcome, r.reason\n" + finalSettings,
		},
		{
			name: "completeness", comment: "What was numbered and did not arrive, by the minute in which the next number was received",
			columns: []column{
				{"platform", "LowCardinality(String)", "Platform"},
				{"kind", "LowCardinality(String)", "What is numbered: seq of an SDK instance, versions of order, cost, stock"},
				{"sdk_name", "LowCardinality(String)", "sdk.name of the event, '' without one"},
				{"sdk_version", "LowCardinality(String)", "sdk.version of the event, '' without one"},
				{"minute", ms, "Start of the minute of receive time"},
				{"expected", "Int64", "Numbers received, and those below each down to the next one received"},
				{"received", "Int64", "Numbers received, of rejected events too, each once"},
				{"late", "Int64", "Of them: behind a higher one in the log"},
				{"missing", "Int64", "expected − received: goes back when they come after all"},
			},
			query: "SELECT r.platform AS platform, r.kind AS kind, r.sdk_name AS sdk_name, r.sdk_version AS sdk_version, r.minute AS minute, sum(r.expected) AS expected, sum(r.received) AS received, sum(r.late) AS late, expected - received AS missing\n" +
				from("completeness_rows") + "\nGROUP BY r.platform, r.kind, r.sdk_name, r.sdk_version, r.minute\n" + finalSettings,
		},
		{
			name: "orders", comment: "One row an order: its current state",
			columns: orders,
			query:   "SELECT\n    " + strings.Join(orderExprs(orders), ",\n    ") + "\n" + from("orders_rows"),
		},
		{
			name: "watermarks", comment: "How far each partition of events has come",
			columns: []column{
				{"part", "UInt16", "Partition of events"},
				{"watermark", ms, watermarkComment},
				{"final_before", ms, finalComment},
				{"version", "UInt64", "Offset in this partition"},
			},
			query: "SELECT r.part AS part, r.watermark AS watermark, r.final_before AS final_before, r.version AS version\n" + from("watermarks_rows"),
		},
		{
			name: "rejected", comment: "Invalid records with their original bytes, kept seven days",
			columns: rejectedColumns(),
			// Without finalSettings: a record that is taken again after a crash may have another receive time, beyond midnight in another partition.
			query: "SELECT " + strings.Join(names(rejectedColumns()), ", ") + "\nFROM " + db + ".rejected_rows FINAL\nSETTINGS do_not_merge_across_partitions_select_final = 0",
		},
	}
}

func orderExprs(cols []column) []string {
	out := make([]string, len(cols))
	for i, c := range cols {
		switch c.name {
		case "buyer":
			out[i] = "lower(hex(r.buyer)) AS buyer"
		case "net_minor":
			out[i] = "r.paid_minor - r.refund_minor AS net_minor"
		default:
			out[i] = "r." + c.name + " AS " + c.name
		}
	}
	return out
}

func names(cols []column) []string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = c.name
	}
	return out
}
