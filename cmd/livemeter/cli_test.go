package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
	"github.com/livemeter/livemeter/pipeline/event"
)

func TestMain(m *testing.M) {
	if os.Getenv(asBinary) != "" {
		main()
		return
	}
	testengine.Main(m)
}

// livemeter runs a command line in this process.
func livemeter(t *testing.T, stdin string, args ...string) (code int, out, err string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // one that goes on by mistake must not hang the tests
	defer cancel()
	var o, e bytes.Buffer
	code = execute(ctx, args, streams{strings.NewReader(stdin), &o, &e})
	return code, o.String(), e.String()
}

func TestHelpHasAnExampleEverywhere(t *testing.T) {
	for _, c := range []string{"demo", "up", "run", "collector", "enricher", "aggregator", "gateway", "generate", "verify", "audit", "kpi", "rejected", "rejected list", "rejected show", "rejected replay", "check", "schema", "schema apply",
		"config", "config check", "config show", "engines", "engine clickhouse"} {
		code, out, errOut := livemeter(t, "", append(strings.Fields(c), "--help")...)
		if code != exitOK || !strings.Contains(out, "Example:") || !strings.Contains(out, "livemeter "+strings.Fields(c)[0]) {
			t.Errorf("%s --help: exit code %d, want 0 and an example\n%s%s", c, code, out, errOut)
		}
	}
}

