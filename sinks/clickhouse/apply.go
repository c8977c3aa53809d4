package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"go.uber.org/zap"
)

// Apply makes the schema: the database, missing tables, missing columns, other retention, and views that differ. It is idempotent, and
// several processes may do it at once. It never drops or retypes anything. Where nothing is to be done it asks five questions: each start of each
// process pays for them. made says how many tables and views there were not.
func (s *Sink) Apply(ctx context.Context) (made int, err error) {
	defer s.tellSlow("checking the schema of database " + s.cfg.Database)()
	if err := s.exec(ctx, "database "+s.cfg.Database, "CREATE DATABASE IF NOT EXISTS "+s.cfg.Database); err != nil {
		return 0, err
	}
	wanted := tables(s.cfg)
	have, err := s.look(ctx, wanted)
	if err != nil {
		return 0, err
	}
	made, err = s.makeMissing(ctx, have, wanted)
	if err == nil && made > 0 { // by us or at the same time by another
		have, err = s.look(ctx, wanted)
	}
	if err != nil {
		return made, err
	}
	for _, t := range wanted {
		if err := s.applyTable(ctx, have, t); err != nil {
			return made, err
		}
	}
	views, err := s.applyViews(ctx, have)
	return made + views, err
}

// slowApply is how long a start may be silent.
const slowApply = 2 * time.Second

// tellSlow logs what is being done when it takes long, until its result is called.
func (s *Sink) tellSlow(what string) (done func()) {
	t := time.AfterFunc(slowApply, func() { s.log.Info(what+": ClickHouse takes its time", zap.Strings("addr", s.cfg.Addr)) })
	return func() { t.Stop() }
}

// makeMissing makes tables in their order: new ones of a later version belong at its end.
func (s *Sink) makeMissing(ctx context.Context, have *present, wanted []table) (made int, err error) {
	last := -1 // of those that are there
	for i, t := range wanted {
		if _, there := have.comments[t.name]; there {
			last = i
		}
	}
	for i, t := range wanted {
		if _, there := have.comments[t.name]; there {
			continue
		}
		if i < last { // they are made in this order
			s.log.Warn("a table is missing in a database that has later ones: if it was dropped, what it held is lost and will not be written again by itself. "+
				"It is made anew; to count again what the log holds, see docs/operations.md", zap.String("database", s.cfg.Database), zap.String("table", t.name))
		}
		if err := s.exec(ctx, "table "+t.name, t.ddl(s.cfg.Database)); err != nil {
			return made, err
		}
		made++
	}
	return made, nil
}

func (s *Sink) applyViews(ctx context.Context, have *present) (made int, err error) {
	for _, v := range views(s.cfg, have.merges) {
		plain := v.comment // of one that an earlier version printed and somebody made by hand
		v = v.marked(s.cfg.Database)
		comment, there := have.comments[v.name]
		if comment == v.comment {
			continue
		}
		if engine := have.engines[v.name]; there && (engine != "View" || comment != plain && !ofFingerprint.MatchString(comment)) { // it would be replaced
			return made, fmt.Errorf("clickhouse: %s.%s is not livemeter's (%s, comment %q), and a view of that name is needed: rename yours (RENAME TABLE)",
				s.cfg.Database, v.name, engine, comment)
		}
		if err := s.exec(ctx, "view "+v.name, v.ddl(s.cfg.Database)); err != nil {
			return made, err
		}
		if !there {
			made++
		}
	}
	return made, nil
}

// ofFingerprint is what the comments of our views, of any version, end with.
var ofFingerprint = regexp.MustCompile(` \([0-9a-f]{12}\)$`)

func fingerprint(ddl string) string {
	sum := sha256.Sum256([]byte(ddl))
	return " (" + hex.EncodeToString(sum[:6]) + ")"
}

func (s *Sink) applyTable(ctx context.Context, have *present, t table) error {
	name := s.cfg.Database + "." + t.name
	for _, c := range t.columns {
		if !have.columns[[2]string{t.name, c.name}] {
			ddl := fmt.Sprintf("ALTER TABLE %s ADD COLUMN IF NOT EXISTS `%s` %s COMMENT %s", name, c.name, c.typ, quote(c.comment))
			if err := s.exec(ctx, "column "+t.name+"."+c.name, ddl); err != nil {
				return err
			}
		}
	}
	for _, o := range optionalSettings {
		if !t.mergesRows() || !have.known[o.name] || strings.Contains(have.ddl[t.name], o.name) {
			continue
		}
		if err := s.exec(ctx, "settings of "+name, "ALTER TABLE "+name+" MODIFY SETTING "+o.name+" = "+o.value); err != nil {
			return err
		}
	}
	comment := have.comments[t.name]
	if comment == t.fullComment() {
		return nil
	}
	for _, change := range t.retentionChanges(comment) {
		// Rows that are there already follow at their next merge.
		if err := s.exec(ctx, "retention of "+t.name, "ALTER TABLE "+name+" "+change+" SETTINGS materialize_ttl_after_modify = 0"); err != nil {
			return err
		}
	}
	return s.exec(ctx, "comment of "+t.name, "ALTER TABLE "+name+" MODIFY COMMENT "+quote(t.fullComment()))
}

