package fused

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// player feeds a task with the lines of a script.
type player struct {
	t        testing.TB
	start    func() runtime.Task
	task     runtime.Task
	store    *memStore
	dict     *eventlog.Dict
	writer   *eventlog.Writer
	settings eventlog.Settings
	log      map[string][]byte // the changelog
	block    []byte            // the last one
	recs     [][]byte          // the log; nil: it is not kept
	offset   int64
	more     bool                        // the last flush was a piece
	source   map[eventlog.SourceID]int64 // offset of the last record
}

// Sources: raw.viewer is there from the start, raw.order from a line `sources 2` on, and a line `sources new` makes raw.viewer anew.
var (
	goldenSource = eventlog.SourceID{TopicID: [16]byte{1}}
	secondSource = eventlog.SourceID{TopicID: [16]byte{2}}
	newSource    = eventlog.SourceID{TopicID: [16]byte{3}}
)

func newPlayer(t testing.TB, task runtime.Task) *player { return newPlayerWith(t, task, 60_000) }

// newPlayerWith begins a log with a lateness, which it can raise only.
func newPlayerWith(t testing.TB, task runtime.Task, lateness int64) *player {
	p := &player{t: t, task: task, store: &memStore{rows: map[string]memRow{}, watermarks: map[uint16]rollup.Watermark{}}, dict: eventlog.NewDict(0), log: map[string][]byte{}, recs: [][]byte{}, source: map[eventlog.SourceID]int64{}}
	p.start = func() runtime.Task { return NewRun(0, nil) }
	p.writer = eventlog.NewWriter(p.dict)
	p.settings = eventlog.Settings{Partitions: 1, HorizonMS: 6 * 3600_000, LatenessMS: lateness,
		SessionGapMS: 3600_000, DedupeMS: 600_000, Zone: "Asia/Shanghai", MaxCells: 1 << 20}
	p.apply(eventlog.AppendSettings(nil, &p.settings))
	p.sources("1")
	return p
}

func (p *player) sources(which string) {
	p.t.Helper()
	topics := []eventlog.SourceTopic{{Name: "raw.viewer", ID: goldenSource.TopicID, Partitions: 1}}
	switch which {
	case "2":
		topics = append(topics, eventlog.SourceTopic{Name: "raw.order", ID: secondSource.TopicID, Partitions: 1})
	case "new":
		topics[0].ID = newSource.TopicID
	}
	p.apply(eventlog.AppendSources(nil, &eventlog.Sources{Topics: topics}))
}

func (p *player) apply(value []byte) {
	p.t.Helper()
	if err := p.task.Apply(p.offset, value); err != nil {
		p.t.Fatal(err)
	}
	if p.recs != nil {
		p.recs = append(p.recs, bytes.Clone(value))
	}
	p.offset++
}

// add appends a block with one entry to the log.
func (p *player) add(id eventlog.SourceID, in *eventlog.Input) {
	p.t.Helper()
	p.source[id]++
	in.Offset = p.source[id]
	p.writer.Add(p.dict.Source(id), in)
	p.block = bytes.Clone(p.writer.Seal(nil))
	p.apply(p.block)
}

// flush sends rows that either arrive and are acknowledged, or neither.
func (p *player) flush(arrives bool) {
	var b rollup.Batch
	token, more := p.task.Flush(&b, false)
	p.more = more
	if arrives {
		p.store.write(&b)
		p.task.Ack(token)
	}
}

// save is a checkpoint.
func (p *player) save() {
	snapshot(p.task, func(k, v []byte) {
		if p.log[string(k)] = v; v == nil {
			delete(p.log, string(k))
		}
	})
}

// snapshot saves all at once.
func snapshot(task runtime.Task, emit func(k, v []byte)) {
	for task.Snapshot(); task.Save(emit); {
	}
}

// others fills buckets of the checkpoint with cells of other rooms.
func (p *player) others(at string) {
	for i := range 100 {
		p.line(fmt.Sprintf("heartbeat at=%s room=other%d watch=1", at, i))
	}
}

// restart saves the task and goes on with a restored one.
func (p *player) restart() {
	p.t.Helper()
	p.save()
	if next := p.restored(); next != p.offset {
		p.t.Fatalf("restored at %d, want %d", next, p.offset)
	}
}

// crash goes on with what was saved last, and reads the log from there on: after each of its records comes f.
func (p *player) crash(f func()) {
	p.t.Helper()
	for next := p.restored(); next < p.offset; next++ {
		if err := p.task.Apply(next, p.recs[next]); err != nil {
			p.t.Fatal(err)
		}
		f()
	}
}

// restored begins with what was saved last, and says where the log goes on.
func (p *player) restored() (next int64) {
	p.t.Helper()
	p.task = p.start()
	for k, v := range p.log {
		if err := p.task.Restore([]byte(k), v); err != nil {
			p.t.Fatal(err)
		}
	}
	next, err := p.task.RestoreDone()
	if err != nil {
		p.t.Fatal(err)
	}
	return next
}

// services is an enricher and an aggregator with the topic between them, as one task.
type services struct {
	runtime.Task // the aggregator
	enricher     runtime.Task
	sent         int64
	rows         bool // of the aggregator's snapshot there is more
	err          error
}

func newServices() *services {
	s := &services{Task: NewAggregator(0, nil)}
	s.enricher = NewEnricher(0, s)
	s.enricher.(*Task).enriched.limit = 400 // so that some leave in chunks
	return s
}

// Emit is the topic events.enriched; every record arrives twice.
func (s *services) Emit(_ int32, value []byte) {
	for range 2 {
		if err := s.Task.Apply(s.sent, value); err != nil {
			s.err = err
		}
		s.sent++
	}
}

func (s *services) Apply(offset int64, value []byte) error {
	if err := s.enricher.Apply(offset, value); err != nil {
		return err
	}
	return s.err
}

func (s *services) Snapshot() {
	s.Task.Snapshot()
	s.enricher.Snapshot()
	s.rows = true
}

func (s *services) Save(emit func(key, value []byte)) (more bool) {
	if s.rows {
		s.rows = s.Task.Save(func(k, v []byte) { emit(append([]byte("rows "), k...), v) })
		return true
	}
	return s.enricher.Save(emit)
}

func (s *services) Restore(key, value []byte) error {
	if k, ok := bytes.CutPrefix(key, []byte("rows ")); ok {
		return s.Task.Restore(k, value)
	}
	return s.enricher.Restore(key, value)
}

func (s *services) RestoreDone() (next int64, err error) {
	if s.sent, err = s.Task.RestoreDone(); err != nil {
		return 0, err
	}
	return s.enricher.RestoreDone()
}

// shown is what the store has of rows that begin with what, when all has left.
func (p *player) shown(what string) string {
	for range 12 { // whatever has its turn
		p.flush(true)
		for p.more {
			p.flush(true)
		}
	}
	var out []string
	for line := range strings.Lines(p.store.text()) {
		if strings.HasPrefix(line, what) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}
