package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// OtherLogError: the views of the database show the numbers of another log of events than this one.
type OtherLogError struct {
	Database    string
	Shown, This uuid.UUID // of the topics `events`
	Epoch       uint16    // that is shown
}

func (e *OtherLogError) Error() string {
	return fmt.Sprintf("clickhouse: database %s shows the numbers of another log of events (topic id %s, epoch %d), not of this one (topic id %s): a pipeline, a Kafka or a kafka.prefix "+
		"of its own needs a database of its own (clickhouse.database, --clickhouse-database). Where that log is gone for good, or this one is to be shown again, start once with "+
		"--clickhouse-take-over: then the other one's numbers stay in the tables and are no longer shown", e.Database, e.Shown, e.Epoch, e.This)
}

// epochs is what the table says.
type epochs struct {
	highest, shown uint16 // 0 without one; shown is the highest active one
	shownID        uuid.UUID
	of             map[uuid.UUID]uint16
	newest         int64 // created_at of the newest line, ms
}

func (s *Sink) epochs(ctx context.Context) (out epochs, err error) {
	out.of = map[uuid.UUID]uint16{}
	query := fmt.Sprintf("SELECT epoch, events_topic_id, active, toUnixTimestamp64Milli(created_at) FROM %s.epochs FINAL ORDER BY epoch", s.cfg.Database)
	err = s.each(ctx, query, nil, func(scan func(...any) error) error {
		var epoch uint16
		var id uuid.UUID
		var active uint8
		var created int64
		if err := scan(&epoch, &id, &active, &created); err != nil {
			return err
		}
		out.highest, out.of[id], out.newest = epoch, epoch, max(out.newest, created)
		if active != 0 {
			out.shown, out.shownID = epoch, id
		}
		return nil
	})
	return out, err
}

// CheckEpoch says whether the database may show the numbers of this topic `events`: it is an *OtherLogError where it shows another's. It asks before
// anything is changed, and takes a database that is not there for one that may.
func (s *Sink) CheckEpoch(ctx context.Context, eventsTopicID [16]byte) error {
	all, err := s.epochs(ctx)
	if kind, _ := Explain(err); kind == Missing {
		return nil
	}
	if err != nil {
		return err
	}
	return s.mayShow(&all, eventsTopicID)
}

// ID tells this database from every other: it is that of the table epochs, which copies of a replicated database have in common, and a database that
// was dropped and made again has not. Zero where the database's engine gives tables none.
func (s *Sink) ID(ctx context.Context) (id uuid.UUID, err error) {
	query := fmt.Sprintf("SELECT uuid FROM system.tables WHERE database = %s AND name = 'epochs'", quote(s.cfg.Database))
	err = s.each(ctx, query, nil, func(scan func(...any) error) error { return scan(&id) })
	return id, err // zero, too, where there is no such table yet
}

// Stored is the offset up to which a partition of an epoch's log has told its rows, with a watermark: 0 where there are none of it.
func (s *Sink) Stored(ctx context.Context, epoch uint16, partition int32) (offset int64, err error) {
	query := fmt.Sprintf("SELECT toInt64(max(version)) FROM %s.watermarks_rows WHERE epoch = %d AND part = %d", s.cfg.Database, epoch, partition)
	err = s.each(ctx, query, nil, func(scan func(...any) error) error { return scan(&offset) })
	return offset, err
}

func (s *Sink) mayShow(all *epochs, id uuid.UUID) error {
	if s.cfg.TakeOver || all.shown == 0 || all.shownID == id {
		return nil
	}
	return &OtherLogError{s.cfg.Database, all.shownID, id, all.shown}
}

// EnsureEpoch returns the epoch of this topic `events`, which readers see from then on: see CheckEpoch. A topic that is not known yet gets the next
// number. All its partitions have a watermark there, 1970 at first: one that has not told its own yet holds every window open.
func (s *Sink) EnsureEpoch(ctx context.Context, eventsTopicID [16]byte, partitions int) (uint16, error) {
	id := uuid.UUID(eventsTopicID)
	all, err := s.epochs(ctx)
	if err != nil {
		return 0, err
	}
	if err := s.mayShow(&all, id); err != nil {
		return 0, err
	}
	epoch := all.of[id]
	if epoch == 0 {
		epoch, err = s.newEpoch(ctx, id, &all)
	} else if epoch != all.shown {
		err = s.showAgain(ctx, id, &all)
	}
	if err != nil {
		return 0, err
	}
	s.logID = id
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

func (s *Sink) newEpoch(ctx context.Context, id uuid.UUID, all *epochs) (uint16, error) {
	if all.highest == 1<<16-1 {
		return 0, fmt.Errorf("clickhouse: %s.epochs is full", s.cfg.Database)
	}
	if err := s.insertEpoch(ctx, all.highest+1, id, 1, all); err != nil {
		return 0, err
	}
	return all.highest + 1, s.checkShown(ctx, id)
}

// showAgain makes an older epoch the one that is shown: those above it are active no more.
func (s *Sink) showAgain(ctx context.Context, id uuid.UUID, all *epochs) error {
	epoch := all.of[id]
	if err := s.insertEpoch(ctx, epoch, id, 1, all); err != nil { // first: whatever is cut short, none below it is shown
		return err
	}
	for other, e := range all.of {
		if e > epoch {
			if err := s.insertEpoch(ctx, e, other, 0, all); err != nil {
				return err
			}
		}
	}
	return s.checkShown(ctx, id)
}

// checkShown reads back what was written: of two topics that start at the same moment one stands there in the end, and the other one is told.
func (s *Sink) checkShown(ctx context.Context, id uuid.UUID) error {
	all, err := s.epochs(ctx)
	if err == nil && all.shownID != id {
		err = fmt.Errorf("clickhouse: another topic events (id %s) was entered in %s.epochs at the same moment: two pipelines share this database; give one its own", all.shownID, s.cfg.Database)
	}
	return err
}

// insertEpoch writes a line that is newer than all that were read, whatever this host's clock and those of others say.
func (s *Sink) insertEpoch(ctx context.Context, epoch uint16, id uuid.UUID, active uint8, all *epochs) error {
	in := &insert{table: "epochs", rows: 1}
	fixed(in, "epoch", "UInt16", 2, []uint16{epoch})
	fixed(in, "events_topic_id", "UUID", 16, []uuid.UUID{id})
	fixed(in, "active", "UInt8", 1, []uint8{active})
	fixed(in, "created_at", ms, 8, []int64{max(time.Now().UnixMilli(), all.newest+1)})
	return s.insert(ctx, in)
}