func TestSchemaOfOneTypeIsJSON(t *testing.T) {
	for _, typ := range []string{"viewer", "interaction", "order", "cost", "stock"} {
		code, out, errOut := livemeter(t, "", "schema", typ)
		if code != exitOK || !json.Valid([]byte(out)) {
			t.Errorf("schema %s: exit code %d, want JSON\n%s%s", typ, code, out, errOut)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	for _, args := range [][]string{{"dmeo"}, {"demo", "--fro", "1s"}, {"demo", "--rate", "0"}, {"verify"}, {"demo", "--kafka", "redpanda"}, {"generate", "--file", "-"}, {"kpi", "--last", "5"}, {"demo", "--for", "-1s"}} {
		if code, out, errOut := livemeter(t, "", args...); code != exitUsage || !strings.Contains(errOut, "livemeter: ") {
			t.Errorf("%q: exit code %d, want 2 and a message\n%s%s", args, code, out, errOut)
		}
	}
}

// TestHelpShowsTheKeysOfTheService: what a command never reads is taken, since one file serves all, but not offered.
func TestHelpShowsTheKeysOfTheService(t *testing.T) {
	all := []string{"--horizon", "--kafka-brokers", "--kafka-prefix", "--clickhouse-addr", "--clickhouse-database", "--gateway-addr", "--admin-addr", "--pseudonym-key-file", "--log-level"}
	foreign := map[string]string{
		"run": "", "collector": "--clickhouse-addr --clickhouse-database --gateway-addr", "enricher": "--horizon --clickhouse-addr --clickhouse-database --gateway-addr --pseudonym-key-file",
		"aggregator": "--horizon --gateway-addr --pseudonym-key-file", "gateway": "--horizon --clickhouse-addr --clickhouse-database --pseudonym-key-file",
		"kpi": "--horizon --kafka-brokers --kafka-prefix --gateway-addr --admin-addr --pseudonym-key-file --log-level", "config check": "",
	}
	for command, hidden := range foreign {
		_, out, _ := livemeter(t, "", append(strings.Fields(command), "--help")...)
		for _, flag := range all {
			if want := !slices.Contains(strings.Fields(hidden), flag); strings.Contains(out, "  "+flag+"=") != want {
				t.Errorf("%s --help shows %s: %v, want %v", command, flag, !want, want)
			}
		}
		takes := !strings.Contains("collector enricher gateway kpi", command)
		if strings.Contains(out, "--clickhouse-take-over") != takes {
			t.Errorf("%s --help shows --clickhouse-take-over: %v", command, !takes)
		}
		for flag := range strings.FieldsSeq(hidden) {
			if code, _, errOut := livemeter(t, "", append(strings.Fields(command), flag, "x:1", "--help")...); code != exitOK {
				t.Errorf("%s does not take %s: %s", command, flag, errOut)
			}
		}
	}
}

const enter = `{"event_id":"e1","schema_version":"1-0-0","type":"viewer","platform":"p","room_id":"r","live_session_id":"s","user_id":"u","view_id":"v","sdk_instance_id":"i","seq":1,"client_ts":1,"sent_ts":1,"action":"enter"}`

func TestCheckSaysWhatTheCollectorWouldSay(t *testing.T) {
	lines := strings.Join([]string{
		enter,
		"",
		strings.Replace(enter, `"enter"`, `"jump"`, 1),
		strings.Replace(enter, `"viewer"`, `"visitor"`, 1),
		`{"pad":"` + strings.Repeat("x", 100<<10) + `"}`,
		strings.Replace(enter, `"view_id":"v",`, ``, 1),
		enter + " {}",
		enter, // without a line end
	}, "\n")
	code, out, errOut := livemeter(t, lines, "check")
	want := "1\taccepted\n3\tbad_enum\taction\n4\tunknown_type\ttype\n5\ttoo_large\n6\tmissing_field\tview_id\n7\ttrailing_bytes\n8\taccepted\n"
	if code != exitFail || out != want {
		t.Errorf("exit code %d, want 1; got\n%swant\n%s", code, out, want)
	}
	if !strings.Contains(errOut, "7 lines: 2 accepted, 5 invalid") {
		t.Errorf("summary: %s", errOut)
	}
	if code, out, errOut := livemeter(t, enter+"\n", "check", "-q"); code != exitOK || out != "" || errOut != "1 line: 1 accepted, 0 invalid\n" {
		t.Errorf("valid input with -q: exit code %d, output %q, %q", code, out, errOut)
	}
	if code, out, _ := livemeter(t, enter+"\n", "check", "--topic", "raw.order", "--json"); code != exitFail || !strings.Contains(out, `"reason":"wrong_topic"`) {
		t.Errorf("on raw.order: exit code %d, output %q", code, out)
	}
}

// TestCheckOnTheVectors: every vector of schemas/testdata lands where its file says.
func TestCheckOnTheVectors(t *testing.T) {
	for _, f := range vectors(t, "valid/*.ndjson") {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if code, out, errOut := livemeter(t, string(text), "check", "-q"); code != exitOK {
			t.Errorf("%s: exit code %d\n%s%s", f, code, out, errOut)
		}
	}
	for _, f := range vectors(t, "invalid/*.txt") {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		reason := strings.TrimSuffix(filepath.Base(f), ".txt")
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			checkInvalid(t, reason, line)
		}
	}
}

func vectors(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(root + "schemas/testdata/" + pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors in schemas/testdata/%s: %v", pattern, err)
	}
	return files
}

// checkInvalid checks one line "TOPIC FIELD RECORD". Records that are no line (empty, or with a line end inside) can't be in NDJSON.
func checkInvalid(t *testing.T, reason, line string) {
	t.Helper()
	part := strings.SplitN(line, " ", 3)
	if len(part) < 3 || strings.HasPrefix(line, "#") {
		return
	}
	record := part[2]
	if unquoted, err := strconv.Unquote(record); err == nil && strings.HasPrefix(record, `"`) {
		record = unquoted
	}
	if strings.TrimSpace(record) == "" || strings.Contains(record, "\n") {
		return
	}
	want := "1\t" + reason
	if part[1] != "-" {
		want += "\t" + part[1]
	}
	if code, out, _ := livemeter(t, record, "check", "--topic", "raw."+part[0]); code != exitFail || out != want+"\n" {
		t.Errorf("%s: exit code %d, got %q, want %q\n%s", reason, code, out, want, record)
	}
}

func TestSchemaPrintsEverything(t *testing.T) {
	code, out, errOut := livemeter(t, "", "schema", "--clickhouse-database", "shop")
	for _, want := range []string{"schemas/events/order/1-0-0.json", "asyncapi:", "openapi:", "CREATE DATABASE IF NOT EXISTS shop", "shop.room_measures"} {
		if code != exitOK || !strings.Contains(out, want) {
			t.Errorf("exit code %d, missing %q\n%s", code, want, errOut)
		}
	}
}

func TestGenerateWritesWhatCheckAccepts(t *testing.T) {
	code, out, errOut := livemeter(t, "", "generate", "--events", "500", "--file", "-", "--no-faults", "--seed", "7")
	if code != exitOK || strings.Count(out, "\n") != 500 {
		t.Fatalf("exit code %d, %d lines\n%s", code, strings.Count(out, "\n"), errOut)
	}
	if code, _, errOut := livemeter(t, out, "check", "-q"); code != exitOK {
		t.Errorf("check: exit code %d, %s", code, errOut)
	}
}

// TestGenerateUsageLedgerFirst: Kafka is not even asked, so nothing has been sent that no ledger covers.
func TestGenerateUsageLedgerFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "run.ledger")
	code, _, errOut := livemeter(t, "", "generate", "--events", "1", "--ledger", path, "--kafka-brokers", "127.0.0.1:1")
	if code != exitFail || !strings.Contains(errOut, path+" cannot be written") {
		t.Errorf("exit code %d, want 1 and the file's name: %s", code, errOut)
	}
}

