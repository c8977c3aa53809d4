//go:build synctests

package exact

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// mutant breaks one invariant of DESIGN.md by one replacement in one file.
type mutant struct{ name, file, old, new string }

// mutants are what the simulation has to notice.
var mutants = []mutant{
	{"provenance is not looked at", "pipeline/enrich/enricher.go",
		"if n.Offset <= row.offset {", "if n.Offset < -1 {"},
	{"the watermark is the fastest source's", "pipeline/enrich/sources.go",
		"low == 0 || r.recv < low", "low == 0 || r.recv > low"},
	{"a claim is sent before the blocks that it speaks of", "pipeline/runtime/collector_send.go",
		"\tfor p := range int(s.cfg.Settings.Partitions) {\n\t\ts.seal(p)\n\t}\n\tif due {", "\tif !due {\n\t\tfor p := range int(s.cfg.Settings.Partitions) {\n\t\t\ts.seal(p)\n\t\t}\n\t}\n\tif due {"},
	{"a partition goes on one record after its state", "pipeline/runtime/reader_partition.go",
		"t.begun, t.changed = saved >= 0", "t.next += int64(min(1, max(0, saved)))\n\tt.begun, t.changed = saved >= 0"},
	{"event ids are claimed outside the checkpoint", "pipeline/enrich/snapshot.go",
		"\te.eachID(slot, v, e.oldestSaved, func(uint64, uint32) { n++ })\n\tw.Uint(uint64(n))\n\te.eachID(slot, v, e.oldestSaved,",
		"\tw.Uint(uint64(n))\n\te.eachID(slot, v, 1<<32-1,"},
	{"of two versions the later one may be the lower", "pipeline/aggregate/row.go",
		"to.Version = append(to.Version, uint64(a.offset))", "to.Version = append(to.Version, uint64(a.offset)^63)"},
	{"a window opened again has the generation of the one before", "pipeline/aggregate/open.go",
		"id.window, uint64(a.offset)", "id.window, uint64(id.window)"},
	{"a refused row counts as written", "pipeline/aggregate/ack.go",
		"Nack(token uint64) { a.settle(token, true) }", "Nack(token uint64) { a.settle(token, false) }"},
}

// mutantSeeds is how many seeds there are to notice a mutant.
const mutantSeeds = 50

// The list follows the code: a piece that is not there any more, or twice, is no mutant.
func TestMutantsAreOfTheCode(t *testing.T) {
	for _, m := range mutants {
		m.mutated(t, repository(t))
	}
}

func repository(t *testing.T) string {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// The simulation bites: each mutant fails within mutantSeeds seeds. It takes minutes (`make mutants`).
func TestMutants(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			out := m.simulate(t, repository(t))
			seen := regexp.MustCompile(`--- FAIL: TestSimulation/(\d+)`).FindStringSubmatch(out)
			if seen == nil {
				t.Fatalf("not noticed by %d seeds: %s", mutantSeeds, out)
			}
			t.Logf("noticed by seed %s: %s", seen[1], firstComplaint(out))
		})
	}
}

// mutated is the mutant's file.
func (m *mutant) mutated(t *testing.T, root string) string {
	code, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(code), m.old); n != 1 {
		t.Fatalf("%s: %s has %d times what is replaced: %s", m.name, m.file, n, m.old)
	}
	return strings.Replace(string(code), m.old, m.new, 1)
}

// simulate builds the simulation with the mutant in place of its file, and runs it until the first seed fails.
func (m *mutant) simulate(t *testing.T, root string) string {
	dir, source := t.TempDir(), filepath.Join(root, m.file)
	mutated, overlay, binary := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "sim")
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{source: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{mutated: m.mutated(t, root), overlay: string(list)} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-vet=off", "-tags", "synctests", "-overlay", overlay, "-o", binary, "./bench/exact")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the mutant does not compile: %v\n%s", err, out)
	}
	var all strings.Builder
	for from := 1; from <= mutantSeeds; from += 10 {
		run := exec.CommandContext(t.Context(), binary, "-test.run", "^TestSimulation$", "-test.timeout", "5m", "-seeds", "10", "-from", fmt.Sprint(from))
		out, err := run.CombinedOutput()
		all.Write(out)
		if err != nil {
			break
		}
	}
	return all.String()
}

// firstComplaint is the line after the first failure's, shortened.
func firstComplaint(out string) string {
	_, rest, _ := strings.Cut(out, "--- FAIL: TestSimulation/")
	_, rest, _ = strings.Cut(rest, "\n")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line[:min(len(line), 160)])
}
