package clickhouse

import (
	"fmt"
	"slices"
	"strings"

	"github.com/livemeter/livemeter/pipeline/measure"
)

// view is one CREATE VIEW.
type view struct {
	name, comment string
	columns       []column
	query         string
}

func (v view) ddl(db string) string {
	lines := make([]string, len(v.columns))
	for i, c := range v.columns {
		lines[i] = fmt.Sprintf("    `%s` %s COMMENT %s", c.name, c.typ, quote(c.comment))
	}
	return fmt.Sprintf("CREATE OR REPLACE VIEW %s.%s\n(\n%s\n)\nAS\n%s\nCOMMENT %s", db, v.name, strings.Join(lines, ",\n"), v.query, quote(v.comment))
}

// FINAL needs to look for a key in one partition only, since the partition is a function of the key.
const viewSettings = "SETTINGS do_not_merge_across_partitions_select_final = 1"

func activeEpoch(db string) string {
	return fmt.Sprintf("r.epoch = (SELECT max(epoch) FROM %s.epochs FINAL WHERE active = 1)", db)
}

// readMeasure is a measure as the analyst's view shows it.
type readMeasure struct {
	column
	expr string
}

func readMeasures(c measure.Cube) []readMeasure {
	var out []readMeasure
	for _, m := range measure.Columns[c] {
		// Names are qualified: an alias of the same SELECT must not be taken for the column.
		expr := "sum(r." + storedName(c, m) + ")"
		out = append(out, readMeasure{column{m.Name, "Int64", m.Comment}, expr})
	}
	if c == measure.RoomMoney || c == measure.SKUMoney {
		out = append(out, readMeasure{column{"net_minor", "Int64", "gmv_paid_minor − refund_minor_by_order"},
			"sum(r.gmv_paid_minor) - sum(r.refund_minor_by_order)"})
	}
	// beyond_horizon says how far the others can be trusted: it stands before them.
	i := slices.IndexFunc(out, func(m readMeasure) bool { return m.name == "beyond_horizon" })
	if i > 0 {
		b := out[i]
		out = slices.Insert(slices.Delete(out, i, i+1), 0, b)
	}
	return out
}

const (
	statusComment  = "provisional: the window still moves; final: the watermark has passed it; corrected: it changed after that"
	updatedComment = "Receive time of the last event in the row"
)

// cubeView adds up a cube's partials. Windows and sessions are two SELECTs, so that a predicate on window_start is one on the key for all
// but the session grain, where it is the earliest event.
func cubeView(c measure.Cube, cfg Config) view {
	measures := readMeasures(c)
	columns := append(slices.Clone(keyColumns(c)), column{"status", "LowCardinality(String)", statusComment}, column{"updated_at", ms, updatedComment})
	for _, m := range measures {
		columns = append(columns, m.column)
	}
	late := fmt.Sprintf("r.window_start + toIntervalSecond(multiIf(r.grain = '10s', 10, r.grain = '1m', 60, r.grain = '1h', 3600, 86400) + %d) > now()",
		int(cfg.Lateness.Seconds()))
	return view{
		name:    measure.CubeTables[c],
		comment: cubeComments[c],
		columns: columns,
		query:   cubeSelect(c, cfg, measures, true, late) + "\nUNION ALL\n" + cubeSelect(c, cfg, measures, false, "") + "\n" + viewSettings,
	}
}

// sessionCorrected says whether an event came to a live session that had been final: a run began after others when none of them was live, or an event
// that was an hour late came when no run was, its own included. The partials' own state can't tell: another partition may hold the session's last event.
const sessionCorrected = `arrayExists(t -> arrayExists(k ->
        (arrayExists(j -> j.1 < k.1, t) AND NOT arrayExists(j -> j.1 < k.1 AND j.2 > k.1, t))
        OR (k.3 > 0 AND NOT arrayExists(j -> j.1 <= k.3 AND j.2 > k.3, t)), t),
      arrayMap(x -> arrayMap(i -> (x[i], x[i + 1], x[i + 2]), range(1, length(x), 3)), [groupArrayArray(r.runs)]))`

