package enrich

import (
	"slices"

	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// source is one source partition: provenance and watermark in one row. The topic's UUID is part of its identity.
type source struct {
	id      eventlog.SourceID
	topic   string // name, "" until a Sources record told it
	offset  int64  // highest seen; what is not above it has been counted
	recv    int64  // highest receive time, 0 while nothing is known
	claimed int64  // highest offset a claim of progress named
	retired bool   // its topic was deleted and made again; it never comes back
	stalled bool   // its owner knows nothing of it: the watermark goes on without it until something is known
}

// sources is the table of all source partitions as this partition of the log knows them. A sources table is a pure function
// of the log's prefix.
type sources struct {
	list  []source
	index map[eventlog.SourceID]uint32
	known bool // a Sources record was seen: without one a minimum over the sources is no watermark
	wm    int64
}

func newSources() *sources { return &sources{index: map[eventlog.SourceID]uint32{}} }

// find returns the row's number, adding an unknown source.
func (s *sources) find(id eventlog.SourceID) uint32 {
	if i, ok := s.index[id]; ok {
		return i
	}
	i := uint32(len(s.list))
	s.list = append(s.list, source{id: id, offset: -1, claimed: -1})
	s.index[id] = i
	return i
}

// declare takes the list of all sources there are. A topic name that appears with a new id retires the sources of its old id. A list of a retired one, sent
// again by who does not know, retires nothing and adds nothing that is waited for.
func (s *sources) declare(rec *eventlog.Sources) {
	s.known = true
	for _, t := range rec.Topics {
		fresh, gone := false, s.gone(t.ID)
		for p := int32(0); p < t.Partitions; p++ {
			id := eventlog.SourceID{TopicID: t.ID, Partition: p}
			row := &s.list[s.find(id)]
			if row.topic == "" {
				row.topic, row.retired, fresh = t.Name, gone, !gone
			}
		}
		if !fresh {
			continue
		}
		for i := range s.list {
			if r := &s.list[i]; r.topic == t.Name && r.id.TopicID != t.ID {
				r.retired = true
			}
		}
	}
}

// gone says whether a topic was deleted and made again.
func (s *sources) gone(topic [16]byte) bool {
	return slices.ContainsFunc(s.list, func(r source) bool { return r.retired && r.id.TopicID == topic })
}

// progress takes claims. A claim (source, offset, recv) says: all records of the source up to offset stand before it in every partition of the
// log, and what comes after offset was not there yet at recv. Both are facts whoever tells them, a zombie included: its own blocks precede its
// claim, and it knows a source as idle only as of the moment at which it asked the source's leader where it ends. So nothing here asks which generation of which
// consumer group speaks: a group that was renamed, has expired or was made again begins with generation 1. What does count is the offset: a claim that does not
// reach what was seen or claimed before has nothing new to say, for its recv can only be true of what was known already.
func (s *sources) progress(rec *eventlog.Progress) {
	for i := range rec.Items {
		it := &rec.Items[i]
		row := &s.list[s.find(it.Source)]
		if it.Offset < max(row.offset, row.claimed) {
			continue
		}
		if it.Offset > max(row.offset, row.claimed) || it.Recv > row.recv {
			row.stalled = false
		}
		row.claimed = it.Offset
		row.recv = max(row.recv, it.Recv)
	}
}

// stall takes what owners say of sources that bring nothing and cannot be asked. Who knows less of one than is known here is not believed: one that began anew and knows
// no time (recv 0) by its offset.
func (s *sources) stall(rec *eventlog.Progress) {
	for i := range rec.Items {
		it := &rec.Items[i]
		row := &s.list[s.find(it.Source)]
		row.stalled = row.stalled || it.Recv >= row.recv || it.Recv == 0 && it.Offset >= max(row.offset, row.claimed)
	}
}

// advance returns the watermark: the minimum over all living sources but those that have stalled, which never falls; 0 while it is unknown.
func (s *sources) advance() int64 {
	if !s.known {
		return s.wm
	}
	low := int64(0)
	for i := range s.list {
		r := &s.list[i]
		if r.retired || r.stalled || r.topic == "" {
			continue
		}
		if r.recv == 0 {
			return s.wm
		}
		if low == 0 || r.recv < low {
			low = r.recv
		}
	}
	s.wm = max(s.wm, low)
	return s.wm
}
