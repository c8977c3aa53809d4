package ledger

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// vector is a record of schemas/testdata and what must become of it; its README says how the files are read. This reader is the judge's
// own: the pipeline's tests have another.
type vector struct {
	at, topic, record string
	want              fault
}

// The judge gives each vector the verdict that it is filed under, with its field, and counts it as that.
func TestVectors(t *testing.T) {
	vectors := readVectors(t)
	l, err := New(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range vectors {
		var p parser
		if _, _, got := p.decode(v.topic, v.record, t0); got != v.want {
			t.Errorf("%s: %v, want %v\n%.420s", v.at, got, v.want, v.record)
		}
		l.Add(v.topic, int32(i), 0, nil, []byte(v.record), t0)
	}
	truth, err := l.Finish()
	if err != nil {
		t.Fatal(err)
	}
	counted := map[int32]bool{}
	for k, n := range truth.Outcomes {
		v := vectors[k.Partition]
		if invalid := k.Outcome == "invalid"; invalid != (v.want.reason != "") || k.Reason != v.want.reason || n != 1 {
			t.Errorf("%s: %d %s %s, want %v", v.at, n, k.Outcome, k.Reason, v.want)
		}
		counted[k.Partition] = true
	}
	if len(counted) != len(vectors) || len(vectors) < 500 {
		t.Errorf("%d of %d vectors have an outcome", len(counted), len(vectors))
	}
}

func readVectors(t *testing.T) (out []vector) {
	t.Helper()
	for _, typ := range types {
		for at, line := range linesOf(t, "valid/"+typ+".ndjson") {
			out = append(out, vector{at: at, topic: "raw." + typ, record: line})
		}
	}
	files, err := filepath.Glob(testdata + "invalid/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files in %sinvalid: %v", len(files), testdata, err)
	}
	for _, f := range files {
		name := filepath.Base(f)
		for at, line := range linesOf(t, "invalid/"+name) {
			out = append(out, invalidVector(t, at, strings.TrimSuffix(name, ".txt"), line))
		}
	}
	return out
}

const testdata = "../../schemas/testdata/"

// linesOf yields each line of a file with where it stands.
func linesOf(t *testing.T, name string) func(yield func(at, line string) bool) {
	t.Helper()
	text, err := os.ReadFile(testdata + name)
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(at, line string) bool) {
		n := 0
		for line := range strings.Lines(string(text)) {
			if n++; !yield(name+":"+strconv.Itoa(n), strings.TrimSuffix(line, "\n")) {
				return
			}
		}
	}
}

func invalidVector(t *testing.T, at, reason, line string) vector {
	t.Helper()
	topic, rest, _ := strings.Cut(line, " ")
	field, record, ok := strings.Cut(rest, " ")
	if !ok {
		t.Fatalf("%s: no TOPIC FIELD RECORD: %q", at, line)
	}
	if field == "-" {
		field = ""
	}
	if strings.HasPrefix(record, `"`) {
		var err error
		if record, err = strconv.Unquote(record); err != nil {
			t.Fatalf("%s: %v", at, err)
		}
	}
	return vector{at, "raw." + topic, record, fault{reason, field}}
}