// TestGenerateSaysWhoseDatabase: a prefix is another pipeline's, whose database only --clickhouse-database tells.
func TestGenerateSaysWhoseDatabase(t *testing.T) {
	args := []string{"generate", "--events", "10", "--rate", "0", "--kafka-brokers", testengine.FakeKafka(t)[0], "--ledger", filepath.Join(t.TempDir(), "r.ledger")}
	const hint = "that of the pipeline with --kafka-prefix r."
	for _, one := range []struct {
		more []string
		want bool
	}{{nil, false}, {[]string{"--kafka-prefix", "r."}, true}, {[]string{"--kafka-prefix", "r.", "--clickhouse-database", "r"}, false}} {
		code, out, errOut := livemeter(t, "", append(args, one.more...)...)
		if code != exitOK || strings.Contains(out, hint) != one.want {
			t.Errorf("%v: exit code %d, says %q, %s; want %q in it: %v", one.more, code, out, errOut, hint, one.want)
		}
	}
}

// TestClickHouseFlags: a command that is printed to be pasted finds the ClickHouse that this one knows.
func TestClickHouseFlags(t *testing.T) {
	cfg := config.Default()
	for _, c := range []struct {
		database string
		given    map[string]string
		want     string
	}{
		{"livemeter", nil, " --clickhouse-addr 127.0.0.1:8123"},
		{"shop", nil, " --clickhouse-addr 127.0.0.1:8123 --clickhouse-database shop"},
		{"livemeter", map[string]string{"clickhouse.database": "livemeter", "clickhouse.protocol": "native", "clickhouse.tls.enabled": "true", "kafka.prefix": "p."},
			" --clickhouse-addr 127.0.0.1:8123 --clickhouse-database livemeter --clickhouse-protocol=native --clickhouse-tls-enabled=true"},
	} {
		cfg.ClickHouse.Database = c.database
		if got := clickHouseFlags(cfg, c.given); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestGenerateDoubtsThePrefix: topics that it made itself, and those that nobody collects, are most likely those of a wrong prefix.
func TestGenerateDoubtsThePrefix(t *testing.T) {
	brokers := testengine.FakeKafka(t)
	says := func(want string) {
		t.Helper()
		code, out, errOut := livemeter(t, "", "generate", "--events", "10", "--rate", "0", "--kafka-brokers", brokers[0], "--kafka-prefix", "p.")
		if code != exitOK || strings.Contains(errOut, "is --kafka-prefix right?") != (want != "") || !strings.Contains(errOut, want) {
			t.Errorf("exit code %d, want 0 and %q: %s%s", code, want, out, errOut)
		}
	}
	says("p.raw.* were not there and have just been created")
	says("no collector reads p.raw.*: is --kafka-prefix right?")
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	adm := kadm.NewClient(client)
	defer adm.Close()
	cfg := config.Default()
	cfg.Kafka.Prefix = "p."
	offsets := kadm.Offsets{}
	offsets.AddOffset("p.raw.viewer", 0, 1, -1)
	if err := adm.CommitAllOffsets(t.Context(), service.RawGroup(cfg, event.TopicViewer), offsets); err != nil {
		t.Fatal(err)
	}
	says("")
}

// TestGenerateNoEvents: a number of 0 is not one without end.
func TestGenerateNoEvents(t *testing.T) {
	for _, n := range []string{"0", "-5"} {
		if code, _, errOut := livemeter(t, "", "generate", "--events="+n, "--kafka-brokers", "127.0.0.1:1"); code != exitUsage || !strings.Contains(errOut, "above 0") {
			t.Errorf("--events=%s: exit code %d, says %q", n, code, errOut)
		}
	}
}

// TestUsageOfDurations: those of flags are those of the configuration, days included.
func TestUsageOfDurations(t *testing.T) {
	if code, _, errOut := livemeter(t, "", "kpi", "--last", "1d", "--clickhouse-addr", "127.0.0.1:1"); code != exitFail || !strings.Contains(errOut, "does not answer") {
		t.Errorf("--last 1d: exit code %d, want 1 for a ClickHouse that is not there: %s", code, errOut)
	}
	if _, _, errOut := livemeter(t, "", "kpi", "--last", "5"); !strings.Contains(errOut, "want a duration such as") {
		t.Errorf("--last 5: %s", errOut)
	}
}
