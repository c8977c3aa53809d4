package fused

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livemeter/livemeter/pipeline/runtime"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// Each file of testdata is a list of events in a small language, a line `---`, and the rows that the store holds afterwards: all of them, or
// those that begin with the words of a `show` line. Times are seconds after 2026-11-24 12:00 in Shanghai, or sums like 30d+1h-0.001.
// Each is played in one process and as separate services.
func TestGolden(t *testing.T) {
	for f, g := range goldens(t) {
		in, want := g.in, g.want
		for _, flush := range []int{1, 3, 1000} {
			for _, restart := range []int{0, 1, 2} {
				for name, start := range tasks {
					t.Run(fmt.Sprintf("%s/%s/flush=%d/restart=%d", filepath.Base(f), name, flush, restart), func(t *testing.T) {
						got := play(t, start, in, flush, restart)
						if *rewrite && flush == 1 && restart == 0 && name == "run" {
							if err := os.WriteFile(f, []byte(in+"\n---\n"+got), 0o644); err != nil {
								t.Fatal(err)
							}
							want = got
						}
						if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); d != "" {
							t.Errorf("rows differ (-want +got):\n%s", d)
						}
					})
				}
			}
		}
	}
}

// golden is a script and the rows that the store holds afterwards.
type golden struct{ in, want string }

// goldens are all of testdata, by path.
func goldens(t *testing.T) map[string]golden {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	all := map[string]golden{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		in, want, _ := strings.Cut(string(raw), "\n---\n")
		all[f] = golden{in, want}
	}
	return all
}

var tasks = map[string]func() runtime.Task{
	"run":      func() runtime.Task { return NewRun(0, nil) },
	"pieces":   newPieceByPiece,
	"services": func() runtime.Task { return newServices() },
}

// newPieceByPiece is a run whose rounds of rows leave cube by cube.
func newPieceByPiece() runtime.Task {
	t := NewRun(0, nil)
	t.(*Task).Pieces(1, 1)
	return t
}

const golden0 = int64(1795492800000) // 2026-11-24T04:00:00Z

// play runs a script through a task. flush is how many lines pass between flushes; restart, after how many lines the task is saved and
// restored; rows that left just before never arrive.
func play(t *testing.T, start func() runtime.Task, script string, flush, restart int) string {
	t.Helper()
	p := newPlayer(t, start())
	p.start = start
	n := 0
	for line := range strings.Lines(script) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		p.line(line)
		n++
		again := restart != 0 && n%restart == 0
		if n%flush == 0 {
			p.flush(!again)
		}
		if task, ok := p.task.(*Task); ok && flush == 3 { // far more often than it comes by itself
			task.sweepKeys()
		}
		if again {
			p.restart()
		}
	}
	for range 10 { // all has its turn within five flushes, and a generation that waits for the one before it within five more
		p.flush(true)
		for p.more {
			p.flush(true)
		}
	}
	return p.store.text()
}
