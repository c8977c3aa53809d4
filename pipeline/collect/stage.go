// Package collect is the stateless stage between the raw topics and the log `events`: decode, validate, repair the clock, put a
// pseudonym where a person was, choose the partition. It knows nothing of Kafka: runtime brings the records and takes the blocks.
//
// What leaves it are entries of eventlog. Raw ids of persons and comment texts do not.
package collect

import (
	"fmt"
	"runtime/debug"

	"github.com/cespare/xxhash/v2"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// Config of a Stage.
type Config struct {
	Key        []byte          // of the pseudonyms, 16 or 32 bytes
	Partitions int             // of the log
	Now        func() int64    // ms; bounds receive times from above and decides nothing else
	Fault      func(r *Record) // tests make decoding panic with it; may be nil
}

// Stage turns raw records into entries of the log's partitions. It belongs to one goroutine.
type Stage struct {
	names   *Pseudonyms
	dec     *event.Decoder
	dict    *eventlog.Dict
	writers []*eventlog.Writer
	clock   func() int64
	now     int64 // last reading of clock: it is asked only when a record seems newer
	ev      event.Event
	in      eventlog.Input
	key     []byte // scratch of natural keys
	fault   func(r *Record)
}

// NewStage returns a stage with an empty block for each partition.
func NewStage(c Config) (*Stage, error) {
	if c.Partitions < 1 || c.Partitions > 1<<16-1 {
		return nil, fmt.Errorf("partitions of events: %d, want 1 to 65535", c.Partitions)
	}
	names, err := NewPseudonyms(c.Key)
	if err != nil {
		return nil, err
	}
	s := &Stage{names: names, dec: event.NewDecoder(), dict: eventlog.NewDict(0), clock: c.Now, fault: c.Fault}
	for range c.Partitions {
		s.writers = append(s.writers, eventlog.NewWriter(s.dict))
	}
	return s, nil
}

// Writer holds the open block of partition p.
func (s *Stage) Writer(p int) *eventlog.Writer { return s.writers[p] }

// Source numbers a source partition for Record.Source.
func (s *Stage) Source(id eventlog.SourceID) int { return s.dict.Source(id) }

// Record is one raw record.
type Record struct {
	Topic     event.Topic
	Source    int   // Stage.Source
	Partition int32 // of the source
	Offset    int64
	Timestamp int64 // of the Kafka record, ms
	Value     []byte

	Original *eventlog.OriginalInput // of a replay: what it brings again. Topic and Timestamp are then the original's
	Refused  event.Verdict           // what speaks against it before its value is read
}

// Result says what became of a record: it is in the open block of Partition, as an event or, with a Reason, as the marker of a rejected
// record, whose original bytes then belong into events.rejected. A replay that is invalid leaves nothing: its original has been told already.
type Result struct {
	Partition int
	Recv      int64 // receive time, ms
	Verdict   event.Verdict
	Panic     error // of the decoder, with the stack: the verdict is Internal then
}

// Add decodes one record and appends it to the block of its partition. What it panics over but in the decoder leaves the stage, and its blocks, of no use.
func (s *Stage) Add(r *Record) Result {
	recv := s.recv(r.Timestamp)
	v, panicked := r.Refused, error(nil)
	if v.Reason == event.ReasonNone {
		v, panicked = s.decode(r)
	}
	in := &s.in
	if v.Reason != event.ReasonNone {
		res := s.marker(r, recv, v, r.Refused.Reason == event.ReasonNone && panicked == nil)
		res.Panic = panicked
		return res
	}
	s.envelope(r, recv)
	switch s.ev.Type {
	case event.TypeViewer:
		s.viewer()
	case event.TypeInteraction:
		s.interaction()
	case event.TypeOrder:
		s.order()
	case event.TypeCost:
		s.cost()
	case event.TypeStock:
		s.stock()
	}
	p := partitionOf(in.ViewerHi, len(s.writers))
	s.writers[p].Add(r.Source, in)
	return Result{Partition: p, Recv: recv}
}

// decode judges a record. Where that panics nothing is in a block yet: the record alone is rejected.
func (s *Stage) decode(r *Record) (v event.Verdict, panicked error) {
	defer func() {
		if p := recover(); p != nil {
			s.dec, s.ev = event.NewDecoder(), event.Event{} // of the other nobody knows what it holds
			v, panicked = event.Verdict{Reason: event.Internal}, fmt.Errorf("the decoder panicked: %v\n%s", p, debug.Stack())
		}
	}()
	if s.fault != nil {
		s.fault(r)
	}
	return s.dec.Decode(r.Topic, r.Value, &s.ev), nil
}

// Reject appends the marker of a record that is not to be decoded.
func (s *Stage) Reject(r *Record, reason event.Reason) Result {
	return s.marker(r, s.recv(r.Timestamp), event.Verdict{Reason: reason}, false)
}

// marker is what stands in the log of a rejected record; of a replay that is nothing. It goes to the viewer whose instance has used a number for the record, as far
// as the decoder has been able to read that.
func (s *Stage) marker(r *Record, recv int64, v event.Verdict, decoded bool) Result {
	if r.Original != nil {
		return Result{Recv: recv, Verdict: v}
	}
	s.in = eventlog.Input{Kind: eventlog.Reject, Sub: uint8(v.Reason), Offset: r.Offset, Recv: recv, TS: recv}
	p := int(r.Partition) % len(s.writers)
	if decoded {
		if q, ok := s.dec.Rejected(v); ok {
			p = s.numbered(&q)
		}
	}
	s.writers[p].Add(r.Source, &s.in)
	return Result{Partition: p, Recv: recv, Verdict: v}
}

// numbered gives the marker the number that its record has used, and says which partition has the viewer.
func (s *Stage) numbered(q *event.Sequence) (partition int) {
	in := &s.in
	if q.UserID != "" {
		in.ViewerHi, in.ViewerLo = s.names.User(q.Platform, q.UserID)
	} else {
		in.ViewerHi, in.ViewerLo = s.names.Anon(q.Platform, q.AnonID)
	}
	in.Instance, in.Seq, in.Platform, in.SDKName, in.SDKVersion = hash(q.Instance), uint64(q.Seq), q.Platform, q.SDKName, q.SDKVersion
	return partitionOf(in.ViewerHi, len(s.writers))
}

// partitionOf is the partition of the log that holds all events of a viewer: the upper half of the pseudonym modulo the partitions.
func partitionOf(viewerHi uint64, partitions int) int { return int(viewerHi % uint64(partitions)) }

// Look reads the clock. It is to be called now and then, before a run of records: one that was ahead and is set back is believed from then on.
func (s *Stage) Look() { s.now = s.clock() }

// recv is the receive time: the record's timestamp, but no later than now, and not before 1970.
func (s *Stage) recv(ts int64) int64 {
	if ts > s.now {
		s.now = s.clock()
		ts = min(ts, s.now)
	}
	return max(ts, 0)
}

func (s *Stage) envelope(r *Record, recv int64) {
	e := &s.ev
	ts, clamped, negative := event.EventTime(recv, e.ClientTS, e.SentTS)
	if ts < 0 { // like recv: not before 1970. A record without a timestamp has -1
		ts, clamped = 0, true
	}
	var flags uint8
	if clamped {
		flags |= eventlog.ClockClamped
	}
	if negative {
		flags |= eventlog.ClockNegative
	}
	s.in = eventlog.Input{Flags: flags, Offset: r.Offset, Original: r.Original, Recv: recv, TS: ts, Instance: hash(e.Instance), Seq: uint64(e.Seq),
		EventFP: hash(e.EventID), Platform: e.Platform, Room: e.Room, Session: e.Session, Exps: e.Exps}
}

// identity is the viewer of a viewer or interaction event, and its view.
func (s *Stage) identity() {
	e, in := &s.ev, &s.in
	if e.UserID != "" {
		in.ViewerHi, in.ViewerLo = s.names.User(e.Platform, e.UserID)
	} else {
		in.ViewerHi, in.ViewerLo = s.names.Anon(e.Platform, e.AnonID)
	}
	in.View = hash(e.ViewID)
	in.SDKName, in.SDKVersion = e.SDKName, e.SDKVersion
}

func (s *Stage) viewer() {
	e, in := &s.ev, &s.in
	s.identity()
	in.Kind, in.Sub = eventlog.Viewer, uint8(e.Action)
	switch e.Action {
	case event.Enter:
		in.EntrySource, in.Campaign, in.Click = e.EntrySource, e.Touch.CampaignID, hash(e.Touch.ClickID)
	case event.Heartbeat, event.Leave:
		in.Value = e.WatchMS
		if e.Background {
			in.Flags |= eventlog.Background
		}
	}
}

func (s *Stage) interaction() {
	e, in := &s.ev, &s.in
	s.identity()
	in.Kind, in.Sub, in.Value, in.SKU = eventlog.Interaction, uint8(e.Kind), e.Count, e.SKU
	switch e.Kind {
	case event.Gift:
		in.Gift, in.Currency = e.GiftMinor, e.Currency
	case event.Rating:
		in.Rating = uint8(e.Rating)
	}
}

// order: the viewer is the buyer, as a user.
func (s *Stage) order() {
	e, in := &s.ev, &s.in
	in.ViewerHi, in.ViewerLo = s.names.User(e.Platform, e.BuyerID)
	in.Kind, in.Sub, in.Currency, in.Click, in.View = eventlog.Order, uint8(e.State), e.Currency, hash(e.ClickID), hash(e.ViewID)
	if e.Presale {
		in.Flags |= eventlog.Presale
	}
	in.Order = eventlog.OrderInput{OrderID: e.OrderID, Version: e.OrderVersion, Goods: e.GoodsMinor, Discount: e.DiscountMinor, Paid: e.PaidMinor, Items: e.Items,
		RefundID: e.RefundID, RefundLine: e.RefundLine, Refund: e.RefundMinor}
}

func (s *Stage) cost() {
	e, in := &s.ev, &s.in
	in.ViewerHi, in.ViewerLo = s.names.Cost(e.Platform, e.CostID)
	in.Kind, in.Seq = eventlog.Cost, uint64(e.CostVersion)
	in.EventFP = s.natural(e.CostVersion, e.Platform, e.CostID)
}

func (s *Stage) stock() {
	e, in := &s.ev, &s.in
	in.ViewerHi, in.ViewerLo = s.names.Stock(e.Platform, e.SKU, e.Room, e.Session)
	in.Kind, in.SKU, in.Seq = eventlog.Stock, e.SKU, uint64(e.StockVersion)
	in.EventFP = s.natural(e.StockVersion, e.Platform, e.SKU, e.Room, e.Session)
}

// natural is the fingerprint of a natural key with its version; ids have no control characters, so a NUL separates them.
func (s *Stage) natural(version int64, parts ...string) uint64 {
	k := s.key[:0]
	for _, p := range parts {
		k = append(append(k, p...), 0)
	}
	for i := range 8 {
		k = append(k, byte(version>>(8*i)))
	}
	s.key = k
	return max(xxhash.Sum64(k), 1)
}

// hash is the 64-bit xxhash of an id; 0 stands for an absent one alone.
func hash(id string) uint64 {
	if id == "" {
		return 0
	}
	return max(xxhash.Sum64String(id), 1)
}
