package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/livemeter/livemeter/bench/festival"
)

// simulatedRate is the clock of the backlogs: events a second. Fewer make more windows an event.
const simulatedRate = 20_000

func measureAll(ctx context.Context, o options) (err error) {
	b, err := newBed(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	r := newReport(ctx, b)
	steps := map[string]func(context.Context, *report) error{
		"backlog": b.measureBacklog, "peer": b.measurePeer, "stages": b.measureStages, "latency": b.measureLatency, "memory": b.measureMemory, "moves": b.measureMoves,
	}
	for _, name := range sections {
		if !o.wants(name) {
			continue
		}
		if err := steps[name](ctx, r); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", name, err), r.finish())
		}
	}
	return r.finish()
}

const backlogPrefix = "backlog."

// backlog fills the raw topics once.
func (b *bed) backlog(ctx context.Context) error {
	if b.loaded {
		return nil
	}
	stats, err := b.load(ctx, backlogPrefix, festival.Config{Rooms: b.o.rooms, Viewers: b.o.viewers, Rate: simulatedRate}, b.o.events)
	if err == nil {
		b.loaded = true
		b.say("%d bytes an event", stats.Bytes/stats.Acked)
	}
	return err
}

// measureBacklog lets floor and run take turns, so that both meet the same weather.
func (b *bed) measureBacklog(ctx context.Context, r *report) error {
	if err := b.backlog(ctx); err != nil {
		return err
	}
	for i := range b.o.repeats {
		f, err := floor(ctx, b.kafka.Brokers(), backlogPrefix)
		if err != nil {
			return err
		}
		c, err := b.catchUp(ctx, backlogPrefix, b.o.events)
		if err != nil {
			return err
		}
		r.floors, r.caught = append(r.floors, f), append(r.caught, c)
		b.say("%d: floor %.2f µs an event, run %.2f, ClickHouse %.2f (%.2f with merges), %.0f rows in %.0f inserts", i+1, micros(f.CPU, f.Events),
			c.perEvent(c.run), c.perEvent(c.store), c.perEvent(c.merges), c.rows, c.inserts)
	}
	r.backlog()
	return nil
}

func (b *bed) measurePeer(ctx context.Context, r *report) error {
	if err := b.backlog(ctx); err != nil {
		return err
	}
	for range b.o.repeats {
		p, err := b.peer(ctx, backlogPrefix)
		if err != nil {
			return err
		}
		b.say("ClickHouse's Kafka engine: %.2f µs an event, %d rows, %d threads", micros(p.cpu, p.events), p.rows, p.pool)
		r.peers = append(r.peers, p)
	}
	r.peer()
	return nil
}

// measureStages runs collector and reader one after the other, without a store, at several numbers of rooms.
func (b *bed) measureStages(ctx context.Context, r *report) error {
	events := min(b.o.events, 2_000_000)
	for _, rooms := range []int{100, 10_000, 50_000} {
		prefix := fmt.Sprintf("rooms%d.", rooms)
		if _, err := b.load(ctx, prefix, festival.Config{Rooms: rooms, Viewers: b.o.viewers, Rate: simulatedRate}, events); err != nil {
			return err
		}
		var f []stageFigures
		for range b.o.repeats {
			one, err := b.stages(ctx, prefix)
			if err != nil {
				return err
			}
			f = append(f, one)
			b.say("%d rooms: collector %.2f µs an event, reader %.2f, %d rows", rooms, one.collector.perEvent(), one.reader.perEvent(), one.reader.Rows)
		}
		r.stages = append(r.stages, median(f, func(s stageFigures) float64 { return s.sum() }))
		r.stages[len(r.stages)-1].rooms = rooms
		if err := b.drop(ctx, prefix); err != nil {
			return err
		}
	}
	r.rooms()
	return nil
}

// stageFigures are collector and reader at a number of rooms.
type stageFigures struct {
	rooms             int
	collector, reader stageResult
}

func (s stageFigures) sum() float64 { return s.collector.perEvent() + s.reader.perEvent() }

func (b *bed) stages(ctx context.Context, prefix string) (out stageFigures, err error) {
	if err = b.forget(ctx, prefix); err != nil {
		return out, err
	}
	if out.collector, err = stage(ctx, "collector", b.kafka.Brokers(), prefix); err != nil {
		return out, err
	}
	out.reader, err = stage(ctx, "reader", b.kafka.Brokers(), prefix)
	return out, err
}

func (b *bed) measureLatency(ctx context.Context, r *report) error {
	for _, s := range strings.Split(b.o.rates, ",") {
		rate, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return fmt.Errorf("--rates: %w", err)
		}
		l, err := b.latency(ctx, rate)
		if err != nil {
			return err
		}
		r.latency(l)
	}
	return nil
}

func (b *bed) measureMemory(ctx context.Context, r *report) error {
	m, err := b.memory(ctx)
	if err == nil {
		r.memory(m)
	}
	return err
}

func (b *bed) measureMoves(ctx context.Context, r *report) error {
	for _, wiring := range [][]string{{"run"}, {"collector", "enricher", "aggregator"}} {
		m, err := b.moves(ctx, wiring)
		if err != nil {
			return err
		}
		r.moves(m)
	}
	return nil
}

// median is the element in the middle by f.
func median[T any](all []T, f func(T) float64) T {
	sorted := slices.SortedFunc(slices.Values(all), func(a, b T) int { return cmp.Compare(f(a), f(b)) })
	return sorted[len(sorted)/2]
}

// spread is the distance between lowest and highest, as a share of the median.
func spread[T any](all []T, f func(T) float64) float64 {
	low, high := f(all[0]), f(all[0])
	for _, a := range all {
		low, high = min(low, f(a)), max(high, f(a))
	}
	return (high - low) / f(median(all, f))
}

// machine says what all this ran on.
func machine() string {
	model := "unknown CPU"
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return model
}
