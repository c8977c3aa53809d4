package service_test

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/event"
)

var rewrite = flag.Bool("rewrite", false, "write docs/metrics.md anew")

// freshnessDoc is how the two metrics of freshness go together.
const freshnessDoc = "\n## An objective of freshness\n" +
	"`livemeter_reader_event_to_queryable_seconds` has a sample for each log record (some hundred events that came together), from the receive time of its newest event to the " +
	"acknowledgement of the rows of its room, so an outage of ClickHouse counts with all the time that it lasted. A partition that is behind (a restart, a backlog, a bulk load of old " +
	"events) sends only windows that are over; the age of its records says how old they were, not how fast livemeter is. They are no samples and are counted in `livemeter_reader_behind_records_total`. " +
	"An objective must not overlook them: the share of records that were queryable within a second is\n\n```\n" +
	"sum(rate(livemeter_reader_event_to_queryable_seconds_bucket{le=\"1\"}[1h]))\n  / (sum(rate(livemeter_reader_event_to_queryable_seconds_count[1h])) + sum(rate(livemeter_reader_behind_records_total[1h])))\n```\n\n" +
	"While a bulk load is wanted, leave the second term of the divisor out. Not in it: an event's way to Kafka, a source that lags behind the others " +
	"(`livemeter_collector_lag_seconds`), rows other than those of rooms in 10 s and 1 m, which may follow some seconds later, and who is online in a pane that has just begun, where nothing else happens in the room (within 4 s).\n"

const metricsDoc = "../../../docs/metrics.md"

// labels are all there are, with what bounds their values. None is chosen by who sends events.
var labels = map[string]string{
	"topic": "the raw topics", "partition": "partitions of a topic", "group": "the services that read a log", "outcome": "of the reader: accepted, duplicate, invalid; of the collector, who knows no duplicates: valid, invalid; of the gateway: accepted, rejected, unacknowledged",
	"reason": "reasons of the contract, empty for what is not invalid", "result": "ok, failed, error or finished", "table": "tables of the schema", "kind": "whether trying again can help",
	"step": "steps of the roller", "code": "status codes of the gateway", "form": "wire or decompressed",
}

// questions are what an operator asks, and where the answer is.
var questions = [][2]string{
	{"Is each stage at work?", "livemeter_collector_up livemeter_reader_up"},
	{"How far behind is each stage, in records and in seconds?", "livemeter_collector_lag_records livemeter_collector_lag_seconds livemeter_reader_lag_records livemeter_reader_lag_seconds livemeter_rejected_lag_records livemeter_rejected_lag_seconds"},
	{"How many records and bytes pass?", "livemeter_collector_records_total livemeter_collector_bytes_total livemeter_reader_records_total livemeter_reader_outcomes_total livemeter_gateway_events_total livemeter_gateway_body_bytes_total"},
	{"What became of the records, and why?", "livemeter_reader_outcomes_total livemeter_collector_records_total livemeter_gateway_events_total livemeter_reader_late_total livemeter_reader_replayed_total"},
	{"How old is the watermark?", "livemeter_reader_watermark_age_seconds"},
	{"How long from an event to its row?", "livemeter_reader_event_to_queryable_seconds livemeter_reader_behind_records_total livemeter_collector_ack_seconds livemeter_reader_flush_seconds livemeter_clickhouse_insert_seconds"},
	{"What does ClickHouse get, and how fast?", "livemeter_clickhouse_rows_total livemeter_clickhouse_inserts_total livemeter_clickhouse_bytes_total livemeter_clickhouse_insert_seconds livemeter_clickhouse_errors_total livemeter_clickhouse_retries_total livemeter_reader_flush_rows livemeter_reader_sink_failing_seconds"},
	{"How deep are the queues?", "livemeter_collector_queue_records livemeter_collector_inflight_bytes livemeter_reader_output_queue_records livemeter_reader_dirty_cells livemeter_gateway_in_flight_bytes livemeter_gateway_in_flight_requests livemeter_gateway_produce_queue_records"},
	{"How much state is there?", "livemeter_reader_cells livemeter_reader_viewers livemeter_reader_dedupe_entries livemeter_reader_keys livemeter_reader_checkpoint_bytes_total"},
	{"Is a limit reached?", "livemeter_reader_cells_limit livemeter_reader_cells_closed_early_total livemeter_reader_dirty_cells_limit livemeter_reader_input_paused livemeter_collector_inflight_bytes_limit livemeter_collector_queue_records_limit livemeter_gateway_in_flight_bytes_limit livemeter_gateway_connections livemeter_gateway_connections_limit livemeter_collector_rejected_cut_total livemeter_collector_rejected_unkept_total"},
	{"Was anything lost?", "livemeter_collector_expired_offsets_total"},
	{"Do checkpoints and restores work?", "livemeter_reader_checkpoint_age_seconds livemeter_reader_checkpoint_seconds livemeter_reader_restore_seconds livemeter_reader_restarts_total livemeter_collector_sessions_total livemeter_collector_commits_total"},
}

