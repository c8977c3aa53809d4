package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/livemeter/livemeter/deploy/embedded/engines"
)

// report collects figures and shows them beside what is asked of them.
type report struct {
	bed    *bed
	head   []string
	rows   []row
	notes  []string
	floors []floorResult
	caught []caughtUp
	peers  []peerResult
	stages []stageFigures
}

// row is one figure. must and aim are bounds, from above unless more is better.
type row struct {
	name, value string
	number      float64
	must, aim   float64
	unit        string
	more        bool // is better
}

func (r row) bound(b float64) string {
	sign := "≤ "
	if r.more {
		sign = "≥ "
	}
	return fmt.Sprintf("%s%g%s %s", sign, b, r.unit, map[bool]string{true: "✓", false: "✗ missed"}[(r.number <= b) != r.more || r.number == b])
}

func newReport(ctx context.Context, b *bed) *report {
	r := &report{bed: b}
	r.head = []string{
		fmt.Sprintf("Machine: %s, %d cores, %s/%s, load average %s when it began.", machine(), goruntime.NumCPU(), goruntime.GOOS, goruntime.GOARCH, load()),
		fmt.Sprintf("Versions: livemeter %s, %s, Apache Kafka %s, ClickHouse of libchdb %s, franz-go %s, %s.", revision(ctx), goruntime.Version(), engines.KafkaVersion,
			engines.ClickHouseVersion, moduleVersion("github.com/twmb/franz-go"), javaVersion(ctx)),
		fmt.Sprintf("Workload: bench/festival with all faults, seed %d: %d events of %d rooms (Zipf 1.1) and %d viewers at %d events a simulated second, in 2 partitions of each raw topic; "+
			"2 partitions of events. Costs are CPU time (user + system) of processes, the median of %d repeats.", b.o.seed, b.o.events, b.o.rooms, b.o.viewers, simulatedRate, b.o.repeats),
	}
	if b.o.runFlags != "" {
		r.head = append(r.head, "livemeter run with "+b.o.runFlags+".")
	}
	return r
}

func (r *report) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

func (r *report) add(rows ...row) { r.rows = append(r.rows, rows...) }

// fact is a figure of which nothing is asked.
func fact(name, format string, args ...any) row {
	return row{name: name, value: fmt.Sprintf(format, args...)}
}

func (r *report) ratio(i int) float64 {
	return r.caught[i].perEvent(r.caught[i].run) / micros(r.floors[i].CPU, r.floors[i].Events)
}

func (r *report) ratioWithStore(i int) float64 {
	c := r.caught[i]
	return c.perEvent(c.run+c.store) / micros(r.floors[i].CPU, r.floors[i].Events)
}

func (r *report) backlog() {
	turns := make([]int, len(r.floors))
	for i := range turns {
		turns[i] = i
	}
	ratio, with := r.ratio(median(turns, r.ratio)), r.ratioWithStore(median(turns, r.ratioWithStore))
	f := median(r.floors, func(f floorResult) float64 { return micros(f.CPU, f.Events) })
	c := median(r.caught, func(c caughtUp) float64 { return c.perEvent(c.run) })
	s := median(r.caught, func(c caughtUp) float64 { return c.perEvent(c.store) })
	m := median(r.caught, func(c caughtUp) float64 { return c.perEvent(c.merges) })
	r.add(
		fact("floor: consume, decode, validate, CPU per event", "%.2f µs", micros(f.CPU, f.Events)),
		fact("run, CPU per event", "%.2f µs", c.perEvent(c.run)),
		fact("ClickHouse for it, CPU per event", "%.2f µs", s.perEvent(s.store)),
		row{name: "CPU per event of run ÷ floor", value: fmt.Sprintf("%.2f×", ratio), number: ratio, must: 3.2, aim: 2.4, unit: "×"},
		row{name: "the same with ClickHouse's CPU", value: fmt.Sprintf("%.2f×", with), number: with, must: 4.5, aim: 3, unit: "×"},
	)
	r.note("Backlog: %d events, %.0f rows in %.0f inserts (%.2f rows an event: %s), %.1f s by the clock; %.2f µs an event of ClickHouse when its merges had come to rest. "+
		"Lowest to highest of the repeats: floor %.0f %%, run %.0f %%, ClickHouse %.0f %%.", c.events, c.rows, c.inserts, c.rows/float64(c.events), c.tables(), c.wall.Seconds(), m.perEvent(m.merges),
		100*spread(r.floors, func(f floorResult) float64 { return micros(f.CPU, f.Events) }),
		100*spread(r.caught, func(c caughtUp) float64 { return c.perEvent(c.run) }), 100*spread(r.caught, func(c caughtUp) float64 { return c.perEvent(c.store) }))
}

