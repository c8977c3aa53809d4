package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/bench/ledger"
	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// mistaken is an earlier version that knew neither likes nor paid orders.
func mistaken(dec *event.Decoder) func(event.Topic, []byte) event.Verdict {
	return func(topic event.Topic, value []byte) event.Verdict {
		field := ""
		switch {
		case bytes.Contains(value, []byte(`"kind":"like"`)):
			field = "kind"
		case bytes.Contains(value, []byte(`"state":"paid"`)):
			field = "state"
		}
		if field == "" || dec.Decode(topic, value, new(event.Event)).Reason != event.ReasonNone {
			return event.Verdict{}
		}
		return event.Verdict{Reason: event.BadEnum, Field: field}
	}
}

// collectMistakenly runs the earlier version's collector; stop ends it in order.
func (p *pipeline) collectMistakenly() (stop func()) {
	p.t.Helper()
	cfg, err := config.Load(config.Sources{File: p.config, Env: os.LookupEnv})
	if err != nil {
		p.t.Fatal(err)
	}
	c := service.CollectorConfig(cfg)
	c.Refuse = mistaken(event.NewDecoder())
	if c.PseudonymKey, err = cfg.Key(); err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- runtime.RunCollector(ctx, c, zap.NewNop(), nil) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			p.t.Error(err)
		}
	}
}

// What an earlier version rejected is replayed while processes are killed, and then once more: the tables are those of a ledger that has never heard of it,
// and of each source partition and minute as many records have an outcome as before.
func TestReplayedRecordsCountAsIfNeverRejected(t *testing.T) {
	t.Parallel()
	p := newPipeline(t, testengine.FakeKafka(t))
	command := func(args ...string) string {
		t.Helper()
		code, out, errOut := livemeter(t, "", append(args, "--config", p.config)...)
		if code != exitOK {
			t.Fatalf("%v: exit code %d\n%s%s", args, code, out, errOut)
		}
		return out
	}
	command("schema", "apply")
	stop := p.collectMistakenly()
	p.start("enricher", "aggregator")
	stats := p.festival(7, 4000, 12_000)
	p.rest(stats)
	wrong, err := p.number("SELECT sum(records) FROM outcomes WHERE reason = 'bad_enum'")
	if err != nil || wrong < 500 {
		t.Fatalf("%d records were rejected wrongly, %v", wrong, err)
	}
	stop()
	arrivals := "SELECT source_topic, source_partition, minute, sum(records) FROM outcomes WHERE source_topic NOT LIKE '%raw.replay' GROUP BY ALL ORDER BY ALL"
	before, err := p.ask(arrivals)
	if err != nil {
		t.Fatal(err)
	}
	p.shows("SELECT count() FROM rejected WHERE reason = 'bad_enum'", fmt.Sprintln(wrong))

	p.start("collector")
	if out := command("rejected", "replay", "--reason", "bad_enum", "--dry-run"); !strings.Contains(out, "would be sent") {
		t.Errorf("--dry-run says\n%s", out)
	}
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		for _, one := range p.processes {
			time.Sleep(300 * time.Millisecond) // between the faults, while the command replays: nothing is waited for
			one.kill()
			one.start()
		}
	}()
	first := command("rejected", "replay", "--reason", "bad_enum")
	<-killed
	if out := command("rejected", "replay", "--reason", "bad_enum"); !strings.Contains(out, "        0  sent") || !strings.Contains(out, "skipped: replayed already") {
		t.Errorf("replayed again:\n%s", out)
	}
	second := command("rejected", "replay", "--reason", "bad_enum", "--again", "--since", "7d")
	if first != second {
		t.Errorf("the first time\n%s--again\n%s", first, second)
	}
	p.produce(&kgo.Record{Topic: p.prefix + "raw.replay", Value: []byte("by hand"), Timestamp: time.Now()})
	p.passes(time.Now())

	truth, err := p.book.Finish()
	if err != nil {
		t.Fatal(err)
	}
	for k, n := range truth.Outcomes { // but for those that were rejected rightly
		if k.Reason == "bad_enum" {
			wrong -= n
		}
	}
	if want := ui.Count(wrong) + "  sent and acknowledged"; !strings.Contains(first, want) {
		t.Errorf("%s\nwant %s", first, want)
	}
	stray, err := p.number("SELECT toUnixTimestamp64Milli(minute) FROM outcomes WHERE source_topic LIKE '%raw.replay'")
	if err != nil {
		t.Fatal(err)
	}
	truth.Outcomes[ledger.OutcomeKey{Topic: p.prefix + "raw.replay", Minute: stray, Outcome: "invalid", Reason: "missing_field"}] = 1
	p.equals(truth)
	if after, err := p.ask(arrivals); err != nil || after != before {
		t.Errorf("records of source partitions and minutes before\n%safter, %v\n%s", before, err, after)
	}
	p.listed(command)
	if code, r := p.audit(); code != exitOK || !strings.Contains(strings.Join(r.Notes, " "), "replayed and are invalid no more") {
		t.Errorf("audit: exit code %d, %q, %+v", code, r.Notes, r.Differences)
	}
}

// passes waits until all partitions have applied what stands in the log by now.
func (p *pipeline) passes(at time.Time) {
	p.t.Helper()
	eventually(p.t, "the watermark passes the replays", func() error {
		ms, err := p.number("SELECT toUnixTimestamp64Milli(min(watermark)) FROM watermarks")
		if err == nil && ms < at.UnixMilli() {
			err = fmt.Errorf("it is %s behind", at.Sub(time.UnixMilli(ms)))
		}
		return err
	})
}

// listed: list and show say what was replayed and how a record is judged now.
func (p *pipeline) listed(command func(...string) string) {
	p.t.Helper()
	var one rejectedJSON
	out := command("rejected", "list", "--reason", "bad_enum", "--source", p.prefix+"raw.order/0", "--limit", "1", "--json")
	if err := json.Unmarshal([]byte(out), &one); err != nil || one.Reason != "bad_enum" {
		p.t.Fatalf("list --json: %v\n%s", err, out)
	}
	if out := command("rejected", "show", one.Record); !strings.Contains(out, `"state": "paid"`) && !strings.Contains(out, "now       bad_enum") {
		p.t.Errorf("show %s:\n%s", one.Record, out)
	}
	if out := command("rejected", "list", "--reason", "bad_enum"); !strings.Contains(out, "replayed") || !strings.Contains(out, p.prefix+"raw.interaction") {
		p.t.Errorf("list:\n%s", out)
	}
	if code, _, errOut := livemeter(p.t, "", "rejected", "show", p.prefix+"raw.order/0/999999", "--config", p.config); code != exitFail || !strings.Contains(errOut, "not among the rejected") {
		p.t.Errorf("show of what is not there: exit code %d, %s", code, errOut)
	}
	for _, args := range [][]string{{"rejected", "replay"}, {"rejected", "show", "x"}, {"rejected", "list", "--reason", "ugly"}, {"rejected", "list", "--since", "soon"}, {"rejected", "replay", "--all", "--reason", "bad_enum"}} {
		if code, _, errOut := livemeter(p.t, "", append(args, "--config", p.config)...); code != exitUsage {
			p.t.Errorf("%v: exit code %d, want 2: %s", args, code, errOut)
		}
	}
}
