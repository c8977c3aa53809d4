package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/deploy/embedded/testengine"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// applySchema makes the tables of a test.
func applySchema(t *testing.T, flags []string) {
	t.Helper()
	if code, _, errOut := livemeter(t, "", append([]string{"schema", "apply", "--no-kafka"}, flags...)...); code != exitOK {
		t.Fatal(errOut)
	}
}

// TestSchemaApplySaysWhatItCreated: the first time all, the second nothing.
func TestSchemaApplySaysWhatItCreated(t *testing.T) {
	addr, database := testengine.ClickHouse(t)
	args := []string{"schema", "apply", "--kafka-brokers", testengine.FakeKafka(t)[0], "--clickhouse-addr", addr, "--clickhouse-database", database}
	created := regexp.MustCompile(`(?m)^(Kafka|ClickHouse) .* (\d+) of them created now$`)
	for run, want := range []func(kafka, store string) bool{
		func(kafka, store string) bool {
			return kafka == strconv.Itoa(len(event.TopicNames)+len(runtime.DimTopics)+6) && // three of the log, three changelogs
				store == strings.TrimSpace(testengine.Exec(t, addr, "SELECT count() FROM system.tables WHERE database = '"+database+"'"))
		},
		func(kafka, store string) bool { return kafka == "0" && store == "0" },
	} {
		code, out, errOut := livemeter(t, "", args...)
		m := slices.Concat(created.FindAllStringSubmatch(out, -1)...)
		if code != exitOK || len(m) != 6 || !want(m[2], m[5]) {
			t.Errorf("run %d: exit code %d, says %s%s", run, code, out, errOut)
		}
	}
}
