// Package enrich turns the log's events into changes of cells: it drops what was counted before, follows views and orders, and decides what
// each event changes and where. Its state is per viewer, lives on the viewer's partition, and is a pure function of the log's prefix: the only
// clock is the in-band watermark.
package enrich

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/livemeter/livemeter/pipeline/bucket"
	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/slab"
	"github.com/livemeter/livemeter/pipeline/wire"
)

// sessionMemoryMS is how long after its last event in a live session a viewer is still known there, whatever the horizon.
const sessionMemoryMS = 8 * dayMS

// Enricher is the state of one partition. It is owned by one goroutine.
type Enricher struct {
	partition int32
	keys      *cellkey.Table
	settings  *eventlog.Settings // nil until the log has told
	began     int64              // offset of the first record of the log that was applied, -1 before it
	days      measure.Days
	sources   *sources
	wm        int64 // ms, 0 while unknown
	maxRecv   int64

	// derived from settings and wm, once a record
	// What lies before these is forgotten. They never fall and are saved, all but oldestBlock: a horizon that is widened does not bring back what was.
	exactFrom    int64  // the watermark less the horizon: measures of what happened before it are not exact
	oldestMinute uint32 // of receive time: of event ids
	oldestBlock  int32

	table      viewerTable
	viewers    slab.Slab[viewer]
	views      slab.Slab[view]
	viewArch   slab.Slab[older[[1]uint64]]
	scopes     slab.Slab[scope]
	scopeArch  slab.Slab[older[[4]uint64]]
	dedupes    slab.Slab[dedupeNode]
	sequences  slab.Slab[sequence]
	gaps       slab.Slab[gap]
	gapsOf     map[uint32]*uint32 // by sequence that has any: the first
	big        map[uint32]bigSet
	ids        int      // in all lists and sets, forgotten ones that still stand there too
	buyers     []*buyer // index 0 is unused; nil is free
	freeBuyers []uint32
	keepIndex  int
	timers     timers

	block    eventlog.Block
	progress eventlog.Progress
	strIDs   []uint32 // by string of the block
	srcRows  []uint32 // by source of the block
	slots    []uint32 // by entry of the block: the viewer, 0 where it is not known yet
	lists    []lists  // scratch of warmUp
	warm     uint32   // what warmUp loaded: keeps the loads from being removed
	exps     map[uint32][]uint32
	noOrigin uint32
	ledger   outcomes
	complete completeness
	out      change.Record
	before   []contribution
	after    []contribution
	net      map[change.Change]int64 // scratch of amend
	byID     []*order                // scratch of sortedOrders

	skips    map[int64][]int // entries that are not applied, by the offset of their record
	stepping bool
	at       int                     // entry that is applied, while stepping
	marks    []mark                  // after each entry, while stepping
	Fault    func(n *eventlog.Entry) // tests make an entry panic with it, when it has had its effects

	unsaved     bucket.Set
	meta        []byte      // of the snapshot on its way
	packing     wire.Writer // scratch of Save
	provenance  []byte      // scratch of replayed
	oldestSaved uint32      // oldestMinute when it began
	swept       uint32      // where the sweep goes on
	Stats       Stats
}

// Stats count what the enricher has seen since it was made.
type Stats struct {
	Accepted, Duplicate, Replayed, Late uint64
	Invalid                             [event.NumReasons]uint64
}

// New returns the empty state of a partition; keys may be shared with the aggregator of the same partition.
func New(partition int32, keys *cellkey.Table) *Enricher {
	e := &Enricher{partition: partition, began: -1, keys: keys, sources: newSources(), big: map[uint32]bigSet{}, gapsOf: map[uint32]*uint32{}, buyers: make([]*buyer, 1), keepIndex: keepIndex,
		exps: map[uint32][]uint32{}, net: map[change.Change]int64{}, noOrigin: keys.String(cellkey.Sep), days: measure.DaysOf(time.UTC)}
	e.growTable()
	e.viewers.Init()
	e.dedupes.Init()
	e.scopes.Init()
	e.views.Init()
	e.sequences.Init()
	return e
}

// Apply consumes the record of the log at offset and returns what it changes, valid until the next call. Of a log whose beginning is gone nothing counts
// that stands before the first settings.
func (e *Enricher) Apply(offset int64, value []byte) (*change.Record, error) {
	if e.began < 0 {
		e.began = offset
	}
	e.at, e.marks = -1, e.marks[:0]
	e.out = change.Record{Offset: offset, Changes: e.out.Changes[:0], Orders: e.out.Orders[:0]}
	if err := e.record(value); err != nil {
		return nil, fmt.Errorf("events partition %d offset %d: %w", e.partition, offset, err)
	}
	if wm := e.sources.advance(); wm != e.wm {
		e.wm = wm
		e.derive()
		e.fire()
	}
	e.ledger.emit(e)
	e.emitCompleteness()
	e.out.Watermark, e.out.MaxRecv, e.out.Settings = e.wm, e.maxRecv, e.settings
	return &e.out, nil
}