func (r *report) peer() {
	p := median(r.peers, func(p peerResult) float64 { return micros(p.cpu, p.events) })
	theirs := 1 / micros(p.cpu, p.events)
	r.add(fact("ClickHouse's Kafka engine, events per CPU-second", "%.2f M", theirs))
	r.note("ClickHouse's own Kafka engine (%s, %d threads for it): RawBLOB, two consumers, one materialized view that parses each record once into seven measures "+
		"of 10 s windows by room; no validation, no deduplication, no other window. %d rows.", p.version, p.pool, p.rows)
	if len(r.caught) == 0 {
		return
	}
	c := median(r.caught, func(c caughtUp) float64 { return c.perEvent(c.run + c.store) })
	ours := 1 / c.perEvent(c.run+c.store)
	r.add(fact("livemeter with ClickHouse's CPU, events per CPU-second", "%.2f M", ours),
		row{name: "livemeter ÷ Kafka engine, events per CPU-second", value: fmt.Sprintf("%.2f×", ours/theirs), number: ours / theirs, must: 1, aim: 2, unit: "×", more: true})
}

func (r *report) rooms() {
	var parts []string
	for _, s := range r.stages {
		parts = append(parts, fmt.Sprintf("%d rooms: collector %.2f, reader %.2f µs an event (%.2f rows an event)", s.rooms, s.collector.perEvent(), s.reader.perEvent(),
			float64(s.reader.Rows)/float64(s.reader.Events)))
	}
	r.note("Stages, one after the other, rows counted and dropped, checkpoints on: %s.", strings.Join(parts, "; "))
	first, last := r.stages[0], r.stages[len(r.stages)-1]
	ratio := last.sum() / first.sum()
	r.add(row{name: fmt.Sprintf("CPU per event at %d rooms ÷ %d, no store", last.rooms, first.rooms), value: fmt.Sprintf("%.2f×", ratio), number: ratio, must: 2.5, aim: 1.6, unit: "×"})
}

func (r *report) latency(l latencyResult) {
	p50, p99 := float64(l.quantile(0.5).Milliseconds()), float64(l.quantile(0.99).Milliseconds())
	name := fmt.Sprintf("event → visible at %d ev/s", l.rate)
	r.add(row{name: name + ", p50", value: fmt.Sprintf("%.0f ms", p50), number: p50, aim: 200, unit: " ms"},
		row{name: name + ", p99", value: fmt.Sprintf("%.0f ms", p99), number: p99, must: 1000, aim: 500, unit: " ms"})
	var cores []string
	for name, n := range l.cores {
		cores = append(cores, fmt.Sprintf("%s %.2f", name, n))
	}
	slices.Sort(cores)
	r.note("At %d ev/s: %d probes in rooms of their own, asked for in the minutes of room_measures every %s or half the time; %d answers, which took %d ms (p50) and %d ms (p99) and show what was there when they were asked for: from event to that moment %d ms (p50) and %d ms (p99); %d probes not seen within %s; cores taken: %s; %.0f rows a second.", l.rate, len(l.delays), probePoll,
		len(l.looks), quantile(l.looks, 0.5).Milliseconds(), quantile(l.looks, 0.99).Milliseconds(), quantile(l.asked, 0.5).Milliseconds(), quantile(l.asked, 0.99).Milliseconds(), l.lost, probeLost, strings.Join(cores, ", "), l.rowsPerSec)
}

