package clickhouse

import (
	"fmt"
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

// marked has the text that it is made from in its comment: ClickHouse keeps its own rendering of the query.
func (v view) marked(db string) view {
	v.comment += fingerprint(v.ddl(db))
	return v
}

// finalSettings: FINAL needs to look for a key in one partition only, where the partition is a function of the key. And what is asked of the key alone may be
// asked before FINAL (ClickHouse asks nothing else then: another version of a row may answer otherwise): so it compares the rows of the rooms that
// are asked for, not of all in their granules. Settings are of one SELECT: each that has a FINAL needs them.
const finalSettings = "SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_move_to_prewhere_if_final = 1"

func activeEpoch(db string) string {
	return fmt.Sprintf("r.epoch = (SELECT max(epoch) FROM %s.epochs FINAL WHERE active = 1)", db)
}

// views stand in the order in which they are made. With merge those of cubes read others by merge().
func views(cfg Config, merge bool) []view {
	var out []view
	for c := measure.Cube(0); c < measure.NumCubes; c++ {
		out = append(out, cubeViews(c, cfg, merge)...)
	}
	return append(out, otherViews(cfg)...)
}

// DDL is what Apply executes on an empty server, statement by statement, where that is a mergesByGrain.
func DDL(cfg Config) []string {
	cfg = cfg.WithDefaults()
	out := []string{"CREATE DATABASE IF NOT EXISTS " + cfg.Database}
	for _, t := range tables(cfg) {
		out = append(out, t.ddl(cfg.Database))
	}
	for _, v := range views(cfg, true) {
		out = append(out, v.marked(cfg.Database).ddl(cfg.Database))
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
	for _, v := range views(cfg, true) {
		grant(role(v.name), v.name)
	}
	return out
}