func (e *Enricher) record(value []byte) error {
	kind, err := eventlog.RecordType(value)
	if err != nil {
		return err
	}
	switch kind {
	case eventlog.RecordBlock:
		if e.began > 0 && (e.settings == nil || !e.sources.known) { // of another collector than who tells them again: as if retention had come a little later
			return nil
		}
		if e.settings == nil {
			return fmt.Errorf("events before the settings record, at the log's beginning: no livemeter collector has begun it")
		}
		if err := eventlog.Decode(value, &e.block); err != nil {
			return err
		}
		e.applyBlock()
		return nil
	case eventlog.RecordSettings, eventlog.RecordRepeated:
		if kind == eventlog.RecordRepeated && e.settings != nil {
			return nil
		}
		s, err := eventlog.DecodeSettings(value)
		if err != nil {
			return err
		}
		return e.configure(&s)
	case eventlog.RecordSources:
		var s eventlog.Sources
		if err := eventlog.DecodeSources(value, &s); err != nil {
			return err
		}
		e.sources.declare(&s)
		return nil
	case eventlog.RecordProgress:
		if err := eventlog.DecodeProgress(value, &e.progress); err != nil {
			return err
		}
		e.sources.progress(&e.progress)
		return nil
	case eventlog.RecordStalled:
		if err := eventlog.DecodeProgress(value, &e.progress); err != nil {
			return err
		}
		e.sources.stall(&e.progress)
		return nil
	}
	return fmt.Errorf("%w: record type %d", eventlog.ErrUnknown, kind)
}

// configure takes the limits that shape results from here on. A changed pseudonym key would make every viewer a new one, a changed zone
// cut days in two ways.
func (e *Enricher) configure(s *eventlog.Settings) error {
	if old := e.settings; old != nil && old.KeyFingerprint != s.KeyFingerprint {
		return fmt.Errorf("the pseudonym key changed (fingerprint %016x, was %016x): all collectors need the key the log was begun with",
			s.KeyFingerprint, old.KeyFingerprint)
	}
	if old := e.settings; old != nil && old.Zone != s.Zone {
		return fmt.Errorf("the zone changed (%s, was %s): days of two zones do not add up; all collectors need the zone the log was begun with", s.Zone, old.Zone)
	}
	loc, err := time.LoadLocation(s.Zone)
	if err != nil {
		return fmt.Errorf("settings record: zone %q: %w", s.Zone, err)
	}
	e.settings, e.days = s, measure.DaysOf(loc)
	e.derive()
	return nil
}

// derive computes what depends on settings and watermark.
func (e *Enricher) derive() {
	if e.settings == nil {
		return
	}
	e.exactFrom = max(e.exactFrom, e.wm-e.settings.HorizonMS)
	e.oldestMinute = max(e.oldestMinute, minuteOf(e.wm-(e.settings.DedupeMS+minuteMS-1)/minuteMS*minuteMS-minuteMS))
	e.oldestBlock = paneOf(max(0, e.exactFrom-hourMS)) / blockPanes
}

func (e *Enricher) applyBlock() {
	b := &e.block
	e.strIDs = e.keys.Strings(e.strIDs[:0], b.Strings)
	e.srcRows = e.srcRows[:0]
	for _, id := range b.Sources {
		e.srcRows = append(e.srcRows, e.sources.find(id))
	}
	if skip := e.skips[e.out.Offset]; e.stepping || skip != nil {
		e.applySingly(skip)
		return
	}
	for entries := range slices.Chunk(b.Entries, warmEntries) {
		e.warmUp(entries)
		for i := range entries {
			e.pass(&entries[i], e.slots[i])
		}
	}
}

// pass applies an entry that provenance lets through.
func (e *Enricher) pass(n *eventlog.Entry, slot uint32) {
	if e.isNew(n) {
		e.entry(n, slot)
		if e.Fault != nil {
			e.Fault(n)
		}
	}
}

// isNew says whether the record behind an entry was there before, by its provenance, and claims it.
func (e *Enricher) isNew(n *eventlog.Entry) bool {
	row := &e.sources.list[e.srcRows[n.Source]]
	if n.Offset <= row.offset {
		e.Stats.Replayed++
		return false
	}
	row.offset = n.Offset
	row.recv, row.stalled = max(row.recv, n.Recv), false
	e.maxRecv = max(e.maxRecv, n.Recv)
	return true
}

// str is the partition's number for a string of the block.
func (e *Enricher) str(ref uint32) uint32 { return e.strIDs[ref] }

// variants are the interned (experiment, variant) pairs of an interned experiment list.
func (e *Enricher) variants(exps uint32) []uint32 {
	if exps == 0 {
		return nil
	}
	v, ok := e.exps[exps]
	if !ok {
		for p := range strings.SplitSeq(e.keys.Text(exps), eventlog.ListSep) {
			v = append(v, e.keys.String(p))
		}
		e.exps[exps] = v
	}
	return v
}

// mark notes that a viewer's state is about to change: it stands before whatever a snapshot packs.
func (e *Enricher) mark(slot uint32) { e.unsaved.Mark(slot) }

func (e *Enricher) emit(c change.Change) { e.out.Changes = append(e.out.Changes, c) }

// Clock is the watermark and the highest receive time applied, ms.
func (e *Enricher) Clock() (wm, maxRecv int64) { return e.wm, e.maxRecv }

// Held is how many viewers and event ids the state holds.
func (e *Enricher) Held() (viewers, ids int) { return e.viewers.Len(), e.ids }
