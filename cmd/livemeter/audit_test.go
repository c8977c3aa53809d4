package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/cmd/livemeter/audit"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// audit runs the command on the pipeline, and reads what it prints for programs.
func (p *pipeline) audit(flags ...string) (code int, r audit.Report) {
	p.t.Helper()
	code, out, errOut := livemeter(p.t, "", append([]string{"audit", "--config", p.config, "--json"}, flags...)...)
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		p.t.Fatalf("exit code %d, %v\n%s\n%s", code, err, out, errOut)
	}
	return code, r
}

// statement changes ClickHouse behind the pipeline's back.
func (p *pipeline) statement(sql string) {
	p.t.Helper()
	if _, err := p.ask(sql); err != nil {
		p.t.Fatal(err)
	}
}

// busiest is the source partition and minute that has most accepted records.
func (p *pipeline) busiest() (topic string, partition int32, minute int64) {
	p.t.Helper()
	out, err := p.ask("SELECT source_topic, source_partition, toUnixTimestamp64Milli(minute) FROM outcomes WHERE outcome = 'accepted' ORDER BY records DESC LIMIT 1")
	if err == nil {
		_, err = fmt.Sscan(out, &topic, &partition, &minute)
	}
	if err != nil {
		p.t.Fatalf("%q: %v", out, err)
	}
	return topic, partition, minute
}

// TestAuditNamesThePlace: after a festival with all faults and a process that is killed in it, the ledger of conservation balances. Then one thing at a
// time is broken in the store, and the audit names exactly that place.
func TestAuditNamesThePlace(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, testengine.FakeKafka(t))
	p.start("run")
	killed := make(chan bool)
	go func() {
		defer close(killed)
		time.Sleep(3 * time.Second) // the moment of the fault, in the middle of the load: nothing is waited for
		p.processes[0].kill()
		p.processes[0].start()
	}()
	stats := p.festival(7, 4000, 30_000)
	<-killed
	p.rest(stats)
	code, r := p.audit()
	if code != exitOK || !r.OK || len(r.Differences) > 0 {
		t.Fatalf("exit code %d of a pipeline that is right: %+v", code, r)
	}
	sums := map[string]audit.Line{}
	for _, l := range r.Lines {
		sum := sums[l.Check]
		sum.Expected += l.Expected
		sum.UnderWay += l.UnderWay
		sums[l.Check] = sum
	}
	if got := sums["records"]; got.Expected != stats.Acked || got.UnderWay != 0 {
		t.Errorf("%d records compared, %d under way, want all %d", got.Expected, got.UnderWay, stats.Acked)
	}
	if sums["events"].Expected == 0 || sums["dead_letters"].Expected == 0 {
		t.Errorf("nothing to compare: %+v", sums)
	}

	topic, partition, minute := p.busiest()
	for _, c := range []struct {
		what         string
		breaks, back []string
		want         func(d audit.Difference) string // "" where it is the place
	}{
		{
			"outcomes of a minute are gone",
			[]string{fmt.Sprintf("CREATE TABLE kept ENGINE = Memory AS SELECT * FROM outcomes_rows WHERE %s", place(topic, partition, minute)),
				fmt.Sprintf("DELETE FROM outcomes_rows WHERE %s SETTINGS lightweight_deletes_sync = 2", place(topic, partition, minute))},
			[]string{"INSERT INTO outcomes_rows SELECT * FROM kept", "DROP TABLE kept"},
			func(d audit.Difference) string {
				if d.Check == "events" || d.Check == "dead_letters" { // the accepted ones are missing there, too
					return ""
				}
				if d.Check != "records" || d.Topic != topic || *d.Partition != partition || d.Minute != minute || d.Least != d.Most || d.Found != 0 {
					return fmt.Sprintf("want records of %s/%d in %d", topic, partition, minute)
				}
				return ""
			},
		},
		{
			"a rollup counts five events twice",
			[]string{"CREATE TABLE kept ENGINE = Memory AS SELECT * FROM room_rows WHERE grain = '1m' AND part = 1 AND events > 0 LIMIT 1",
				"INSERT INTO room_rows SELECT * REPLACE (gen + 1000000000 AS gen, 5 AS events) FROM kept"},
			[]string{"DELETE FROM room_rows WHERE gen >= 1000000000 SETTINGS lightweight_deletes_sync = 2", "DROP TABLE kept"},
			func(d audit.Difference) string {
				if d.Check != "events" || d.Least != d.Most && d.Part == nil || d.Found < d.Most || d.Part != nil && *d.Part != 1 {
					return "want events, of partition 1 and all together"
				}
				return ""
			},
		},
		{
			"a dead letter is lost",
			[]string{"CREATE TABLE kept ENGINE = Memory AS SELECT * FROM rejected_rows ORDER BY topic_id, source_partition, source_offset LIMIT 1",
				"DELETE FROM rejected_rows WHERE (topic_id, source_partition, source_offset) IN (SELECT topic_id, source_partition, source_offset FROM kept) SETTINGS lightweight_deletes_sync = 2"},
			[]string{"INSERT INTO rejected_rows SELECT * FROM kept", "DROP TABLE kept"},
			func(d audit.Difference) string {
				lost, err := p.ask("SELECT source_topic, source_partition, intDiv(toUnixTimestamp64Milli(received_ts), 60000) * 60000, reason FROM kept")
				if err != nil {
					return err.Error()
				}
				if got := fmt.Sprintf("%s\t%d\t%d\t%s\n", d.Topic, *d.Partition, d.Minute, d.Reason); d.Check != "dead_letters" || got != lost || d.Found != d.Least-1 {
					return "want dead_letters of " + lost
				}
				return ""
			},
		},
	} {
		for _, sql := range c.breaks {
			p.statement(sql)
		}
		code, r := p.audit()
		if code != exitFail || r.OK || len(r.Differences) == 0 {
			t.Errorf("%s: exit code %d, %d differences", c.what, code, len(r.Differences))
		}
		for _, d := range r.Differences {
			if wrong := c.want(d); wrong != "" {
				t.Errorf("%s: %s: %s", c.what, d, wrong)
			}
		}
		for _, sql := range c.back {
			p.statement(sql)
		}
	}
	if code, out, _ := livemeter(t, "", "audit", "--config", p.config); code != exitOK || !strings.Contains(out, "everything that could be compared balances") {
		t.Errorf("when all is as it was: exit code %d\n%s", code, out)
	} else {
		t.Log("\n" + out)
	}
}

