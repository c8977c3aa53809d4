package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/livemeter/livemeter/"

// rules say what the packages of a folder may import of this module, tests apart. The longest prefix that fits decides.
var rules = map[string][]string{
	"cmd": {"cmd", "pipeline", "sinks", "schemas", "deploy", "bench/festival", "bench/ledger", "bench/chaos/faults"},

	// leaves
	"pipeline/event":   {"pipeline/event"},
	"pipeline/measure": {},
	"pipeline/rollup":  {"pipeline/measure"},
	"pipeline/slab":    {},
	"pipeline/bucket":  {"pipeline/wire"},
	"pipeline/wire":    {},
	"pipeline/cellkey": {"pipeline/bucket", "pipeline/measure", "pipeline/slab", "pipeline/wire"},
	// what passes between stages
	"pipeline/eventlog": {"pipeline/event"},
	"pipeline/change":   {"pipeline/cellkey", "pipeline/eventlog", "pipeline/measure", "pipeline/rollup", "pipeline/wire"},
	// stages: none knows another, none knows Kafka's runtime
	"pipeline/collect":   {"pipeline/event", "pipeline/eventlog"},
	"pipeline/enrich":    {"pipeline/bucket", "pipeline/change", "pipeline/event", "pipeline/eventlog", "pipeline/cellkey", "pipeline/measure", "pipeline/rollup", "pipeline/slab", "pipeline/wire"},
	"pipeline/aggregate": {"pipeline/bucket", "pipeline/change", "pipeline/eventlog", "pipeline/cellkey", "pipeline/measure", "pipeline/rollup", "pipeline/slab", "pipeline/wire"},
	// what runs them
	"pipeline/runtime": {"pipeline/collect", "pipeline/event", "pipeline/eventlog", "pipeline/rollup"},
	"pipeline/fused":   {"pipeline/runtime", "pipeline/enrich", "pipeline/aggregate", "pipeline/change", "pipeline/eventlog", "pipeline/cellkey", "pipeline/rollup", "pipeline/wire"},
	"pipeline/gateway": {"pipeline/event"},
	"pipeline/admin":   {},

	"sinks":          {"sinks", "pipeline/rollup", "pipeline/measure"},
	"schemas":        {},
	"deploy":         {"deploy"},
	"bench":          {"bench", "pipeline", "sinks", "schemas", "deploy"},
	"bench/festival": {"bench/ledger"},
	"bench/ledger":   {},

	"bench/chaos/faults": {},
}

// foreign says which folders may import what is not ours and not the standard library, tests apart. Where a module's prefix stands here, all other
// folders may not. So whatever is between collector and sink is the same without Kafka, without a store and without metrics; the benchmark and what
// starts engines are no part of the data path.
var foreign = map[string][]string{
	"github.com/twmb/franz-go":      {"pipeline/runtime", "pipeline/gateway", "cmd/livemeter", "deploy/embedded", "bench/festival", "bench/speed", "bench/chaos"}, // Kafka
	"github.com/ClickHouse":         {"sinks/clickhouse", "cmd/livemeter/service", "cmd/livemeter/ui", "deploy/embedded/chhttp", "bench/ledger"},                  // the store
	"github.com/prometheus":         {"pipeline/runtime", "pipeline/gateway", "pipeline/admin", "sinks/clickhouse", "cmd/livemeter/service", "bench/speed"},
	"go.uber.org/zap":               {"pipeline/runtime", "pipeline/gateway", "pipeline/admin", "sinks/clickhouse", "cmd/livemeter", "bench/speed"},
	"github.com/alecthomas/kong":    {"cmd/livemeter"},
	"gopkg.in/yaml.v3":              {"cmd/livemeter/config"},
	"github.com/segmentio/encoding": {"pipeline/event"},
	"github.com/cespare/xxhash":     {"pipeline/collect"},
}

// alone are packages that import nothing but ours and the standard library: what a partition holds is a function of its records.
var alone = []string{"pipeline/enrich", "pipeline/aggregate", "pipeline/fused", "pipeline/change", "pipeline/eventlog", "pipeline/cellkey", "pipeline/bucket",
	"pipeline/measure", "pipeline/rollup", "pipeline/wire", "sinks/conformance", "bench/exact", "bench/chaos/faults", "schemas"}

// checkForeign looks at one import that is not ours.
func checkForeign(t *testing.T, from, path string) {
	first, _, _ := strings.Cut(path, "/")
	if !strings.Contains(first, ".") {
		return // the standard library
	}
	if below(from, alone) {
		t.Errorf("%s imports %s; it stands alone", from, path)
	}
	for prefix, allowed := range foreign {
		if below(path, []string{prefix}) && !below(from, allowed) {
			t.Errorf("%s imports %s; allowed are %v", from, path, allowed)
		}
	}
}

// TestImportsGoOneWay: a sink knows no stage, a stage knows neither store nor another stage, and the judges (festival, ledger) know nothing of what they judge.
func TestImportsGoOneWay(t *testing.T) {
	type pkg struct {
		ImportPath string
		Imports    []string
	}
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %s", exit.Stderr)
		}
		t.Fatal(err)
	}
	seen := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); ; seen++ {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		from := strings.TrimPrefix(p.ImportPath, module)
		allowed, ok := ruleFor(from)
		if !ok {
			t.Errorf("%s: no rule says what it may import", from)
		}
		for _, i := range p.Imports {
			to, ours := strings.CutPrefix(i, module)
			if !ours {
				checkForeign(t, from, i)
			} else if !below(to, allowed) {
				t.Errorf("%s imports %s; allowed are %v", from, to, allowed)
			}
		}
	}
	if seen < 10 {
		t.Fatalf("go list found only %d packages", seen)
	}
}

func ruleFor(path string) (allowed []string, ok bool) {
	longest := -1
	for prefix, a := range rules {
		if below(path, []string{prefix}) && len(prefix) > longest {
			allowed, ok, longest = a, true, len(prefix)
		}
	}
	return allowed, ok
}

func below(path string, prefixes []string) bool {
	for _, p := range prefixes {
		if path == p || strings.HasPrefix(path, p+"/") {
			return true
		}
	}
	return false
}
