package clickhouse

import (
	"fmt"
	"slices"
	"strings"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// Parts that are not partitions of `events`.
const (
	partFolded = 65535 // the sum of closed partials, written by the roller
	partPeak   = 65534 // only `online`, of a longer window, written by the roller
	maxPart    = partPeak - 1
)

// grainType is the cheapest type that reads as '10s', '1m', …; its numbers are measure.Grain.
var grainType = func() string {
	items := make([]string, measure.NumGrains)
	for g, name := range measure.GrainNames {
		items[g] = fmt.Sprintf("'%s' = %d", name, g)
	}
	return "Enum8(" + strings.Join(items, ", ") + ")"
}()

// column is one column of a table or a view.
type column struct{ name, typ, comment string }

const (
	ms               = "DateTime64(3, 'UTC')"
	epochComment     = "Which log of events the row comes from; views show the active epoch of the table epochs alone"
	versComment      = "Offset in the log of events up to which the row is true; the highest of a key wins"
	genComment       = "Offset in the log of events that opened this generation of the partial"
	insertComment    = "When the row reached ClickHouse; what is new since is found by it"
	finalComment     = "Windows that end at this or before it are final: the watermark less the lateness"
	hoursComment     = "Hours that begin before this are final and read from rows of their own, later ones from those of their minutes"
	watermarkComment = "Whatever was received before this time is counted in the rows; 1970 while unknown"
)

var (
	partComment  = fmt.Sprintf("Partition of events that holds this partial; %d is the sum of folded partials, %d the peak of online", partFolded, partPeak)
	panesComment = fmt.Sprintf("Minutes: the six panes of 10 s, sparsely; keys are %d · pane + measure, %d is 1 if the pane changed after it was final, %d its updated_at",
		measure.PaneStride, measure.PaneLate, measure.PaneUpdated)
	stateComment = fmt.Sprintf("%d minutes: something but online counts in it, %d changed after the window was final, %d closed: never changes again, %d hours: changed after their day was final, %d no event of its own is in it",
		rollup.Counts, rollup.Late, rollup.Closed, rollup.LateDay, rollup.NoneOwn)
)

var subKeyComments = map[string]string{
	"sku_id":        "Product named by the event or the order line",
	"entry_source":  "entry_source of the view's first enter, '' without one",
	"campaign_id":   "campaign_id of the touch of the view's first enter, '' without one",
	"experiment_id": "Experiment named by the event, for whole views by their enter",
	"variant":       "Variant of the experiment",
	"currency":      "ISO 4217 currency of all amounts of the row; amounts of two currencies are never added",
}

// keyColumns are the columns that name a row for the analyst, in order.
func keyColumns(c measure.Cube) []column {
	out := []column{
		{"grain", grainType, "Length of the window: 10s, 1m, 1h in UTC; 1d in the shop's zone; session is the whole live session"},
		{"window_start", ms, "Start of the half-open window of event time; of a session the earliest event of the row: join sessions without it"},
		{"platform", "LowCardinality(String)", "Platform of the room"},
		{"room_id", "String", "Room; '' for orders that belong to none"},
		{"live_session_id", "String", "Live session of the room; '' where the event names none"},
	}
	for _, k := range measure.SubKeys[c] {
		out = append(out, column{k, subKeyType(k), subKeyComments[k]})
	}
	return out
}

func subKeyType(name string) string {
	if name == "currency" {
		return "LowCardinality(String)"
	}
	return "String"
}

// RowsTable is the name of the table with a cube's partial rows: room_measures has room_rows, room_money has room_money_rows.
func RowsTable(c measure.Cube) string {
	return strings.TrimSuffix(measure.CubeTables[c], "_measures") + "_rows"
}

// sortKey is a cube's key after (epoch, grain, week): everything that FINAL takes the highest version by. The week stands in front so
// that one hour over all rooms needs no scan of three years.
func sortKey(c measure.Cube) []string {
	out := []string{"platform", "room_id", "live_session_id"}
	out = append(out, measure.SubKeys[c]...)
	return append(out, "window_start")
}

func rowsColumns(c measure.Cube) []column {
	out := []column{{"epoch", "UInt16", epochComment}}
	out = append(out, keyColumns(c)...)
	out = append(out,
		column{"part", "UInt16", partComment},
		column{"gen", "UInt64", genComment},
		column{"version", "UInt64", versComment},
		column{"deleted", "UInt8", "1: this partial is contained in the folded row and gone"},
		column{"state", "UInt8", stateComment},
		column{"first_event", ms, "Earliest event time in the row; 2100 where no event is its own"},
		column{"updated_at", ms, updatedComment},
		column{"inserted_at", "DateTime DEFAULT now()", insertComment},
		column{"runs", "Array(Int64)", "Three watermarks a partial, ms: its first event, the session's gap after its last, its newest event that was later than the gap or 0"},
		column{"contains", "Map(UInt16, UInt64)", "Folded rows: per partition of events the highest generation that is contained"},
	)
	for _, name := range paneColumns {
		out = append(out, column{name, paneTypes[name], panesComment})
	}
	for _, m := range measure.RowColumns[c] {
		out = append(out, column{m.Name, "Int64", m.Comment})
	}
	return out
}

// table is one CREATE TABLE.
type table struct {
	name, comment string
	columns       []column
	indexes       []string
	engine        string
	partition     string
	primary       string
	order         string
	ttl           string
	paneTTL       string // of the columns of panes
	settings      string
}

func (t table) ddl(db string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE IF NOT EXISTS %s.%s\n(\n", db, t.name)
	lines := make([]string, 0, len(t.columns)+len(t.indexes))
	for _, c := range t.columns {
		line := fmt.Sprintf("    `%s` %s COMMENT %s", c.name, c.typ, quote(c.comment))
		if t.paneTTL != "" && slices.Contains(paneColumns, c.name) {
			line += " TTL " + t.paneTTL
		}
		lines = append(lines, line)
	}
	for _, i := range t.indexes {
		lines = append(lines, "    "+i)
	}
	b.WriteString(strings.Join(lines, ",\n") + "\n)\nENGINE = " + t.engine)
	for _, clause := range [][2]string{{"PARTITION BY ", t.partition}, {"PRIMARY KEY ", t.primary}, {"ORDER BY ", t.order}, {"TTL ", t.ttl}, {"SETTINGS ", t.settings}} {
		if clause[1] != "" {
			b.WriteString("\n" + clause[0] + clause[1])
		}
	}
	b.WriteString("\nCOMMENT " + quote(t.fullComment()))
	return b.String()
}

func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// A quiet day is merged into one part: FINAL is then nearly free, and every tombstone has met what it hides. Merges cost more than the
// inserts before them, and a quarter of it less with columns of zeros stored plainly and with small parts in one file.
const rowsSettings = "min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1, " +
	"ratio_of_defaults_for_sparse_serialization = 1, min_bytes_for_wide_part = 67108864"

// Each partition an INSERT touches costs 2 to 5 ms of CPU, so there are two kinds only: a day of minutes, and all else. partitionOf counts those of an
// INSERT: the two change together.
const rowsPartition = "(epoch, if(grain IN ('10s', '1m'), toYYYYMMDD(window_start), 0))"

func partitionOf(grain uint8, window int64) int32 {
	if measure.Grain(grain) <= measure.Grain1m {
		return int32(window/measure.DayMS) + 1
	}
	return 0
}

func rowsTable(c measure.Cube, cfg Config) table {
	key := strings.Join(sortKey(c), ", ")
	return table{
		name:    RowsTable(c),
		comment: "Partial rows of " + measure.CubeTables[c] + ": query the view, which adds them up",
		columns: rowsColumns(c),
		// By arrival the roller finds what is new; by window days find their hours, which their start in the shop's zone does not do by the key.
		indexes:   []string{"INDEX seen (inserted_at, window_start) TYPE minmax GRANULARITY 1"},
		engine:    "ReplacingMergeTree(version, deleted)",
		partition: rowsPartition,
		// Without window_start: with it here, ClickHouse would look for a window at the end of the key and not by its week.
		primary:  "(epoch, grain, toMonday(window_start), " + strings.TrimSuffix(key, ", window_start") + ")",
		order:    "(epoch, grain, toMonday(window_start), " + key + ", part, gen)",
		ttl:      rowsTTL(cfg.TTLDays),
		paneTTL:  paneTTL(cfg.TTLDays),
		settings: rowsSettings,
	}
}

func tables(cfg Config) []table {
	var out []table
	for c := measure.Cube(0); c < measure.NumCubes; c++ {
		out = append(out, rowsTable(c, cfg))
	}
	return append(out, otherTables(cfg)...)
}
