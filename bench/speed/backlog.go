package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// caughtUp is one catching up of `livemeter run`.
type caughtUp struct {
	events   int64
	run      time.Duration // CPU of the process
	store    time.Duration // CPU of ClickHouse until all rows were acknowledged
	merges   time.Duration // and until its merges had come to rest
	wall     time.Duration
	rows     float64
	inserts  float64
	resident int64
	metrics  map[string]float64
}

// tables says how many rows went into each table.
func (c caughtUp) tables() string {
	var parts []string
	for name, n := range c.metrics {
		if table, ok := strings.CutPrefix(name, `livemeter_clickhouse_rows_total{table="`); ok && n >= 1000 {
			parts = append(parts, fmt.Sprintf("%s %.0f", strings.TrimSuffix(table, `"}`), n))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func (c caughtUp) perEvent(d time.Duration) float64 { return micros(d, c.events) }

func micros(d time.Duration, events int64) float64 {
	return float64(d.Nanoseconds()) / 1000 / float64(events)
}

// catchUp runs the pipeline over a backlog from its first event until all rows are acknowledged.
func (b *bed) catchUp(ctx context.Context, prefix string, events int64) (out caughtUp, err error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Minute)
	defer cancel()
	if err := b.forget(ctx, prefix); err != nil {
		return out, err
	}
	s, err := b.store(ctx)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	idle, err := cpuOf(s.PID())
	if err != nil {
		return out, err
	}
	began := time.Now()
	p, err := b.pipeline(prefix, s)
	if err != nil {
		return out, err
	}
	defer p.Kill()
	profiled := b.profile(ctx, prefix, p)
	out.events = events
	if out.metrics, err = p.drained(ctx, events); err != nil {
		return out, err
	}
	run, err1 := cpuOf(p.PID())
	store, err2 := cpuOf(s.PID())
	resident, err3 := residentOf(p.PID())
	if err := errors.Join(err1, err2, err3); err != nil {
		return out, err
	}
	out.run, out.store, out.wall, out.resident = run, store-idle, time.Since(began), resident
	out.rows, out.inserts = out.metrics["livemeter_clickhouse_rows_total"], out.metrics["livemeter_clickhouse_inserts_total"]
	if err := errors.Join(<-profiled, p.close()); err != nil {
		return out, err
	}
	out.merges, err = s.rest(ctx, idle)
	return out, err
}

// rest waits until ClickHouse merges no more and gives its CPU time since.
func (s *store) rest(ctx context.Context, since time.Duration) (time.Duration, error) {
	for quiet := 0; quiet < 5; {
		n, err := query(ctx, s.Addr(), "SELECT count() FROM system.merges")
		if err != nil {
			return 0, err
		}
		quiet++
		if strings.TrimSpace(n) != "0" {
			quiet = 0
		}
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return 0, err
		}
	}
	cpu, err := cpuOf(s.PID())
	return cpu - since, err
}

// profile fetches profiles of p while it catches up with the backlog, where they are wanted; the channel tells when it has.
func (b *bed) profile(ctx context.Context, prefix string, p *pipeline) <-chan error {
	done := make(chan error, 1)
	if b.o.profiles == "" || prefix != backlogPrefix {
		done <- nil
		return done
	}
	go func() {
		for ctx.Err() == nil { // until it has begun
			if m, err := p.scrape(ctx); err == nil && m["livemeter_reader_outcomes_total"] > 0 {
				break
			}
			if err := sleep(ctx, 50*time.Millisecond); err != nil {
				break
			}
		}
		done <- errors.Join(b.fetch(p, "cpu", fmt.Sprintf("profile?seconds=%d", 8+b.o.events/150_000)), b.fetch(p, "heap", "heap"), b.fetch(p, "allocs", "allocs"))
	}()
	return done
}

func (b *bed) fetch(p *pipeline, name, path string) error {
	res, err := http.Get("http://" + p.admin + "/debug/pprof/" + path)
	if err != nil {
		return fmt.Errorf("profile %s: %w", name, err)
	}
	defer res.Body.Close()
	if err := os.MkdirAll(b.o.profiles, 0o750); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(b.o.profiles, name+".prof"))
	if err != nil {
		return err
	}
	_, err = io.Copy(f, res.Body)
	return errors.Join(err, f.Close())
}
