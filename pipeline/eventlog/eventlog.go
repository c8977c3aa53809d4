// Package eventlog is the format of the topic `events`, the log of truth: many events packed in one Kafka record (a block), and the
// control records between them (settings, sources, progress). What stands here is all that any number may depend on.
//
// The first byte of a record says what it is. A reader refuses what it does not know: the log is never guessed at.
package eventlog

import "github.com/livemeter/livemeter/pipeline/event"

// Record types: the first byte of every record of the log.
const (
	RecordBlock    byte = 1 // Block
	RecordSettings byte = 2 // Settings
	RecordSources  byte = 3 // Sources
	RecordProgress byte = 4 // Progress
	RecordRepeated byte = 5 // Settings, told again: for who has none
	RecordStalled  byte = 6 // Progress of sources that have stalled: the watermark goes on without them
)

// EntryKind is an event type, or the marker that a record of the source was rejected.
type EntryKind uint8

const (
	Viewer EntryKind = iota
	Interaction
	Order
	Cost
	Stock
	Reject
)

// Flags of an entry. The two of the clock contract.md asks for; no measure counts them yet.
const (
	ClockClamped  uint8 = 1 << iota // event_ts was bounded to received_ts − 7 d
	ClockNegative                   // sent_ts < client_ts
	Background                      // foreground is false: watch time does not count
	Presale                         // is_presale of an order: waits for measures that tell presales apart
)

// What joins the parts of a string and the strings of a list. Ids hold no control characters, so neither can occur in one.
const (
	Sep     = "\x00"
	ListSep = "\x01"
)

// SourceID names a source partition. The topic's UUID is part of it: a topic deleted and made again starts at offset 0.
type SourceID struct {
	TopicID   [16]byte
	Partition int32
}

// Entry is one event or one reject marker. Its references are indices into the block's Strings; 0 is "none". Hashes are 64-bit xxhash of the raw
// bytes; Viewer is the keyed pseudonym, and the events partition is a function of it.
type Entry struct {
	Kind   EntryKind
	Flags  uint8
	Sub    uint8  // event.Action, event.Kind, event.State, or event.Reason of a reject marker
	Source uint32 // index into Block.Sources
	Offset int64  // in the source partition
	Recv   int64  // receive time, ms, "no later than now" already applied
	TS     int64  // event_ts, ms

	ViewerHi, ViewerLo uint64
	Instance           uint64 // hash of sdk_instance_id
	Seq                uint64 // of the instance; of cost and stock the version, 0 in records of version 2
	EventFP            uint64 // hash of event_id; for cost and stock a hash of their natural key with version
	View               uint64 // hash of view_id, 0 where absent. An order's waits for attribution to views
	Room               uint32 // string: platform, room_id and live_session_id (absent ones empty) joined by Sep
	Exps               uint32 // string: id Sep variant, pairs joined by ListSep, duplicates removed; 0 without experiments
	SKU                uint32 // string; interactions, stock
	Origin             uint32 // string: entry_source Sep campaign_id, of an enter
	Currency           uint32 // string; gift, order
	SDK                uint32 // string: name Sep version; viewer, interaction and rejects of them
	Value              int64  // watch_ms_delta, or the interaction's count
	Gift               int64  // gift_value_minor
	Rating             uint8
	Click              uint64 // hash of the click_id of an enter's touch or of an order, 0 where absent

	OrderIndex    int32 // index into Block.Orders when Kind is Order
	OriginalIndex int32 // index into Block.Originals of a replay, −1 of all others
}

// OrderBody is what only an order carries.
type OrderBody struct {
	OrderID    string
	Version    int64
	Goods      int64
	Discount   int64
	Paid       int64
	Items      []Item
	RefundID   string // "" unless the state is refunded
	RefundLine string
	Refund     int64
}

// Item is one line of an order; SKU is an index into Block.Strings.
type Item struct {
	LineID string
	SKU    uint32
	Qty    int64
	Paid   int64
}

// Original is the record that a replay brings again: what an earlier collector rejected, and why. Topic is an index into Block.Strings: the name, with prefix.
type Original struct {
	Source SourceID
	Offset int64
	Topic  uint32
	Reason event.Reason
}

// Block is a decoded record of type RecordBlock. Everything in it is valid until the next decode into it.
type Block struct {
	Sources   []SourceID
	Strings   []string // Strings[0] is unused
	Entries   []Entry
	Orders    []OrderBody
	Originals []Original
}

// Settings are the limits that shape results. A collector writes them to every partition before anything else, so that a replay
// works with the limits of its time, and again every minute with the sources, so that one can begin where retention has left the log. Told again they are
// for a reader who has none: else the collectors of a rolling change would take turns, and the narrowest limits of all stay.
type Settings struct {
	Partitions     uint16
	KeyFingerprint uint64    // of the pseudonym key
	HorizonMS      int64     // contract.md, Time: H
	LatenessMS     int64     // a window is final when the watermark passes its end by this: the longest that the log has told
	SessionGapMS   int64     // a live session is final when the watermark passes its last event by this
	DedupeMS       int64     // how long an event_id is remembered, at least 10 minutes
	Zone           string    // of the 1 d window, IANA name with whole-hour offsets
	MaxCells       uint32    // per partition; above it the oldest cells close early
	TTLDays        [5]uint16 // by measure.Grain; no row is made for a window older than this; 0: for ever
}

// Sources lists every source partition there is, of all raw topics. A reader has no watermark before it has seen one. A topic name that
// appears with a new id retires the sources of the old id; a retired source never comes back.
type Sources struct {
	Topics []SourceTopic
}

// SourceTopic is one raw topic as the collector found it.
type SourceTopic struct {
	Name       string      // with prefix
	Kind       event.Topic // waits for a reader that tells raw topics apart; today's go by name and ID
	ID         [16]byte
	Partitions int32
}

// Progress says, for some sources, that everything up to Offset has been sent before this record, and that nothing received before Recv
// is still to come. Generation is the consumer group generation of the writer, for
// people who look into the log: a group made again starts at 1, so readers judge a claim by its Offset.
type Progress struct {
	Items []ProgressItem
}

// ProgressItem is the progress of one source partition.
type ProgressItem struct {
	Source     SourceID
	Generation int32 // for people: see Progress
	Offset     int64 // last offset sent, −1 for none
	Recv       int64 // ms
}
