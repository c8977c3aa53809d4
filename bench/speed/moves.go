package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/livemeter/livemeter/deploy/embedded/child"
)

const (
	movesRate       = 10_000 // events a second
	movesPartitions = 6
	movesRounds     = 2
	movesPoll       = 100 * time.Millisecond
	movesQuiet      = 5 * time.Second // between two moves
	movesSettle     = 3 * time.Second // after one, in which raw topics may still move
	movesLimit      = time.Minute
	sessionTimeout  = 10 * time.Second // of livemeter's groups
)

// Kinds of moves.
const (
	planned = "planned"
	killed  = "killed"
)

// movesResult is for how long rows of partitions did not go on while processes came and went.
type movesResult struct {
	wiring string
	gaps   map[string]*moveGaps
	quiet  []time.Duration // while nothing moved, sorted
}

// moveGaps are those of one kind of move, sorted: of partitions that have another owner after it, and of the others.
type moveGaps struct{ moved, stayed []time.Duration }

// moves starts and ends processes of a wiring under a steady stream.
func (b *bed) moves(ctx context.Context, wiring []string) (out movesResult, err error) {
	prefix := "moves" + strconv.Itoa(len(wiring)) + "."
	if err := b.topicsOf(ctx, prefix, movesPartitions); err != nil {
		return out, err
	}
	s, err := b.store(ctx)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	m := &mover{bed: b, prefix: prefix, wiring: wiring, store: s, progress: progress{seen: map[int][]time.Time{}, at: map[int]int64{}}}
	m.out = movesResult{wiring: strings.Join(wiring, ", "), gaps: map[string]*moveGaps{planned: {}, killed: {}}}
	defer func() {
		for _, t := range m.teams {
			t.kill()
		}
	}()
	if err := m.join(); err != nil {
		return out, err
	}
	generator, err := background(b.dir, "generate", b.o.livemeter, "generate", "--kafka-brokers", strings.Join(b.kafka.Brokers(), ","), "--kafka-prefix", prefix,
		"--topics-log-append-time=false", "--topics-replication", "1", "--topics-retention", "0", "--events-retention", "0", "--events-partitions", strconv.Itoa(movesPartitions),
		"--rate", strconv.Itoa(movesRate), "--viewers", strconv.Itoa(b.o.viewers), "--rooms", strconv.Itoa(b.o.rooms), "--seed", strconv.FormatUint(b.o.seed, 10))
	if err != nil {
		return out, err
	}
	defer generator.Kill()
	b.say("moves of %s at %d events/s: %s to warm up", m.out.wiring, movesRate, probeWarmUp)
	watching, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() { m.watch(watching, s.Addr()) })
	if err := sleep(ctx, probeWarmUp); err != nil {
		return out, err
	}
	for range movesRounds {
		for _, step := range []struct {
			what, kind string
			do         func() error
		}{{"1 → 2", planned, m.join}, {"2 → 3", planned, m.join}, {"3 → 2", planned, m.leave}, {"2 → 1", planned, m.leave}, {"1 → 2", planned, m.join}, {"2 → 1, SIGKILL", killed, m.die}} {
			if err := m.move(ctx, step.what, step.kind, step.do); err != nil {
				return out, err
			}
		}
	}
	for _, g := range m.out.gaps {
		slices.Sort(g.moved)
		slices.Sort(g.stayed)
	}
	slices.Sort(m.out.quiet)
	return m.out, errors.Join(b.drop(ctx, prefix))
}

// mover is a measurement of moves on its way.
type mover struct {
	*bed
	prefix   string
	wiring   []string
	store    *store
	teams    []team
	progress progress
	out      movesResult
}

// team is one process of each service.
type team []*pipeline

func (t team) kill() {
	for _, p := range t {
		p.Kill()
	}
}

func (m *mover) join() error {
	var t team
	for _, name := range m.wiring {
		p, err := m.service(name, m.prefix, m.store, "--events-partitions", strconv.Itoa(movesPartitions))
		if err != nil {
			t.kill()
			return err
		}
		t = append(t, p)
	}
	m.teams = append(m.teams, t)
	return nil
}

func (m *mover) last() (t team) {
	t, m.teams = m.teams[len(m.teams)-1], m.teams[:len(m.teams)-1]
	return t
}

