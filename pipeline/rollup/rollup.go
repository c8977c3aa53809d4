// Package rollup is what leaves the aggregator: columnar batches of whole values, each row a versioned upsert. It is the written
// interface between the pipeline and its sinks.
package rollup

import (
	"context"
	"slices"

	"github.com/livemeter/livemeter/pipeline/measure"
)

// State bits of a partial row.
const (
	Counts  uint8 = 1  // minutes: something but who is online counts in it: its hour, day and session have it
	Late    uint8 = 2  // it changed after its window was final: the window shows as corrected
	Closed  uint8 = 4  // this generation never changes again: an hour's may be folded. A minute's row that has left before does not leave once more for it
	LateDay uint8 = 8  // hours: it changed after the day was final
	NoneOwn uint8 = 16 // no event of its own is in it: Updated is of the newest that changed it
)

// Cells is a batch of partial rows of one cube: minutes and hours, see measure.RowColumns. All slices have the same length, but for Runs, Values and
// the Pane slices. The key of a row is (Grain, Platform, Room, Session, Sub…, Window, Part, Gen); the highest Version of a key wins.
type Cells struct {
	Cube     measure.Cube
	Grain    []uint8 // measure.Grain1m or Grain1h
	Platform []string
	Room     []string
	Session  []string
	Sub      [2][]string // by measure.SubKeys[Cube]; unused ones stay empty slices
	Window   []int64     // ms
	Part     []uint16    // partition of `events` that holds this partial
	Gen      []uint64    // log offset that opened this generation
	Version  []uint64    // log offset up to which the value is true
	State    []uint8
	First    []int64 // earliest event_ts in the row, ms; 0 where no event of its own is in it
	Updated  []int64 // receive time of the last event in the row, ms: see NoneOwn
	// Runs[i] is when the row's session was live in it. A session is live while any partial is: whether an event came to one that had been final,
	// all runs together tell. Runs ends with its last one that is not zero.
	Runs []Run
	// Values[i] is the column measure.RowColumns[Cube][i]. It ends with its last value that is not 0, since most measures of most rows are: read
	// it with Value.
	Values [][]int64
	// PaneAt and PaneValue are the entries of all rows' panes, see measure.PaneAt; PaneEnd[i] is the end of row i's. It ends with the last row that
	// has any: read them with Panes.
	PaneEnd   []uint32
	PaneAt    []uint16
	PaneValue []int64
}

// Run is three watermarks, ms: the session was live in a partial from the first, when its first event came, to the second, the session gap after
// its last one; the third is when the newest event came that was older than the gap already, 0 without one. It is zero where no event of its own came.
type Run [3]int64

// Panes are the entries of a row's panes.
func (c *Cells) Panes(row int) (at []uint16, value []int64) {
	if row >= len(c.PaneEnd) {
		return nil, nil
	}
	from, to := uint32(0), c.PaneEnd[row]
	if row > 0 {
		from = c.PaneEnd[row-1]
	}
	return c.PaneAt[from:to], c.PaneValue[from:to]
}

// SetPane gives the newest row an entry.
func (c *Cells) SetPane(at uint16, value int64) {
	for len(c.PaneEnd) < len(c.Grain) {
		c.PaneEnd = append(c.PaneEnd, uint32(len(c.PaneAt)))
	}
	c.PaneAt, c.PaneValue = append(c.PaneAt, at), append(c.PaneValue, value)
	c.PaneEnd[len(c.Grain)-1]++
}

// Value is the measure of a column in a row.
func (c *Cells) Value(column, row int) int64 {
	if v := c.Values[column]; row < len(v) {
		return v[row]
	}
	return 0
}

// SetRun gives the newest row its run.
func (c *Cells) SetRun(run Run) {
	n := len(c.Runs)
	c.Runs = slices.Grow(c.Runs, len(c.Grain)-n)[:len(c.Grain)]
	clear(c.Runs[n:])
	c.Runs[len(c.Grain)-1] = run
}

// Set gives the newest row its value of a column, which must not have one yet.
func (c *Cells) Set(column int, value int64) {
	v, row := c.Values[column], len(c.Grain)-1
	if len(v) < row {
		n := len(v)
		v = slices.Grow(v, row+1-n)[:row]
		clear(v[n:])
	}
	c.Values[column] = append(v, value)
}

// Outcome is one line of the conservation ledger: a whole value, upserted by all fields but Records and Version.
type Outcome struct {
	Topic     string // with prefix, as in Kafka
	Partition int32  // of the source
	Minute    int64  // start of the minute of receive time, ms
	Outcome   string // accepted, duplicate, invalid
	Reason    string // "" unless invalid
	Part      uint16
	Gen       uint64
	Version   uint64
	Records   int64
}