func place(topic string, partition int32, minute int64) string {
	return fmt.Sprintf("source_topic = '%s' AND source_partition = %d AND toUnixTimestamp64Milli(minute) = %d", topic, partition, minute)
}

// TestAuditSaysWhatItCannotCompare: aborted transactions, records that retention has taken, a topic that was made again, and what a pipeline that stands
// still has not counted are no differences, and are told.
func TestAuditSaysWhatItCannotCompare(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, testengine.FakeKafka(t))
	p.start("collector", "enricher", "aggregator")
	old, young := time.Now().Add(-10*time.Minute), time.Now().Add(-3*time.Minute)
	one := func(topic, typ, id string, at time.Time, rest string) *kgo.Record {
		return &kgo.Record{Topic: p.prefix + topic, Value: []byte(envelope(typ, id, at, rest)), Timestamp: at}
	}
	enters := func(id string, at time.Time) *kgo.Record {
		return one("raw.viewer", "viewer", id, at, `"action":"enter"`)
	}
	likes := func(id string, at time.Time) *kgo.Record {
		return one("raw.interaction", "interaction", id, at, `"kind":"like"`)
	}
	stock := func(version int, at time.Time) *kgo.Record {
		return one("raw.stock", "stock", "s", at, fmt.Sprintf(`"sku_id":"k","available":1,"stock_version":%d,"ts":%d`, version, at.UnixMilli()))
	}
	p.shows("SELECT count() FROM outcomes", "0\n")
	p.produce(likes("l1", old), likes("l2", old), likes("l3", young), stock(1, old))
	p.transaction(false, enters("aborted", young))
	p.transaction(true, enters("committed", young))
	p.shows("SELECT sum(records) FROM outcomes", "5\n")

	adm := kadm.NewClient(p.client())
	defer adm.Close()
	p.loseOld(adm, p.prefix+"raw.interaction", young)
	if _, err := adm.DeleteTopic(t.Context(), p.prefix+"raw.stock"); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := livemeter(t, "", "schema", "apply", "--no-clickhouse", "--config", p.config); code != exitOK {
		t.Fatal(errOut)
	}
	p.produce(stock(2, young))
	p.shows("SELECT sum(records) FROM outcomes", "6\n")

	code, r := p.audit("--since", "1h")
	if code != exitOK {
		t.Errorf("exit code %d: %+v", code, r)
	}
	for _, want := range []string{"raw.interaction/", "raw.stock/"} {
		if !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, want) && strings.Contains(n, "is not compared before") }) {
			t.Errorf("no note that %s has lost its beginning: %q", want, r.Notes)
		}
	}
	if l := line(r, "records", p.prefix+"raw.viewer"); l.Expected != 1 || l.Found != 1 {
		t.Errorf("of two transactions, one aborted: %+v", l)
	}

	p.processes[0].stop() // the collector
	p.produce(enters("not collected", young), enters("neither", young))
	code, r = p.audit("--since", "1h", "--wait", "2s")
	if code != exitOK || !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "has not come to where it was asked for in 2s") }) {
		t.Errorf("exit code %d of a pipeline that stands still: %q, %+v", code, r.Notes, r.Differences)
	}
	if l := line(r, "offsets", p.prefix+"raw.viewer"); l.UnderWay != 2 {
		t.Errorf("not yet counted: %+v, want 2", l)
	}
}

func line(r audit.Report, check, of string) audit.Line {
	for _, l := range r.Lines {
		if l.Check == check && l.Of == of {
			return l
		}
	}
	return audit.Line{}
}

func (p *pipeline) client(opts ...kgo.Opt) *kgo.Client {
	p.t.Helper()
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(p.brokers...))...)
	if err != nil {
		p.t.Fatal(err)
	}
	return cl
}

// transaction produces one record in a transaction.
func (p *pipeline) transaction(commit bool, r *kgo.Record) {
	p.t.Helper()
	cl := p.client(kgo.TransactionalID(p.prefix + "producer"))
	defer cl.Close()
	if err := cl.BeginTransaction(); err != nil {
		p.t.Fatal(err)
	}
	if err := cl.ProduceSync(p.t.Context(), r).FirstErr(); err != nil {
		p.t.Fatal(err)
	}
	if err := cl.EndTransaction(p.t.Context(), kgo.TransactionEndTry(commit)); err != nil {
		p.t.Fatal(err)
	}
}

// loseOld does what retention does.
func (p *pipeline) loseOld(adm *kadm.Client, topic string, before time.Time) {
	p.t.Helper()
	from, err := adm.ListOffsetsAfterMilli(p.t.Context(), before.UnixMilli(), topic)
	if err == nil {
		_, err = adm.DeleteRecords(p.t.Context(), from.Offsets())
	}
	if err != nil {
		p.t.Fatal(err)
	}
}
