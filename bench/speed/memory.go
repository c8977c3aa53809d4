package main

import (
	"context"

	"github.com/livemeter/livemeter/bench/festival"
)

// memoryResult is what viewers take of the resident memory of `livemeter run`.
type memoryResult struct {
	events    int64
	few, many caughtUp
}

const (
	metricViewers = "livemeter_reader_viewers"
	metricHeap    = "go_memstats_heap_inuse_bytes"
	metricIDs     = "livemeter_reader_dedupe_entries"
	metricCells   = "livemeter_reader_cells"
)

func (r memoryResult) more(metric string) float64 {
	return r.many.metrics[metric] - r.few.metrics[metric]
}

func (r memoryResult) perViewer() float64 {
	return float64(r.many.resident-r.few.resident) / r.more(metricViewers)
}

// memory compares a process that has followed few viewers with one that has followed many, through as many events of the same rooms: what a
// backlog leaves in buffers is in both.
func (b *bed) memory(ctx context.Context) (out memoryResult, err error) {
	out.events = min(b.o.events, 2_000_000)
	for prefix, viewers := range map[string]int{"few.": 1000, "many.": b.o.viewers} {
		if _, err := b.load(ctx, prefix, festival.Config{Rooms: b.o.rooms, Viewers: viewers, Rate: 20_000}, out.events); err != nil {
			return out, err
		}
		c, err := b.catchUp(ctx, prefix, out.events)
		if err != nil {
			return out, err
		}
		if prefix == "few." {
			out.few = c
		} else {
			out.many = c
		}
		if err := b.drop(ctx, prefix); err != nil {
			return out, err
		}
	}
	return out, nil
}
