// Package audit checks the conservation ledger of a pipeline that is at work: what Kafka has, what the table outcomes says became of it, what the
// rollups count and which dead letters are kept. It reads only.
//
// A pipeline goes on while it is looked at, so a number of one side is held to an interval of the other side's, read before and after. Between two
// readings the audit waits until the watermark that ClickHouse shows has passed the moment of the first: whatever stood in the log before that moment
// has left as rows by then (rollup.Watermark). With nothing under way the intervals are numbers. All files:
//
//   - audit: the order of the readings. store: what ClickHouse says. kafka, records: what the raw topics have.
//   - compare: the checks. balance: that of a partition's minutes. report: what comes out.
package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/runtime"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// Options of Run.
type Options struct {
	Config   *config.Config
	Store    *clickhouse.Sink
	From, To time.Time     // of receive time; whole minutes in it are compared
	Wait     time.Duration // for the pipeline to come to the moment at which the audit began
	Doing    func(string)  // is told what is being done, often
}

// maxCells bounds the memory of a period: partitions × minutes, 20 bytes each.
const maxCells = 10_000_000

type audit struct {
	Options
	opts    []kgo.Opt
	client  *kgo.Client
	adm     *kadm.Client
	shown   clickhouse.Shown
	period  period
	report  *Report
	settle  bool // the pipeline has come to where the audit began
	before  []clickhouse.Accepted
	after   []clickhouse.Accepted
	topics  [event.NumTypes]*topic // those of arrivals: a replay is none
	costs   *costs
	events  events
	again   map[letters]int64 // dead letters that were replayed: some of them are no more invalid, and kept
	letters int64             // first minute of which all dead letters are kept
	unequal unequal           // of them, those that differed when they were first compared
}

// Run makes an audit. What it could not compare is in the report's notes; an error is what kept it from comparing at all.
func Run(ctx context.Context, o Options) (*Report, error) {
	a := &audit{Options: o, report: &Report{}}
	if err := a.open(); err != nil {
		return nil, err
	}
	defer a.adm.Close()
	for _, step := range []func(context.Context) error{a.readTopics, a.sameLog, a.choosePeriod, a.readStore, a.readRecords} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	a.balanceRecords()
	a.balanceEvents()
	a.report.finish()
	return a.report, nil
}

func (a *audit) open() (err error) {
	if a.opts, err = service.KafkaOpts(a.Config.Kafka); err != nil {
		return err
	}
	a.opts = append(a.opts, kgo.SeedBrokers(a.Config.Kafka.Brokers...))
	if a.client, err = kgo.NewClient(a.opts...); err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	a.adm = kadm.NewClient(a.client)
	return nil
}

// sameLog asks whether database and Kafka belong together: else every number would differ.
func (a *audit) sameLog(ctx context.Context) (err error) {
	a.Doing("asking which log the database shows")
	if a.shown, err = a.Store.Shown(ctx); err != nil {
		return err
	}
	events := a.Config.Kafka.Prefix + runtime.TopicEvents
	if a.shown.Epoch == 0 {
		return fmt.Errorf("database %s shows no log yet: has the pipeline run, and is --clickhouse-database right?", a.Store.Database())
	}
	id, err := runtime.TopicID(ctx, a.client, events)
	if err != nil {
		return err
	}
	if uuid.UUID(id) != a.shown.EventsTopicID {
		return fmt.Errorf("database %s shows the numbers of another log of events (topic id %s) than %s here (%s): are --kafka-brokers, --kafka-prefix and --clickhouse-database those of one pipeline?",
			a.Store.Database(), a.shown.EventsTopicID, events, uuid.UUID(id))
	}
	return nil
}

// choosePeriod is the whole minutes that were asked for, without those of which the table outcomes has not all.
func (a *audit) choosePeriod(context.Context) error {
	r := a.report
	from, to := ceilMinute(a.From.UnixMilli()), floorMinute(a.To.UnixMilli())
	r.From, r.To = from, max(from, to)
	if !a.shown.Alone && ceilMinute(a.shown.Since+1) > from {
		from = ceilMinute(a.shown.Since + 1)
		r.note("minutes before %s are not compared: outcomes of an earlier log of events may be among them, which the views do not show", clock(from))
	}
	if days := a.Config.ClickHouse.TTL.Days()[3]; days > 0 { // of days: outcomes are kept as long
		if kept := ceilMinute(time.Now().AddDate(0, 0, -days).UnixMilli()); kept > from {
			from = kept
			r.note("minutes before %s are not compared: outcomes may have expired (clickhouse.ttl.1d)", clock(from))
		}
	}
	a.period = newPeriod(from, max(from, to))
	partitions := 0
	for _, t := range a.topics {
		partitions += len(t.parts)
	}
	if cells := int64(partitions) * int64(a.period.minutes()); cells > maxCells {
		return fmt.Errorf("%s minutes of %d partitions are more than one audit takes: give --from and --to for at most %d days", ui.Count(int64(a.period.minutes())), partitions,
			maxCells/partitions/(24*60))
	}
	return nil
}

// readStore takes all that ClickHouse says, the totals once before and once after the rest.
func (a *audit) readStore(ctx context.Context) (err error) {
	if err := a.readCommitted(ctx); err != nil {
		return err
	}
	if a.before, err = a.Store.Accepted(ctx); err != nil {
		return err
	}
	if err := a.awaitPassed(ctx); err != nil {
		return err
	}
	for _, read := range []func(context.Context) error{a.readOutcomes, a.readEvents, a.readRejected} {
		if err := read(ctx); err != nil {
			return err
		}
	}
	if a.settle {
		if err := a.awaitPassed(ctx); err != nil {
			return err
		}
	}
	if a.after, err = a.Store.Accepted(ctx); err != nil {
		return err
	}
	return a.readRejectedAgain(ctx)
}

// clocksAgree is by how much the clock here may be behind those of the collectors and brokers.
const clocksAgree = time.Second

// awaitPassed waits until ClickHouse shows a watermark that has passed now.
func (a *audit) awaitPassed(ctx context.Context) error {
	now := time.Now().Add(clocksAgree)
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for {
		low, err := a.readWatermarks(ctx)
		if err != nil {
			return err
		}
		a.report.Watermark = low
		if a.settle = low >= now.UnixMilli(); a.settle || time.Since(now) >= a.Wait {
			break
		}
		a.Doing("waiting until the watermark has passed " + now.UTC().Format(time.TimeOnly) + ", when the audit began")
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-again.C:
		}
	}
	if !a.settle {
		a.report.note("the pipeline has not come to where it was asked for in %s: it is behind, or does not run (--wait)", a.Wait)
	}
	if passed := floorMinute(a.report.Watermark); passed < a.period.to {
		a.period.to = max(a.period.from, passed)
	}
	return nil
}