// family is one line of the reference.
type family struct{ name, kind, labels, help string }

// TestMetricsReference holds names, types and labels to docs/metrics.md: who has built alerts on them learns of a change.
func TestMetricsReference(t *testing.T) {
	p := start(t, false, nil)
	p.someOfEverything(1)
	p.drain()
	eventually(t, "every kind of metric has shown itself", func() error { return p.missing() })
	families := p.families()
	doc := reference(t, families)
	have, err := os.ReadFile(metricsDoc)
	if *rewrite {
		if err := os.WriteFile(metricsDoc, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if err != nil || string(have) != doc {
		t.Errorf("docs/metrics.md is stale (%v): go test ./cmd/livemeter/service -run TestMetricsReference -rewrite\n%s", err, doc)
	}
	known := map[string]bool{}
	for _, f := range families {
		known[f.name] = true
		for l := range strings.SplitSeq(f.labels, " ") {
			if l != "" && labels[l] == "" {
				t.Errorf("%s has the label %s, of which nothing says that it is bounded", f.name, l)
			}
		}
	}
	for _, q := range questions {
		for name := range strings.SplitSeq(q[1], " ") {
			if !known[name] {
				t.Errorf("%s is answered by %s, which there isn't", q[0], name)
			}
		}
	}
}

// TestSeriesDoNotGrowWithTheData: no room, viewer, product, order or source makes a series.
func TestSeriesDoNotGrowWithTheData(t *testing.T) {
	p := start(t, true, nil)
	before := map[string]bool{}
	for round, n := range []int{20, 2000} {
		p.someOfEverything(n)
		p.drain()
		eventually(t, "the collector publishes", func() error {
			if got, want := p.sums("livemeter_collector_records_total", "outcome")["valid"], float64(3*(n+20*round)); got != want {
				return fmt.Errorf("%v records, want %v", got, want)
			}
			return nil
		})
		eventually(t, "the collector commits", func() error {
			if n := p.sums("livemeter_collector_commits_total", "topic"); len(n) < 4 {
				return fmt.Errorf("%v", n)
			}
			return nil
		})
		for name, f := range p.scrape() {
			if name == "livemeter_clickhouse_roll_seconds" { // comes with time: its steps are few
				continue
			}
			for _, m := range f.GetMetric() {
				series := fmt.Sprint(name, m.GetLabel())
				if round > 0 && !before[series] {
					t.Errorf("2000 more rooms made the series %s", series)
				}
				before[series] = true
			}
		}
	}
	if keys := p.sums("livemeter_reader_keys", "")[""]; keys < 2020 {
		t.Errorf("the metric tells of %v keys for 2020 rooms", keys)
	}
}

// someOfEverything sends n viewers in n rooms, n interactions with n products, n orders, and one record of each reason; the gateway gets some too.
func (p *pipeline) someOfEverything(n int) {
	p.t.Helper()
	var out []*kgo.Record
	now := received()
	for i := range n {
		id := fmt.Sprintf("%d-%d", n, i)
		like := strings.NewReplacer(`"type":"viewer"`, `"type":"interaction"`, `"action":"enter"`, `"kind":"product_click","sku_id":"sku-`+id+`"`, `"e-`, `"l-`)
		out = append(out, &kgo.Record{Topic: "raw.viewer", Value: []byte(enter(id, "room-"+id, `,"entry_source":"source-`+id+`"`)), Timestamp: now},
			&kgo.Record{Topic: "raw.interaction", Value: []byte(like.Replace(enter(id, "room-"+id, ""))), Timestamp: now},
			&kgo.Record{Topic: "raw.order", Value: []byte(strings.ReplaceAll(strings.ReplaceAll(concrete(persons[event.TopicOrder][0], i+n), "o1", "o"+id), "room-control", "room-"+id)), Timestamp: now})
	}
	out = append(out, &kgo.Record{Topic: "raw.stock", Value: []byte("bad " + fmt.Sprint(n)), Timestamp: now})
	p.send(out...)
	for _, body := range []string{"[]", "[{}]", "", "x"} {
		resp, err := http.Post("http://"+p.gateway+"/v1/events", "application/json", strings.NewReader(body))
		if err != nil {
			p.t.Fatal(err)
		}
		resp.Body.Close()
	}
}

var descSyntax = regexp.MustCompile(`^Desc\{fqName: "([^"]*)", help: "((?:[^"\\]|\\.)*)", (?:unit: "[^"]*", )?constLabels: \{([^}]*)\}, variableLabels: \{([^}]*)\}\}$`)

// described are all families of the registry, also those that no series has shown yet.
func (p *pipeline) described() map[string]family {
	p.t.Helper()
	ch := make(chan *prometheus.Desc)
	go func() {
		p.process.Registry().Describe(ch)
		close(ch)
	}()
	out := map[string]family{}
	for d := range ch {
		m := descSyntax.FindStringSubmatch(d.String())
		if m == nil {
			p.t.Errorf("cannot read %s", d)
			continue
		}
		var names []string
		for l := range strings.SplitSeq(m[3], ",") {
			if name, _, ok := strings.Cut(l, "="); ok {
				names = append(names, name)
			}
		}
		for l := range strings.SplitSeq(m[4], ",") {
			if l != "" {
				names = append(names, l)
			}
		}
		if strings.HasPrefix(m[1], "livemeter_") {
			out[m[1]] = family{name: m[1], labels: strings.Join(names, " "), help: strings.ReplaceAll(m[2], `\"`, `"`)}
		}
	}
	return out
}

// missing are families whose type nobody can tell yet: no series, and no name that says counter.
func (p *pipeline) missing() error {
	shown := p.scrape()
	for name := range p.described() {
		if shown[name] == nil && !strings.HasSuffix(name, "_total") {
			return fmt.Errorf("%s has no series", name)
		}
	}
	return nil
}

func (p *pipeline) families() (out []family) {
	shown, described := p.scrape(), p.described()
	for _, name := range slices.Sorted(maps.Keys(described)) {
		f := described[name]
		f.kind = "counter"
		if s := shown[name]; s != nil {
			f.kind = strings.ToLower(s.GetType().String())
		}
		out = append(out, f)
	}
	for name, s := range shown {
		if (s.GetType() == dto.MetricType_COUNTER) != strings.HasSuffix(name, "_total") && strings.HasPrefix(name, "livemeter_") {
			p.t.Errorf("%s is a %s: counters, and only they, end in _total", name, s.GetType())
		}
	}
	return out
}

func reference(t *testing.T, families []family) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Metrics\n\n<!-- Generated: go test ./cmd/livemeter/service -run TestMetricsReference -rewrite -->\n\n" +
		"Every service shows its own at `/metrics` on the admin port (`admin.addr`), beside those of the Go runtime and the process (`go_*`, `process_*`). " +
		"Counts of a partition begin anew when another process takes it over; `rate()` and `increase()` know that.\n\n## Where to look\n| question | metrics |\n|---|---|\n")
	for _, q := range questions {
		fmt.Fprintf(&b, "|%s|`%s`|\n", q[0], strings.ReplaceAll(q[1], " ", "` `"))
	}
	b.WriteString(freshnessDoc)
	b.WriteString("\n## All metrics\n| metric | type | labels | |\n|---|---|---|---|\n")
	for _, f := range families {
		list := ""
		if f.labels != "" {
			list = "`" + strings.ReplaceAll(f.labels, " ", "` `") + "`"
		}
		fmt.Fprintf(&b, "|`%s`|%s|%s|%s|\n", f.name, f.kind, list, f.help)
	}
	b.WriteString("\n## Labels\nTheir values are bounded: a room, a viewer, a product or anything else that comes with an event is never one.\n\n| label | values |\n|---|---|\n")
	for _, l := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&b, "|`%s`|%s|\n", l, labels[l])
	}
	return b.String()
}
