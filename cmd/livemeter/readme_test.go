package main

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// send is the README's snippet, to the letter.
func send(ctx context.Context, broker string, event []byte) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker)) // "localhost:9092"
	if err != nil {
		return err
	}
	defer client.Close()
	// Any key, any partition. The record's timestamp is the receive time.
	return client.ProduceSync(ctx, &kgo.Record{Topic: "raw.viewer", Value: event}).FirstErr()
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestReadmeGoSnippet(t *testing.T) {
	_, snippet, _ := strings.Cut(readFile(t, root+"README.md"), "```go\n")
	snippet, _, _ = strings.Cut(snippet, "```")
	if snippet == "" || !strings.Contains(readFile(t, "readme_test.go"), "\n"+snippet) {
		t.Errorf("the README's snippet is not what this test runs:\n%s", snippet)
	}
	broker := testengine.FakeKafka(t)[0]
	if code, _, errOut := livemeter(t, "", "schema", "apply", "--no-clickhouse", "--kafka-brokers", broker); code != exitOK {
		t.Fatal(errOut)
	}
	if err := send(t.Context(), broker, []byte(enter)); err != nil {
		t.Error(err)
	}
}

// TestReadmeEvents: the lines that the shell makes of the README's are events that the collector accepts.
func TestReadmeEvents(t *testing.T) {
	_, script, _ := strings.Cut(readFile(t, root+"README.md"), "(a `view_id` is one visit of one room):\n```sh\n")
	script, _, ok := strings.Cut(script, "cat viewer.ndjson interaction.ndjson |")
	if !ok {
		t.Fatal("no events in the README")
	}
	sh := exec.CommandContext(t.Context(), "sh", "-c", script+"cat viewer.ndjson interaction.ndjson")
	sh.Dir = t.TempDir()
	lines, err := sh.Output()
	if err != nil {
		t.Fatal(err)
	}
	if code, out, _ := livemeter(t, string(lines), "check"); code != exitOK || strings.Count(string(lines), "\n") != 4 {
		t.Errorf("exit code %d: %s of\n%s", code, out, lines)
	}
}

// readmeQuery is the SELECT that the README shows, in another format and for another room.
func readmeQuery(t *testing.T, room string) string {
	t.Helper()
	m := regexp.MustCompile(`(?s)-d "(SELECT .*?) FORMAT PrettyCompact"`).FindStringSubmatch(readFile(t, root+"README.md"))
	if m == nil {
		t.Fatal("no query in the README")
	}
	return strings.ReplaceAll(m[1], "'r_1'", "'"+room+"'") + " FORMAT TSVWithNames"
}

// operators is the page for who keeps livemeter running.
const operators = root + "docs/operations.md"

// TestReadmeCommands: every command line of ours in the README and in the operators' page is one that the parser takes.
func TestReadmeCommands(t *testing.T) {
	for _, page := range []string{root + "README.md", operators} {
		for _, m := range regexp.MustCompile("`(?:bin/)?livemeter ([a-z][^`\n]*)`").FindAllStringSubmatch(readFile(t, page), -1) {
			line, _, _ := strings.Cut(m[1], " #")
			args := strings.Fields(strings.NewReplacer("[", "", "]", "").Replace(line))
			if code, _, errOut := livemeter(t, "", append(args, "--help")...); code != exitOK {
				t.Errorf("%s: livemeter %s: %s", page, line, errOut)
			}
		}
	}
}

// TestOperationsNames: the metrics and keys that the operators' page names are there.
func TestOperationsNames(t *testing.T) {
	page := readFile(t, operators)
	for of, name := range map[string]*regexp.Regexp{
		"metrics.md": regexp.MustCompile(`\blivemeter_[a-z_]+_[a-z]+\b`),
		"config.md":  regexp.MustCompile("`(?:events\\.(?:retention|partitions)|(?:topics|clickhouse|limits|admin|kafka|gateway)\\.[a-z_0-9.]+)`"),
	} {
		reference := readFile(t, root+"docs/"+of)
		found := name.FindAllString(page, -1)
		if len(found) < 5 {
			t.Errorf("the page names %q of %s: expected more", found, of)
		}
		for _, n := range found {
			if n = strings.Trim(n, "`"); n == "clickhouse.ttl" || n == "livemeter_rejected_reader" { // a section, a role
				continue
			}
			if !strings.Contains(reference, "|`"+n+"`|") {
				t.Errorf("%s is not in docs/%s", n, of)
			}
		}
	}
}
