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
	"cmd": {"cmd", "pipeline", "sinks", "schemas", "deploy", "bench/festival", "bench/ledger"},

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
			if to, ours := strings.CutPrefix(i, module); ours && !below(to, allowed) {
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
