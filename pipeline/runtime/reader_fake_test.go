package runtime

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// counter is a small Task: how often each key stood in the log. A row is an Outcome whose Topic is the key; its value is a pure
// function of the log below its version, which the tests check for every row ever written.
type counter struct {
	part    int32
	out     Output
	hook    func(offset int64, key string) error
	next    int64
	keys    map[string]*count
	changed map[string]bool
	token   uint64
	applied uint64
	recv    int64
	last    bool
	saving  [][2][]byte

	acknowledged int64
	anew         bool
}

// lastOnly begins the keys whose rows leave with the last flush only.
const lastOnly = "day"

type count struct {
	n       int64
	dirty   bool
	flying  uint64 // token, 0 when none
	written bool   // the sink has the present value
}

func newCounter(part int32, out Output, hook func(int64, string) error) *counter {
	return &counter{part: part, out: out, hook: hook, keys: map[string]*count{}, changed: map[string]bool{}}
}

func (c *counter) Apply(offset int64, value []byte) error {
	key := string(value)
	if c.hook != nil {
		if err := c.hook(offset, key); err != nil {
			return err
		}
	}
	k := c.keys[key]
	if k == nil {
		k = &count{}
		c.keys[key] = k
	}
	k.n++
	k.dirty, k.written = true, false
	c.changed[key] = true
	c.next = offset + 1
	c.applied++
	if c.out != nil {
		c.out.Emit(c.part, fmt.Appendf(nil, "%d:%s", offset, key))
	}
	return nil
}

func (c *counter) Isolate(offset int64, value []byte) (*Poison, error) {
	return nil, c.Apply(offset, value)
}
func (c *counter) Skip(int64, int) {}

func (c *counter) Last() { c.last = true }

func (c *counter) Flush(b *rollup.Batch, _ bool) (token uint64, more bool) {
	c.token++
	for key, k := range c.keys {
		if k.dirty && (c.last || !strings.HasPrefix(key, lastOnly)) {
			b.Outcomes = append(b.Outcomes, rollup.Outcome{Topic: key, Part: uint16(c.part), Version: uint64(c.next), Records: k.n})
			k.dirty, k.flying = false, c.token
		}
	}
	return c.token, false
}

func (c *counter) Ack(token uint64) {
	for key, k := range c.keys {
		if k.flying != 0 && k.flying <= token {
			k.flying = 0
			k.written = !k.dirty
			c.changed[key] = true
		}
	}
}

func (c *counter) Nack(token uint64) {
	for _, k := range c.keys {
		if k.flying == token {
			k.flying, k.dirty = 0, true
		}
	}
}

func (c *counter) Snapshot() {
	for key := range c.changed {
		k := c.keys[key]
		v := binary.AppendVarint(nil, k.n)
		if k.written {
			v = append(v, 'w')
		}
		c.saving = append(c.saving, [2][]byte{[]byte("k" + key), v})
	}
	clear(c.changed)
	c.saving = append(c.saving, [2][]byte{[]byte("offset"), binary.AppendVarint(nil, c.next)})
}

// Save emits one record at a time: much comes between them.
func (c *counter) Save(emit func(key, value []byte)) (more bool) {
	emit(c.saving[0][0], c.saving[0][1])
	c.saving = c.saving[1:]
	return len(c.saving) > 0
}

func (c *counter) Restore(key, value []byte) error {
	n, size := binary.Varint(value)
	if size <= 0 {
		return errors.New("damaged")
	}
	if string(key) == "offset" {
		c.next = n
		return nil
	}
	name, ok := strings.CutPrefix(string(key), "k")
	if !ok {
		return fmt.Errorf("unknown key %q", key)
	}
	if c.keys[name] != nil {
		return fmt.Errorf("key %q came twice", key)
	}
	written := len(value) > size
	c.keys[name] = &count{n: n, dirty: !written, written: written}
	return nil
}

func (c *counter) RestoreDone() (int64, error) { return c.next, nil }
func (c *counter) Stored(_ int64, anew bool)   { c.anew = anew }

func (c *counter) Stats() Stats {
	s := Stats{Cells: len(c.keys), Records: c.applied, Accepted: c.applied, Watermark: c.next, MaxRecv: c.recv, Acknowledged: c.acknowledged}
	for _, k := range c.keys {
		if !k.written {
			s.DirtyCells++
		}
	}
	return s
}

// memSink upserts in memory and keeps every row it was given.
type memSink struct {
	mu     sync.Mutex
	rows   map[rowKey]rollup.Outcome
	all    []rollup.Outcome
	writes int
	away   atomic.Bool
	failed atomic.Int64
}

type rowKey struct {
	key  string
	part uint16
}

var errAway = errors.New("the store is away")

func (s *memSink) Write(_ context.Context, b *rollup.Batch) error {
	if s.away.Load() {
		s.failed.Add(1)
		return errAway
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil {
		s.rows = map[rowKey]rollup.Outcome{}
	}
	s.writes++
	for _, o := range b.Outcomes {
		s.all = append(s.all, o)
		k := rowKey{o.Topic, o.Part}
		if old, ok := s.rows[k]; !ok || o.Version >= old.Version {
			s.rows[k] = o
		}
	}
	return nil
}

func (s *memSink) totals() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]int64{}
	for k, o := range s.rows {
		out[k.key] += o.Records
	}
	return out
}

func (s *memSink) history() (rows []rollup.Outcome, writes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]rollup.Outcome(nil), s.all...), s.writes
}