// Completeness is what of one minute was to be received and what was: a whole value, upserted by all fields but Version and those behind it.
type Completeness struct {
	Platform            string
	Kind                string // seq, order, cost, stock
	SDKName, SDKVersion string // of seq
	Minute              int64  // start of the minute of receive time, ms
	Part                uint16
	Gen                 uint64
	Version             uint64
	Expected            int64
	Received            int64
	Late                int64
}

// Order is the current state of one order, upserted by (Platform, OrderID, Buyer).
type Order struct {
	Platform, OrderID string
	Buyer             [16]byte // pseudonym
	State             string
	OrderVersion      int64
	Room, Session     string
	Currency          string
	PaidMinor         int64
	RefundMinor       int64
	CreatedTS         int64 // ms, 0 if unknown
	PaidTS            int64
	EventTS           int64 // of the highest version
	Updated           int64 // receive time of the last event
	Version           uint64
}

// Rejected is one invalid record with its original bytes, upserted by (TopicID, Partition, Offset).
type Rejected struct {
	Topic      string
	TopicID    [16]byte
	Partition  int32
	Offset     int64
	ReceivedTS int64
	Reason     string
	Field      string
	Original   []byte
	Length     int64 // of the record's value as it came; above len(Original) where events.rejected could not take it whole
}

// Watermark is how far a partition of `events` has come, and its rows with it: what an event changed that came before the watermark was WM
// stands in this batch or one before it. Once true that stays true, so of several the highest holds, whatever their versions: after a lost answer, or
// a restart, a partition begins with what it knows to be stored.
type Watermark struct {
	Part    uint16
	Version uint64
	WM      int64 // ms; 0 while no watermark is known
	// FinalBefore: windows that end at this instant, ms, or before it are final where all partitions say so: the watermark less the lateness of the log's
	// settings, or more where that was raised. Like HoursTold it follows from the log and WM: it comes with the same WM always, and a higher one has no less.
	FinalBefore int64
	// HoursTold: hours that begin before this instant, ms, are final: what they hold stands in rows of their own. What later ones hold is the sum of their minutes,
	// whether they have rows or not. Where partitions are added up the lowest of theirs counts for all: minutes stay when their hour has its row.
	HoursTold int64
}

// Batch is what one flush sends. Writing it twice, late or after a newer one changes nothing.
type Batch struct {
	Epoch      uint16
	Cells      []*Cells // at most one per cube
	Outcomes   []Outcome
	Orders     []Order
	Watermarks []Watermark

	Completeness []Completeness
}

// NumKinds are the kinds of rows that a batch has: each is a table of the store.
const NumKinds = int(measure.NumCubes) + 4

// Kinds is how many rows b has of each kind.
func (b *Batch) Kinds() (n [NumKinds]int) {
	for _, c := range b.Cells {
		n[c.Cube] += len(c.Grain)
	}
	other := n[measure.NumCubes:]
	other[0], other[1], other[2], other[3] = len(b.Outcomes), len(b.Orders), len(b.Watermarks), len(b.Completeness)
	return n
}

// Rows is how many rows b has.
func (b *Batch) Rows() (n int) {
	for _, of := range b.Kinds() {
		n += of
	}
	return n
}

// Reset empties b and keeps the memory of its columns.
func (b *Batch) Reset() {
	for _, c := range b.Cells {
		c.Grain, c.Platform, c.Room, c.Session = c.Grain[:0], c.Platform[:0], c.Room[:0], c.Session[:0]
		c.Sub[0], c.Sub[1] = c.Sub[0][:0], c.Sub[1][:0]
		c.Window, c.Part, c.Gen, c.Version, c.State = c.Window[:0], c.Part[:0], c.Gen[:0], c.Version[:0], c.State[:0]
		c.First, c.Updated, c.Runs = c.First[:0], c.Updated[:0], c.Runs[:0]
		for i := range c.Values {
			c.Values[i] = c.Values[i][:0]
		}
		c.PaneEnd, c.PaneAt, c.PaneValue = c.PaneEnd[:0], c.PaneAt[:0], c.PaneValue[:0]
	}
	b.Outcomes, b.Orders, b.Watermarks, b.Completeness = b.Outcomes[:0], b.Orders[:0], b.Watermarks[:0], b.Completeness[:0]
}

// Sink stores batches. Write returns nil only when all rows are durable; on an error any part of them may have been stored.
type Sink interface {
	Write(ctx context.Context, b *Batch) error
}
