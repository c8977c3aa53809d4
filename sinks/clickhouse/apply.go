package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// Apply makes the schema: the database, missing tables, missing columns, other retention, and views that differ. It is idempotent, and
// several processes may do it at once. It never drops or retypes anything.
func (s *Sink) Apply(ctx context.Context) error {
	if err := s.exec(ctx, "database "+s.cfg.Database, "CREATE DATABASE IF NOT EXISTS "+s.cfg.Database); err != nil {
		return err
	}
	for _, t := range tables(s.cfg) {
		if err := s.applyTable(ctx, t); err != nil {
			return err
		}
	}
	comments, err := s.comments(ctx)
	if err != nil {
		return err
	}
	for _, v := range views(s.cfg) {
		v.comment += fingerprint(v.ddl(s.cfg.Database))
		if comments[v.name] == v.comment {
			continue
		}
		if err := s.exec(ctx, "view "+v.name, v.ddl(s.cfg.Database)); err != nil {
			return err
		}
	}
	return nil
}

// fingerprint marks a view with the text it was made from: ClickHouse keeps its own rendering of the query.
func fingerprint(ddl string) string {
	sum := sha256.Sum256([]byte(ddl))
	return " (" + hex.EncodeToString(sum[:6]) + ")"
}

func (s *Sink) applyTable(ctx context.Context, t table) error {
	if err := s.exec(ctx, "table "+t.name, t.ddl(s.cfg.Database)); err != nil {
		return err
	}
	have, err := s.columnNames(ctx, t.name)
	if err != nil {
		return err
	}
	name := s.cfg.Database + "." + t.name
	for _, c := range t.columns {
		if !have[c.name] {
			ddl := fmt.Sprintf("ALTER TABLE %s ADD COLUMN IF NOT EXISTS `%s` %s COMMENT %s", name, c.name, c.typ, quote(c.comment))
			if err := s.exec(ctx, "column "+t.name+"."+c.name, ddl); err != nil {
				return err
			}
		}
	}
	if strings.HasPrefix(t.engine, "ReplacingMergeTree(version, deleted)") {
		if err := s.applyOptional(ctx, name); err != nil {
			return err
		}
	}
	comments, err := s.comments(ctx)
	if err != nil || comments[t.name] == t.fullComment() {
		return err
	}
	for _, change := range t.retentionChanges(comments[t.name]) {
		// Rows that are there already follow at their next merge.
		if err := s.exec(ctx, "retention of "+t.name, "ALTER TABLE "+name+" "+change+" SETTINGS materialize_ttl_after_modify = 0"); err != nil {
			return err
		}
	}
	return s.exec(ctx, "comment of "+t.name, "ALTER TABLE "+name+" MODIFY COMMENT "+quote(t.fullComment()))
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

func (s *Sink) applyOptional(ctx context.Context, table string) error {
	for _, o := range optionalSettings {
		var known, set bool
		err := s.conn.QueryRow(ctx, `SELECT
  (SELECT count() FROM system.merge_tree_settings WHERE name = ?) > 0,
  (SELECT count() FROM system.tables WHERE concat(database, '.', name) = ? AND position(create_table_query, ?) > 0) > 0`, o.name, table, o.name).Scan(&known, &set)
		if err != nil {
			return fmt.Errorf("clickhouse: settings of %s: %w", table, err)
		}
		if !known || set {
			continue
		}
		if err := s.exec(ctx, "settings of "+table, "ALTER TABLE "+table+" MODIFY SETTING "+o.name+" = "+o.value); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sink) exec(ctx context.Context, what, ddl string) error {
	if err := s.conn.Exec(ctx, ddl); err != nil {
		return fmt.Errorf("clickhouse: %s: %w", what, err)
	}
	return nil
}

func (s *Sink) comments(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	return out, s.each(ctx, "SELECT name, comment FROM system.tables WHERE database = ?", []any{s.cfg.Database}, func(scan func(...any) error) error {
		var name, comment string
		err := scan(&name, &comment)
		out[name] = comment
		return err
	})
}

func (s *Sink) columnNames(ctx context.Context, table string) (map[string]bool, error) {
	out := map[string]bool{}
	return out, s.each(ctx, "SELECT name FROM system.columns WHERE database = ? AND table = ?", []any{s.cfg.Database, table}, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		out[name] = true
		return err
	})
}

// each runs a query and hands every row to f.
func (s *Sink) each(ctx context.Context, query string, args []any, f func(scan func(...any) error) error) error {
	rows, err := s.conn.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("clickhouse: %s: %w", firstLine(query), err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return fmt.Errorf("clickhouse: %s: %w", firstLine(query), err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("clickhouse: %s: %w", firstLine(query), err)
	}
	return nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// EnsureEpoch returns the epoch of this topic `events`. A topic that is not known yet gets the next number and becomes what readers see. All its
// partitions have a watermark there, 1970 at first: one that has not told its own yet holds every window open.
func (s *Sink) EnsureEpoch(ctx context.Context, eventsTopicID [16]byte, partitions int) (uint16, error) {
	id := uuid.UUID(eventsTopicID)
	epoch, highest, err := s.epochOf(ctx, id)
	if err != nil {
		return 0, err
	}
	if epoch == 0 {
		if epoch, err = s.newEpoch(ctx, id, highest); err != nil {
			return 0, err
		}
	}
	unknown := make([]rollup.Watermark, partitions) // the highest holds: what has been told stays
	for p := range unknown {
		unknown[p].Part = uint16(p)
	}
	for _, in := range watermarkInserts(epoch, unknown) {
		if err := s.insert(ctx, in); err != nil {
			return 0, err
		}
	}
	return epoch, nil
}

func (s *Sink) newEpoch(ctx context.Context, id uuid.UUID, highest uint16) (uint16, error) {
	if highest == 1<<16-1 {
		return 0, fmt.Errorf("clickhouse: %s.epochs is full", s.cfg.Database)
	}
	in := &insert{table: "epochs", rows: 1}
	fixed(in, "epoch", "UInt16", 2, []uint16{highest + 1})
	fixed(in, "events_topic_id", "UUID", 16, []uuid.UUID{id})
	fixed(in, "active", "UInt8", 1, []uint8{1})
	fixed(in, "created_at", ms, 8, []int64{time.Now().UnixMilli()})
	if err := s.insert(ctx, in); err != nil {
		return 0, err
	}
	// Two topics that start at the same moment take the same number: the one that does not stand there in the end is told.
	epoch, _, err := s.epochOf(ctx, id)
	if err == nil && epoch == 0 {
		err = fmt.Errorf("clickhouse: epoch %d of %s was taken by another topic events at the same moment: two pipelines share this database; give one its own", highest+1, s.cfg.Database)
	}
	return epoch, err
}

// epochOf returns the epoch of a topic, 0 if it has none, and the highest epoch of all.
func (s *Sink) epochOf(ctx context.Context, id uuid.UUID) (epoch, highest uint16, err error) {
	query := fmt.Sprintf("SELECT maxIf(epoch, events_topic_id = ?), max(epoch) FROM %s.epochs FINAL", s.cfg.Database)
	if err := s.conn.QueryRow(ctx, query, id.String()).Scan(&epoch, &highest); err != nil {
		return 0, 0, fmt.Errorf("clickhouse: epochs: %w", err)
	}
	return epoch, highest, nil
}