// mergesRows: it is a table of rollups, which gets the optional settings.
func (t table) mergesRows() bool {
	return strings.HasPrefix(t.engine, "ReplacingMergeTree(version, deleted)")
}

// optionalSettings are set where the server knows them: in the CREATE they would be an error for older ones.
//
//   - Merges take more parts at a time than the default of 5 (24.10 and later): a row is merged less often, which saves a fifth of all that
//     it costs the server, for some more parts under FINAL.
//   - Each column of a part begins with a small buffer instead of a megabyte, whose pages the kernel has to clear first: half of the CPU time
//     of an INSERT of 5,000 rows into 50 columns.
var optionalSettings = []struct{ name, value string }{
	{"merge_selector_base", "12"},
	{"min_columns_to_activate_adaptive_write_buffer", "1"},
}

// present is what the database has, and what the server knows.
type present struct {
	comments map[string]string  // of tables and views
	engines  map[string]string  // of tables; of views View
	columns  map[[2]string]bool // table, column
	ddl      map[string]string  // of tables with optional settings
	known    map[string]bool    // optional settings
	merges   bool               // mergesByGrain
}

// look asks system.tables by its columns database and name: by an expression of them ClickHouse would look at every table of the server. And it has
// the text of a CREATE written only where that is wanted.
func (s *Sink) look(ctx context.Context, wanted []table) (*present, error) {
	have := &present{map[string]string{}, map[string]string{}, map[[2]string]bool{}, map[string]string{}, map[string]bool{}, false}
	var all, merging, settings []string
	for _, t := range wanted {
		all = append(all, quote(t.name))
		if t.mergesRows() {
			merging = append(merging, quote(t.name))
		}
	}
	for _, o := range optionalSettings {
		settings = append(settings, quote(o.name))
	}
	in := func(names []string) string { return " IN (" + strings.Join(names, ", ") + ")" }
	here := "database = " + quote(s.cfg.Database)
	return have, errors.Join(
		s.each(ctx, "SELECT name, comment, engine FROM system.tables WHERE "+here, nil, func(scan func(...any) error) error {
			var name, comment, engine string
			err := scan(&name, &comment, &engine)
			have.comments[name], have.engines[name] = comment, engine
			return err
		}),
		s.pairs(ctx, "SELECT table, name FROM system.columns WHERE "+here+" AND table"+in(all), func(table, name string) { have.columns[[2]string{table, name}] = true }),
		s.pairs(ctx, "SELECT name, create_table_query FROM system.tables WHERE "+here+" AND name"+in(merging), func(name, ddl string) { have.ddl[name] = ddl }),
		s.pairs(ctx, "SELECT name, value FROM system.merge_tree_settings WHERE name"+in(settings)+" UNION ALL SELECT '', version()", func(name, value string) {
			if name == "" {
				have.merges = mergesAt(value)
			} else {
				have.known[name] = true
			}
		}))
}

func (s *Sink) pairs(ctx context.Context, query string, f func(a, b string)) error {
	return s.each(ctx, query, nil, func(scan func(...any) error) error {
		var a, b string
		err := scan(&a, &b)
		f(a, b)
		return err
	})
}

func (s *Sink) exec(ctx context.Context, what, ddl string) error {
	if err := s.conn.Exec(ctx, ddl); err != nil {
		return fmt.Errorf("clickhouse: %s: %w", what, s.cause(err))
	}
	return nil
}

// asked is an error of a query, with the query where the server has seen it.
func (s *Sink) asked(err error, query string) error {
	err = s.cause(err)
	if away := (*NoAnswerError)(nil); errors.As(err, &away) {
		return fmt.Errorf("clickhouse: %w", err)
	}
	return fmt.Errorf("clickhouse: %w; asked was %s", err, firstLine(query))
}

// each runs a query and hands every row to f.
func (s *Sink) each(ctx context.Context, query string, args []any, f func(scan func(...any) error) error) error {
	rows, err := s.conn.Query(ctx, query, args...)
	if err != nil {
		return s.asked(err, query)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return s.asked(err, query)
		}
	}
	if err := rows.Err(); err != nil {
		return s.asked(err, query)
	}
	return nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
