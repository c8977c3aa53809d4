package clickhouse

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/livemeter/livemeter/pipeline/measure"
)

// What an audit asks of the tables themselves, whose rows still name the partition of `events` that counted: views add them up.

// Shown is the log whose numbers the views show.
type Shown struct {
	Epoch         uint16 // 0 where there is none
	EventsTopicID uuid.UUID
	Since         int64 // when it was entered, or shown again, ms
	Alone         bool  // there was no other one in this database
}

// Shown asks which log the views show.
func (s *Sink) Shown(ctx context.Context) (out Shown, err error) {
	query := fmt.Sprintf(`SELECT epoch, events_topic_id, toUnixTimestamp64Milli(created_at), (SELECT count() FROM %[1]s.epochs FINAL) = 1
FROM %[1]s.epochs FINAL WHERE active = 1 ORDER BY epoch DESC LIMIT 1`, s.cfg.Database)
	err = s.each(ctx, query, nil, func(scan func(...any) error) error {
		return scan(&out.Epoch, &out.EventsTopicID, &out.Since, &out.Alone)
	})
	return out, err
}

// Accepted is how many events of one raw topic a partition of `events` has accepted.
type Accepted struct {
	Part    uint16
	Topic   string // with prefix
	Records int64
	Oldest  int64 // their first minute of receive time, ms
}

// Accepted adds up what the epoch that is shown has accepted.
func (s *Sink) Accepted(ctx context.Context) (out []Accepted, err error) {
	query := fmt.Sprintf(`SELECT r.part, toString(r.source_topic), sum(r.records), toUnixTimestamp64Milli(min(r.minute)) FROM %[1]s.outcomes_rows AS r FINAL
WHERE %[2]s AND r.outcome = 'accepted' GROUP BY r.part, r.source_topic ORDER BY r.part, r.source_topic %[3]s`, s.cfg.Database, activeEpoch(s.cfg.Database), finalSettings)
	err = s.each(ctx, query, nil, func(scan func(...any) error) error {
		var a Accepted
		err := scan(&a.Part, &a.Topic, &a.Records, &a.Oldest)
		out = append(out, a)
		return err
	})
	return out, err
}

// EventsByPart adds up the measure `events` of all rooms' minutes by the partition of `events` that counted. Minutes are never folded.
func (s *Sink) EventsByPart(ctx context.Context) (map[uint16]int64, error) {
	query := fmt.Sprintf(`SELECT r.part, sum(r.events) FROM %[1]s.%[2]s AS r FINAL WHERE %[3]s AND r.grain = '1m' AND r.part <= %[4]d GROUP BY r.part %[5]s`,
		s.cfg.Database, RowsTable(measure.Room), activeEpoch(s.cfg.Database), maxPart, finalSettings)
	return s.byPart(ctx, query)
}

func (s *Sink) byPart(ctx context.Context, query string) (map[uint16]int64, error) {
	out := map[uint16]int64{}
	err := s.each(ctx, query, nil, func(scan func(...any) error) error {
		var part uint16
		var n int64
		err := scan(&part, &n)
		out[part] = n
		return err
	})
	return out, err
}

// EventsOfHours adds up the measure `events` of all rooms as the view of hours shows it: final hours from rows of their own, folded or not, later ones
// from their minutes.
func (s *Sink) EventsOfHours(ctx context.Context) (n int64, err error) {
	query := fmt.Sprintf("SELECT toInt64(sum(events)) FROM %s.%s WHERE grain = '1h'", s.cfg.Database, measure.CubeTables[measure.Room])
	err = s.each(ctx, query, nil, func(scan func(...any) error) error { return scan(&n) })
	return n, err
}