var cubeComments = [measure.NumCubes]string{
	measure.Room:      "Measures of each room, window by window",
	measure.SKU:       "Measures of each product in a room",
	measure.Source:    "Measures of whole views by entry source and campaign, in the window of their enter",
	measure.Variant:   "Measures of each room by experiment variant",
	measure.RoomMoney: "Money of each room by currency, in minor units",
	measure.SKUMoney:  "Money of each product in a room by currency, in minor units",
}

func cubeSelect(c measure.Cube, cfg Config, measures []readMeasure, windows bool, late string) string {
	keys, corrected := []string{"r.grain"}, "max(bitAnd(r.state, 2)) = 2"
	sel := []string{"r.grain AS grain"}
	grain, open := "r.grain = 'session'", "min(bitAnd(r.state, 5)) = 0"
	if windows {
		keys, sel = append(keys, "r.window_start"), append(sel, "r.window_start AS window_start")
		grain, open = "r.grain != 'session'", open+" OR "+late
	} else {
		sel = append(sel, "min(r.first_event) AS window_start")
		// It was final once, so it is not provisional again. Of the windows one that still moves is.
		corrected = sessionCorrected
		open += " AND NOT " + corrected
	}
	for _, k := range sortKey(c) {
		if k != "window_start" {
			keys, sel = append(keys, "r."+k), append(sel, "r."+k+" AS "+k)
		}
	}
	sel = append(sel,
		fmt.Sprintf("multiIf(%s, 'provisional', %s, 'corrected', 'final') AS status", open, corrected),
		"max(r.updated_at) AS updated_at")
	for _, m := range measures {
		sel = append(sel, m.expr+" AS "+m.name)
	}
	return fmt.Sprintf("SELECT\n    %s\nFROM %s.%s AS r FINAL\nWHERE %s AND %s\nGROUP BY %s",
		strings.Join(sel, ",\n    "), cfg.Database, RowsTable(c), activeEpoch(cfg.Database), grain, strings.Join(keys, ", "))
}

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
				from("outcomes_rows") + "\nGROUP BY r.source_topic, r.source_partition, r.minute, r.outcome, r.reason\n" + viewSettings,
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
				{"watermark", ms, "No event received before this is still to come; 1970 while unknown"},
				{"version", "UInt64", "Offset in this partition"},
			},
			query: "SELECT r.part AS part, r.watermark AS watermark, r.version AS version\n" + from("watermarks_rows"),
		},
		{
			name: "rejected", comment: "Invalid records with their original bytes, kept seven days",
			columns: rejectedColumns(),
			query:   "SELECT " + strings.Join(names(rejectedColumns()), ", ") + "\nFROM " + db + ".rejected_rows FINAL\n" + viewSettings,
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

func views(cfg Config) []view {
	var out []view
	for c := measure.Cube(0); c < measure.NumCubes; c++ {
		out = append(out, cubeView(c, cfg))
	}
	return append(out, otherViews(cfg)...)
}

// DDL is what Apply executes on an empty server, statement by statement.
func DDL(cfg Config) []string {
	cfg = cfg.WithDefaults()
	out := []string{"CREATE DATABASE IF NOT EXISTS " + cfg.Database}
	for _, t := range tables(cfg) {
		out = append(out, t.ddl(cfg.Database))
	}
	for _, v := range views(cfg) {
		out = append(out, v.ddl(cfg.Database))
	}
	return out
}

// RolesDDL is for an administrator to run where access control is in use; Apply leaves access alone. Views run with the rights of who
// queries them, so the tables behind them are granted too. Only rejected_reader sees original bytes.
func RolesDDL(cfg Config) []string {
	cfg = cfg.WithDefaults()
	db := cfg.Database
	out := []string{"CREATE ROLE IF NOT EXISTS " + db + "_analyst", "CREATE ROLE IF NOT EXISTS " + db + "_rejected_reader"}
	grant := func(role, name string) { out = append(out, fmt.Sprintf("GRANT SELECT ON %s.%s TO %s", db, name, role)) }
	role := func(name string) string {
		if strings.HasPrefix(name, "rejected") {
			return db + "_rejected_reader"
		}
		return db + "_analyst"
	}
	for _, t := range tables(cfg) {
		grant(role(t.name), t.name)
	}
	for _, v := range views(cfg) {
		grant(role(v.name), v.name)
	}
	return out
}
