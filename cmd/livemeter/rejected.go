package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

type rejectedCmd struct {
	List   rejectedListCmd   `cmd:"" default:"withargs" help:"Rejected records, newest first, and how many by reason and source (the default)."`
	Show   rejectedShowCmd   `cmd:"" help:"One rejected record: why, its bytes, and what would become of it now."`
	Replay rejectedReplayCmd `cmd:"" help:"Send again what is valid by now, for the time at which it was received."`
}

func (rejectedCmd) Help() string { return rejectedHelp }

const rejectedHelp = `Rejected records are kept for seven days. After a fix of livemeter or of a schema, replay sends those that are valid now to raw.replay: they
count as received when they were, outcomes moves them from invalid to accepted, and a record that is sent twice counts once.

Example:
    livemeter rejected list --reason bad_enum --since 2h
    livemeter rejected show raw.viewer/0/1234
    livemeter rejected replay --reason bad_enum --since 2h --dry-run`

// rejectedFilter says which records are meant.
type rejectedFilter struct {
	Reason string `help:"Only those that were rejected for this reason." placeholder:"bad_enum"`
	Since  string `help:"Received at that time or later: how long ago, or as 2026-11-24T16:00:00Z." placeholder:"2h"`
	Until  string `help:"Received before that time, in the same way." placeholder:"1h"`
	Source string `help:"Of this raw topic (with prefix), or of one of its partitions." placeholder:"TOPIC[/PARTITION]"`
}

func (f rejectedFilter) any() bool { return f != rejectedFilter{} }

// where is the filter in SQL.
func (f rejectedFilter) where(now time.Time) (text string, args []any, err error) {
	text = "1"
	add := func(condition string, arg any) { text += " AND " + condition; args = append(args, arg) }
	if f.Reason != "" {
		if _, ok := event.ReasonOf(f.Reason); !ok {
			return "", nil, usageError{fmt.Errorf("--reason %s: want one of %s", f.Reason, strings.Join(event.ReasonNames[1:], ", "))}
		}
		add("reason = ?", f.Reason)
	}
	for _, border := range []struct{ flag, text, condition string }{{"--since", f.Since, "received_ts >= fromUnixTimestamp64Milli(toInt64(?))"}, {"--until", f.Until, "received_ts < fromUnixTimestamp64Milli(toInt64(?))"}} {
		if border.text == "" {
			continue
		}
		at, err := instant(border.text, now)
		if err != nil {
			return "", nil, usageError{fmt.Errorf("%s %q: want how long ago (2h), or a time as 2026-11-24T16:00:00Z", border.flag, border.text)}
		}
		add(border.condition, at.UnixMilli())
	}
	if f.Source != "" {
		topic, partition, whole := strings.Cut(f.Source, "/")
		add("source_topic = ?", topic)
		if whole {
			n, err := strconv.ParseInt(partition, 10, 32)
			if err != nil {
				return "", nil, usageError{fmt.Errorf("--source %s: want TOPIC or TOPIC/PARTITION", f.Source)}
			}
			add("source_partition = ?", n)
		}
	}
	return text, args, nil
}

func instant(text string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	ago, err := config.ParseDuration(text)
	if err != nil || ago < 0 {
		return now, errors.New("no time")
	}
	return now.Add(-ago), nil
}

// placeOf is TOPIC/PARTITION/OFFSET in SQL.
func placeOf(text string) (condition string, args []any, err error) {
	parts := strings.Split(text, "/")
	if len(parts) == 3 {
		partition, err1 := strconv.ParseInt(parts[1], 10, 32)
		offset, err2 := strconv.ParseInt(parts[2], 10, 64)
		if err1 == nil && err2 == nil {
			return "(source_topic = ? AND source_partition = ? AND source_offset = ?)", []any{parts[0], partition, offset}, nil
		}
	}
	return "", nil, usageError{fmt.Errorf("%q: want TOPIC/PARTITION/OFFSET, as in raw.viewer/0/1234", text)}
}

