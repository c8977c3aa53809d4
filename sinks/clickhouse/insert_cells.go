package clickhouse

import (
	"cmp"
	"slices"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// pick is vs itself where at is nil, else its elements at these rows.
func pick[T any](vs []T, at []int32) []T {
	if at == nil {
		return vs
	}
	out := make([]T, len(at))
	for i, a := range at {
		out[i] = vs[a]
	}
	return out
}

// valuesAt is pick for a column that may end early; so may the result.
func valuesAt[T any](vs []T, at []int32) []T {
	if at == nil || len(vs) == 0 {
		return vs
	}
	out := make([]T, len(at))
	for i, a := range at {
		if int(a) < len(vs) {
			out[i] = vs[a]
		}
	}
	return out
}

// maxInsertPartitions bounds the parts that one INSERT makes when a backlog spans many days.
const maxInsertPartitions = 32

// blocks splits n rows into blocks of at most maxRows rows in at most maxInsertPartitions partitions. A nil block is all rows as they
// are: the normal case copies nothing.
func blocks(c *rollup.Cells, maxRows int) [][]int32 {
	n := len(c.Grain)
	seen, last := map[int32]int{}, int32(-1)
	for i, g := range c.Grain {
		if p := partitionOf(g, c.Window[i]); p != last {
			seen[p], last = 0, p
		}
	}
	if n <= maxRows && len(seen) <= maxInsertPartitions {
		return [][]int32{nil}
	}
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	part := func(i int32) int32 { return partitionOf(c.Grain[i], c.Window[i]) }
	slices.SortStableFunc(order, func(a, b int32) int { return int(part(a) - part(b)) })
	var out [][]int32
	for start := 0; start < n; {
		end, parts := start, 0
		for last := int32(-1); end < n && end-start < maxRows; end++ {
			if p := part(order[end]); p != last {
				if parts == maxInsertPartitions {
					break
				}
				parts, last = parts+1, p
			}
		}
		out = append(out, order[start:end])
		start = end
	}
	return out
}

// noEvent is the first_event of a row without an event of its own: no minimum takes it. It is 2100-01-01.
const noEvent = 4_102_444_800_000

func (s *Sink) cellInserts(epoch uint16, c *rollup.Cells) ([]*insert, error) {
	if err := checkCells(c); err != nil {
		return nil, err
	}
	if len(c.Grain) == 0 {
		return nil, nil
	}
	var out []*insert
	for _, at := range blocks(c, s.cfg.MaxBlockRows) {
		out = append(out, cellInsert(epoch, c, at, s.cfg.Protocol == HTTP))
	}
	return out, nil
}

func cellInsert(epoch uint16, c *rollup.Cells, at []int32, narrow bool) *insert {
	n := len(c.Grain)
	if at != nil {
		n = len(at)
	}
	in := &insert{table: RowsTable(c.Cube), rows: n}
	fixed(in, "epoch", "UInt16", 2, repeat(epoch, n))
	grains := make([]int8, n)
	for i, g := range pick(c.Grain, at) {
		grains[i] = int8(g)
	}
	fixed(in, "grain", grainType, 1, grains)
	text(in, "platform", "LowCardinality(String)", pick(c.Platform, at))
	text(in, "room_id", "String", pick(c.Room, at))
	text(in, "live_session_id", "String", pick(c.Session, at))
	for i, k := range measure.SubKeys[c.Cube] {
		text(in, k, subKeyType(k), pick(c.Sub[i], at))
	}
	fixed(in, "window_start", ms, 8, pick(c.Window, at))
	fixed(in, "part", "UInt16", 2, pick(c.Part, at))
	fixed(in, "gen", "UInt64", 8, pick(c.Gen, at))
	fixed(in, "version", "UInt64", 8, pick(c.Version, at))
	fixed(in, "state", "UInt8", 1, pick(c.State, at))
	first := make([]int64, n)
	for i, f := range pick(c.First, at) {
		first[i] = cmp.Or(f, noEvent)
	}
	fixed(in, "first_event", ms, 8, first)
	fixed(in, "updated_at", ms, 8, pick(c.Updated, at))
	in.runs(c, at)
	in.panes(c, at)
	for i, m := range measure.RowColumns[c.Cube] {
		in.measure(m.Name, valuesAt(c.Values[i], at), narrow)
	}
	return in
}
