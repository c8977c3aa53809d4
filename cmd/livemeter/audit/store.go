package audit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// each asks the views, as an analyst does.
func (a *audit) each(ctx context.Context, query string, row func(scan func(...any) error) error) error {
	rows, err := a.Store.Conn().Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// readWatermarks returns the lowest, and notes up to where the partitions of the log have told their rows.
func (a *audit) readWatermarks(ctx context.Context) (low int64, err error) {
	first := true
	a.report.applied = map[uint16]int64{}
	err = a.each(ctx, "SELECT part, toUnixTimestamp64Milli(watermark), version FROM "+a.Store.Database()+".watermarks", func(scan func(...any) error) error {
		var part uint16
		var wm int64
		var version uint64
		err := scan(&part, &wm, &version)
		if wm > 0 {
			a.report.applied[part] = int64(version) + 1
		}
		if first || wm < low {
			low, first = wm, false
		}
		return err
	})
	return low, err
}

// inPeriod is a condition on minutes.
func inPeriod(column string, from, to int64) string {
	return fmt.Sprintf("%[1]s >= fromUnixTimestamp64Milli(toInt64(%[2]d)) AND %[1]s < fromUnixTimestamp64Milli(toInt64(%[3]d))", column, from, to)
}

// readOutcomes adds up all outcomes by source partition and minute.
func (a *audit) readOutcomes(ctx context.Context) error {
	a.Doing("asking ClickHouse for the outcomes")
	for _, t := range a.topics {
		query := fmt.Sprintf("SELECT source_partition, toUnixTimestamp64Milli(minute), sum(records) FROM %s.outcomes WHERE source_topic = '%s' AND %s GROUP BY source_partition, minute",
			a.Store.Database(), t.name, inPeriod("minute", a.period.from, a.period.read))
		unknown := int64(0)
		err := a.each(ctx, query, func(scan func(...any) error) error {
			var partition int32
			var minute, n int64
			err := scan(&partition, &minute, &n)
			i := a.period.index(minute)
			if int(partition) >= len(t.parts) || partition < 0 {
				unknown += n
			} else if i >= 0 {
				t.parts[partition].outcomes[i] += n
			}
			return err
		})
		if err != nil {
			return err
		}
		if unknown > 0 {
			a.report.note("%s: %s outcomes of partitions that Kafka does not have are not compared: they are of a topic of this name that was deleted", t.name, ui.Count(unknown))
		}
	}
	return nil
}

// events is the measure of that name over all rooms.
type events struct {
	byPart map[uint16]int64
	hours  int64
}

func (a *audit) readEvents(ctx context.Context) (err error) {
	a.Doing("adding up the measure events of all rooms")
	if a.events.byPart, err = a.Store.EventsByPart(ctx); err != nil {
		return err
	}
	a.events.hours, err = a.Store.EventsOfHours(ctx)
	return err
}

// letters is the dead letters of one source partition, minute and reason.
type letters struct {
	topic     string
	partition int32
	minute    int64
	reason    string
}

// unequal are those of which the number is not that of the outcomes.
type unequal map[letters][2]int64 // counted, kept

// maxUnequal bounds how many of them are looked at; there are more where something is very wrong, and then these say what.
const maxUnequal = 10_000

// readRejected compares invalid outcomes with the dead letters kept; what differs is looked at again when the copying has come to the end.
func (a *audit) readRejected(ctx context.Context) (err error) {
	a.Doing("comparing dead letters")
	a.letters = max(a.period.from, ceilMinute(time.Now().AddDate(0, 0, -clickhouse.RejectedDays).UnixMilli()))
	a.unequal, err = a.unequalNow(ctx)
	return err
}

func (a *audit) unequalNow(ctx context.Context) (unequal, error) {
	names := make([]string, len(a.topics))
	for i, t := range a.topics {
		names[i] = "'" + t.name + "'"
	}
	const received = "fromUnixTimestamp64Milli(toInt64(intDiv(toUnixTimestamp64Milli(received_ts), 60000) * 60000), 'UTC')"
	query := fmt.Sprintf(`SELECT t, p, toUnixTimestamp64Milli(m), r, sum(n) AS counted, sum(k) AS kept FROM (
SELECT toString(source_topic) AS t, source_partition AS p, minute AS m, toString(reason) AS r, toInt64(records) AS n, toInt64(0) AS k FROM %[1]s.outcomes WHERE outcome = 'invalid' AND %[2]s
UNION ALL
SELECT toString(source_topic) AS t, source_partition AS p, %[3]s AS m, toString(reason) AS r, toInt64(0) AS n, toInt64(1) AS k FROM %[1]s.rejected WHERE %[4]s)
WHERE t IN (%[5]s) GROUP BY t, p, m, r HAVING counted != kept ORDER BY m, t, p, r LIMIT %[6]d`, a.Store.Database(), inPeriod("minute", a.letters, a.period.to), received,
		inPeriod("received_ts", a.letters, a.period.to), strings.Join(names, ", "), maxUnequal)
	out := unequal{}
	err := a.each(ctx, query, func(scan func(...any) error) error {
		var l letters
		var n [2]int64
		err := scan(&l.topic, &l.partition, &l.minute, &l.reason, &n[0], &n[1])
		out[l] = n
		return err
	})
	return out, err
}

// readRejectedAgain reports what still differs by the same numbers when all dead letters are copied: what came meanwhile differs by others.
func (a *audit) readRejectedAgain(ctx context.Context) error {
	if a.period.compared() == 0 || a.letters >= a.period.to {
		a.report.note("dead letters are not compared: they are kept for %d days", clickhouse.RejectedDays)
		return nil
	}
	behind, err := a.awaitLetters(ctx)
	if err != nil {
		return err
	}
	now, err := a.unequalNow(ctx)
	if err == nil {
		err = a.readReplayed(ctx)
	}
	if err != nil {
		return err
	}
	of, mended, lacking := map[string]*Line{}, int64(0), false
	for l, n := range now {
		line := of[l.topic]
		if line == nil {
			line = &Line{}
			of[l.topic] = line
		}
		missing := n[0] - n[1]
		if a.unequal[l] != n || missing > 0 && behind > 0 {
			line.UnderWay += max(missing, -missing)
			continue
		}
		if missing < 0 && -missing <= a.again[l] {
			mended -= missing
			continue
		}
		lacking = lacking || missing > 0
		line.Differences++
		a.report.differ(Difference{Check: checkLetters, Topic: l.topic, Partition: &l.partition, Minute: l.minute, Reason: l.reason, Least: n[0], Most: n[0], Found: n[1]})
	}
	if lacking {
		a.report.note("dead letters are missing: of a flood beyond collector.rejected_rate none are kept (livemeter_collector_rejected_unkept_total), which is told here as a difference, too")
	}
	if mended > 0 {
		a.report.note("%s dead letters are kept of records that were replayed and are invalid no more", ui.Count(mended))
	}
	if behind > 0 {
		a.report.note("%s dead letters are not copied into ClickHouse yet: those that are missing are not called a difference", ui.Count(behind))
	}
	if len(now) == maxUnequal {
		a.report.note("dead letters: only the first %s places that differ were looked at", ui.Count(maxUnequal))
	}
	a.report.Letters = [2]int64{a.letters, a.period.to}
	return a.lettersLines(ctx, of)
}

// readReplayed counts what was sent to raw.replay.
func (a *audit) readReplayed(ctx context.Context) error {
	r, err := service.NewReplayer(a.Config)
	if err != nil {
		return err
	}
	defer r.Close()
	sent, err := r.Sent(ctx, func(n int) { a.Doing(fmt.Sprintf("reading what was replayed, %s records", ui.Count(int64(n)))) })
	a.again = map[letters]int64{}
	for place, was := range sent {
		a.again[letters{was.Topic, place.Source.Partition, floorMinute(was.Received), was.Reason}]++
	}
	return err
}

// lettersLines adds up both sides by topic.
func (a *audit) lettersLines(ctx context.Context, of map[string]*Line) error {
	for _, t := range a.topics {
		line := of[t.name]
		if line == nil {
			line = &Line{}
		}
		line.Check, line.Of = checkLetters, t.name
		query := fmt.Sprintf(`SELECT (SELECT toInt64(sum(records)) FROM %[1]s.outcomes WHERE outcome = 'invalid' AND source_topic = '%[2]s' AND %[3]s), (SELECT toInt64(count()) FROM %[1]s.rejected WHERE source_topic = '%[2]s' AND %[4]s)`,
			a.Store.Database(), t.name, inPeriod("minute", a.letters, a.period.to), inPeriod("received_ts", a.letters, a.period.to))
		if err := a.each(ctx, query, func(scan func(...any) error) error { return scan(&line.Expected, &line.Found) }); err != nil {
			return err
		}
		a.report.add(*line)
	}
	return nil
}

// awaitLetters waits until all dead letters are copied, and says how many are not in the end.
func (a *audit) awaitLetters(ctx context.Context) (behind int64, err error) {
	began := time.Now()
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for {
		if behind, err = service.RejectedBehind(ctx, a.adm, a.Config); err != nil || behind == 0 || time.Since(began) >= a.Wait {
			return behind, err
		}
		a.Doing(fmt.Sprintf("waiting for %s dead letters to be copied", ui.Count(behind)))
		select {
		case <-ctx.Done():
			return behind, context.Cause(ctx)
		case <-again.C:
		}
	}
}

// expired says whether rows of a grain may be gone that were counted: of windows as old as the oldest event in outcomes may be.
func (a *audit) expired(days int) bool {
	const clockOff = 7 // days: how far an event's time may lie before its receive time
	if days == 0 {
		return false
	}
	kept := time.Now().AddDate(0, 0, clockOff-days).UnixMilli()
	for _, p := range a.before {
		if p.Oldest < kept {
			return true
		}
	}
	return false
}

// retention is for how many days minutes and hours are kept.
func (a *audit) retention() (minutes, hours int) {
	days := a.Config.ClickHouse.TTL.Days()
	return days[measure.Grain1m], measure.HourDays(days[:])
}