// rejectedRow is a rejected record and what more is known of it.
type rejectedRow struct {
	rollup.Rejected
	cut      bool // events.rejected could not take all of its bytes
	replayed bool // it stands in raw.replay
}

// rejectedSource is the store and Kafka of a command, and what was replayed already.
type rejectedSource struct {
	cfg      *config.Config
	sink     *clickhouse.Sink
	replayer *service.Replayer
	replayed map[service.Place]service.Replay
}

func openRejected(ctx context.Context, w withConfig, g global, s streams) (*rejectedSource, error) {
	cfg, err := w.valid(g, s, config.Client)
	if err != nil {
		return nil, err
	}
	r := &rejectedSource{cfg: cfg}
	err = waiting(s, "waiting for ClickHouse at "+strings.Join(cfg.ClickHouse.Addr, ",")+" to answer", func() (err error) { r.sink, err = service.ReachStore(ctx, cfg); return err })
	if err != nil {
		return nil, err
	}
	if err := r.readReplayed(ctx, s); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *rejectedSource) readReplayed(ctx context.Context, s streams) (err error) {
	if err := waiting(s, "waiting for Kafka at "+strings.Join(r.cfg.Kafka.Brokers, ",")+" to answer", func() error { return service.ReachKafka(ctx, r.cfg) }); err != nil {
		return err
	}
	if r.replayer, err = service.NewReplayer(r.cfg); err != nil {
		return err
	}
	var read atomic.Int64
	return ui.During(sayTo(s.err), func() string {
		return fmt.Sprintf("reading what was replayed already, %s records", ui.Count(read.Load()))
	}, func() (err error) {
		r.replayed, err = r.replayer.Sent(ctx, func(n int) { read.Store(int64(n)) })
		return err
	})
}

func (r *rejectedSource) close() {
	if r.replayer != nil {
		r.replayer.Close()
	}
	r.sink.Close()
}

// each reads rejected records, with their bytes where they are wanted.
func (r *rejectedSource) each(ctx context.Context, where string, args []any, order string, bytes bool, take func(*rejectedRow) error) error {
	original := "''"
	if bytes {
		original = "original"
	}
	rows, err := r.sink.Conn().Query(ctx, "SELECT toString(source_topic), topic_id, source_partition, source_offset, toUnixTimestamp64Milli(received_ts), toString(reason), toString(field), "+
		original+", original_length, length(original) FROM "+r.cfg.ClickHouse.Database+".rejected WHERE "+where+" ORDER BY "+order, args...)
	if err != nil {
		return service.StoreError(r.cfg, err)
	}
	defer rows.Close()
	for rows.Next() {
		var row rejectedRow
		var id uuid.UUID
		var text string
		var kept uint64
		if err := rows.Scan(&row.Topic, &id, &row.Partition, &row.Offset, &row.ReceivedTS, &row.Reason, &row.Field, &text, &row.Length, &kept); err != nil {
			return err
		}
		row.TopicID, row.Original = id, []byte(text)
		row.cut = int64(kept) < row.Length
		_, row.replayed = r.replayed[service.PlaceOf(&row.Rejected)]
		if err := take(&row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return service.StoreError(r.cfg, err)
	}
	return nil
}

// judge is the verdict of this version over a rejected record; false where it was none that a producer had sent.
func (r *rejectedSource) judge(dec *event.Decoder, row *rejectedRow) (event.Verdict, bool) {
	name, ours := strings.CutPrefix(row.Topic, r.cfg.Kafka.Prefix)
	t := slices.Index(event.Arrivals, name)
	if !ours || t < 0 {
		return event.Verdict{}, false
	}
	return dec.Decode(event.Topic(t), row.Original, new(event.Event)), true
}

func placeText(row *rejectedRow) string {
	return fmt.Sprintf("%s/%d/%d", row.Topic, row.Partition, row.Offset)
}

func verdictText(v event.Verdict) string {
	if v.Reason == event.ReasonNone {
		return "accepted"
	}
	return strings.TrimSpace(v.Reason.String() + " " + v.Field)
}