func (r *report) memory(m memoryResult) {
	per := m.perViewer()
	r.add(row{name: "resident memory per viewer", value: fmt.Sprintf("%.0f B", per), number: per, must: 600, aim: 300, unit: " B"})
	r.note("Memory: %d MB resident with %.0f viewers, %d MB with %.0f, all of them in one of %d rooms, after %d events each; %.0f B a viewer of the heap in use. "+
		"Cells are not in it: %.0f and %.0f of them are open at the end.", m.few.resident>>20, m.few.metrics[metricViewers], m.many.resident>>20, m.many.metrics[metricViewers], memoryRooms, m.events,
		m.more(metricHeap)/m.more(metricViewers), m.few.metrics[metricCells], m.many.metrics[metricCells])
}

func (r *report) moves(m movesResult) {
	planned, killed := m.gaps[planned], m.gaps[killed]
	p95, longest := quantile(planned.moved, 0.95).Seconds(), quantile(killed.moved, 1).Seconds()
	r.add(row{name: "freshness gap of a partition that moves, " + m.wiring + ", p95", value: fmt.Sprintf("%.1f s", p95), number: p95, must: 5, unit: " s"},
		row{name: "the same after a SIGKILL, longest", value: fmt.Sprintf("%.1f s", longest), number: longest, must: (sessionTimeout + 5*time.Second).Seconds(), unit: " s"},
		fact("partitions that do not move meanwhile, "+m.wiring+", p95", "%.1f s; %.1f s where nothing moves", quantile(planned.stayed, 0.95).Seconds(), quantile(m.quiet, 0.95).Seconds()))
	r.note("Moves of %s at %d ev/s, %d partitions of events, %d times 1 → 2 → 3 → 2 → 1 (SIGTERM) → 2 → 1 (SIGKILL): for how long rows of a partition in ClickHouse did not go on, %s apart. "+
		"Planned: %d moved, %.1f s (p50), %.1f s (longest); %d stayed, %.1f s (longest). Killed: %d moved, %.1f s (p50); %d stayed, %.1f s (p50), %.1f s (longest).",
		m.wiring, movesRate, movesPartitions, movesRounds, movesPoll, len(planned.moved), quantile(planned.moved, 0.5).Seconds(), quantile(planned.moved, 1).Seconds(), len(planned.stayed),
		quantile(planned.stayed, 1).Seconds(), len(killed.moved), quantile(killed.moved, 0.5).Seconds(), len(killed.stayed), quantile(killed.stayed, 0.5).Seconds(), quantile(killed.stayed, 1).Seconds())
}

func (r *report) write(w io.Writer) {
	fmt.Fprintln(w, "| figure | measured | must | aim |\n|---|---|---|---|")
	for _, row := range r.rows {
		must, aim := "", ""
		if row.must != 0 {
			must = row.bound(row.must)
		}
		if row.aim != 0 {
			aim = row.bound(row.aim)
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", row.name, row.value, must, aim)
	}
	fmt.Fprintln(w)
	for _, n := range slices.Concat(r.head, r.notes) {
		fmt.Fprintf(w, "- %s\n", n)
	}
}

// finish prints the table and writes the file, also of a run that broke off: what it has is true.
func (r *report) finish() error {
	r.head[0] += fmt.Sprintf(" At the end it was %s.", load())
	r.write(os.Stdout)
	if r.bed.o.out == "" {
		return nil
	}
	f, err := os.Create(r.bed.o.out)
	if err != nil {
		return err
	}
	fmt.Fprintf(f, "# Speed\n\nWritten by `make bench` (bench/speed) on %s. Trust the ratios: each is taken within one run.\n\n", time.Now().UTC().Format("2006-01-02"))
	r.write(f)
	return errors.Join(f.Close())
}

func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(b)); err == nil && len(fields) > 0 {
		return fields[0]
	}
	return "unknown"
}

func revision(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "of unknown revision"
	}
	return strings.TrimSpace(string(out))
}

func javaVersion(ctx context.Context) string {
	java, err := engines.Java(ctx)
	if err != nil {
		return "no Java"
	}
	out, _ := exec.CommandContext(ctx, java, "-version").CombinedOutput()
	first, _, _ := strings.Cut(string(out), "\n")
	return filepath.Base(java) + ": " + first
}

func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, d := range info.Deps {
		if d.Path == path {
			return d.Version
		}
	}
	return ""
}