// leave ends the processes of the last team at the same time.
func (m *mover) leave() error {
	var wg sync.WaitGroup
	t := m.last()
	errs := make([]error, len(t))
	for i, p := range t {
		wg.Go(func() { errs[i] = p.close() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (m *mover) die() error {
	m.last().kill()
	return nil
}

// move does something that moves partitions, and measures until they have come to rest.
func (m *mover) move(ctx context.Context, what, kind string, do func() error) error {
	before, err := m.rest(ctx)
	if err != nil {
		return err
	}
	quiet := time.Now()
	if err := sleep(ctx, movesQuiet); err != nil {
		return err
	}
	began := time.Now()
	if err := do(); err != nil {
		return err
	}
	after, err := m.rest(ctx)
	if err != nil {
		return err
	}
	took := time.Since(began)
	if err := sleep(ctx, movesSettle); err != nil {
		return err
	}
	g := m.out.gaps[kind]
	var told []string
	for part := range movesPartitions {
		gap := m.progress.longest(part, began, time.Now())
		m.out.quiet = append(m.out.quiet, m.progress.longest(part, quiet, began))
		name := strconv.Itoa(part)
		if before[part] != after[part] {
			g.moved, name = append(g.moved, gap), name+" moved"
		} else {
			g.stayed = append(g.stayed, gap)
		}
		told = append(told, fmt.Sprintf("%s %.1f s", name, gap.Seconds()))
	}
	m.say("%s: %s, at rest after %.1f s", what, strings.Join(told, ", "), took.Seconds())
	return nil
}

// rest waits until each partition has an owner that reads it, in each service, and all have about the same number. It returns who they are.
func (m *mover) rest(ctx context.Context) (map[int]string, error) {
	ctx, cancel := context.WithTimeout(ctx, movesLimit)
	defer cancel()
	for {
		owners, why := m.owners(ctx)
		if why == nil {
			return owners, nil
		}
		for _, t := range m.teams {
			for _, p := range t {
				select {
				case <-p.Done():
					return nil, fmt.Errorf("livemeter ended (%w); the end of %s:\n%s", p.Err(), p.log, child.Tail(p.log))
				default:
				}
			}
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return nil, errors.Join(err, why)
		}
	}
}

func (m *mover) owners(ctx context.Context) (map[int]string, error) {
	out := map[int]string{}
	for service, name := range m.wiring {
		if name == "collector" {
			continue
		}
		owned := 0
		for _, t := range m.teams {
			metrics, err := t[service].scrape(ctx)
			if err != nil {
				return nil, err
			}
			parts := partitionsOf(metrics)
			if n := len(parts); metrics["livemeter_reader_up"] != 1 || n < movesPartitions/len(m.teams) || n > (movesPartitions+len(m.teams)-1)/len(m.teams) {
				return nil, fmt.Errorf("a %s reads partitions %v", name, parts)
			}
			for _, part := range parts {
				out[part] += fmt.Sprintf("%s %d ", name, t[service].PID())
			}
			owned += len(parts)
		}
		if owned != movesPartitions {
			return nil, fmt.Errorf("%s: %d partitions are read", name, owned)
		}
	}
	return out, nil
}

// partitionsOf are those that a reader reads.
func partitionsOf(metrics map[string]float64) (out []int) {
	for name := range maps.Keys(metrics) {
		if !strings.HasPrefix(name, "livemeter_reader_offset{") {
			continue
		}
		_, after, _ := strings.Cut(name, `partition="`)
		number, _, _ := strings.Cut(after, `"`)
		if n, err := strconv.Atoi(number); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// progress is when ClickHouse was seen to have newer rows of a partition than before.
type progress struct {
	mu   sync.Mutex
	seen map[int][]time.Time
	at   map[int]int64
}

// watch looks until ctx ends. A version is an offset of events: what a row holds is what came before it. Rooms have rows that leave with every flush.
func (m *mover) watch(ctx context.Context, addr string) {
	for sleep(ctx, movesPoll) == nil {
		got, err := query(ctx, addr, "SELECT part, max(version) FROM livemeter.room_rows WHERE window_start > now() - 300 GROUP BY part SETTINGS max_threads = 1")
		if err != nil {
			continue // no table yet
		}
		now := time.Now()
		m.progress.mu.Lock()
		for line := range strings.Lines(got) {
			var part int
			var version int64
			if _, err := fmt.Sscan(line, &part, &version); err == nil && version > m.progress.at[part] {
				m.progress.at[part] = version
				m.progress.seen[part] = append(m.progress.seen[part], now)
			}
		}
		m.progress.mu.Unlock()
	}
}

// longest is for how long at most a partition stood still between two times.
func (p *progress) longest(part int, from, to time.Time) (longest time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := from
	for _, t := range p.seen[part] {
		if t.After(to) {
			break
		}
		if t.After(from) {
			longest = max(longest, t.Sub(before))
		}
		before = t
	}
	return max(longest, to.Sub(before))
}
