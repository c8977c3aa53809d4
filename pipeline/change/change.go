// Package change is what passes from the enricher to the aggregator: for each record of the log, what it changes in which cell, and
// the orders that it changes as they are then. In `run` it is a function call; between services it is the topic `events.enriched`.
package change

import (
	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// Flags of a change.
const (
	// Own: an event whose own window this is. It gives the window its first and last event and its updated_at, and makes a final window corrected. Online
	// does the last only; whole-view measures give an updated_at only where there is no event of its own.
	Own uint8 = 1 << iota
	// Distinct: Slot is the first of one slot per grain.
	Distinct
)

// Mask bits say which grains a change applies to.
const (
	AllGrains uint8 = 1<<measure.NumGrains - 1
	PaneOnly  uint8 = 1 << measure.Grain10s
)

// Change adds Delta to a slot of the cell of Key at the windows that contain TS, in the grains of Mask.
type Change struct {
	TS    int64 // ms
	Recv  int64 // receive time of the event behind it, ms; 0 for a timer
	Delta int64
	Key   cellkey.ID
	Slot  measure.Slot
	Mask  uint8
	Flags uint8
}

// Record is the effect of one record of the log. It is valid until the enricher applies the next one.
type Record struct {
	Offset    int64 // of the record in `events`: the version of everything that follows from it
	From      int64 // offset after the record before it, in the same life of the state: this one follows from that
	Began     int64 // where in `events` the state begins that this follows from: what one that begins elsewhere says does not go with it
	Watermark int64 // after the record, ms; 0 while unknown
	MaxRecv   int64 // highest receive time so far, ms
	Settings  *eventlog.Settings
	Changes   []Change
	Orders    []rollup.Order // strings are kept by nobody; Version is Offset
}
