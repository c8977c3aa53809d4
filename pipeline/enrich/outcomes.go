package enrich

import (
	"strconv"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// Outcomes of a record.
const (
	outcomeAccepted uint8 = iota
	outcomeDuplicate
	outcomeInvalid
)

var outcomeNames = [...]string{"accepted", "duplicate", "invalid"}

// outcomes adds up the conservation ledger of one record of the log before it leaves as changes: one per source, minute and outcome.
type outcomes struct {
	lines []outcomeLine
	keys  map[outcomeKey]cellkey.ID
}

type outcomeKey struct {
	row     uint32
	outcome uint8
	reason  event.Reason
}

type outcomeLine struct {
	outcomeKey
	minute int64 // start, ms
	recv   int64
	n      int64
}

// count adds one record. Neighbours mostly share source, minute and outcome, so the few lines of a record are searched from the end.
func (o *outcomes) count(e *Enricher, n *eventlog.Entry, outcome uint8, reason event.Reason) {
	k := outcomeKey{e.srcRows[n.Source], outcome, reason}
	minute := n.Recv - n.Recv%minuteMS
	for i := len(o.lines) - 1; i >= 0; i-- {
		if l := &o.lines[i]; l.outcomeKey == k && l.minute == minute {
			l.n++
			l.recv = max(l.recv, n.Recv)
			return
		}
	}
	o.lines = append(o.lines, outcomeLine{k, minute, n.Recv, 1})
}

// emit turns the lines into changes of the ledger's cells.
func (o *outcomes) emit(e *Enricher) {
	for _, l := range o.lines {
		e.emit(change.Change{TS: l.minute, Recv: l.recv, Delta: l.n, Key: o.key(e, l.outcomeKey), Slot: 0, Mask: 1 << measure.Grain1m, Flags: change.Own})
	}
	o.lines = o.lines[:0]
}

func (o *outcomes) key(e *Enricher, k outcomeKey) cellkey.ID {
	if id, ok := o.keys[k]; ok {
		return id
	}
	if o.keys == nil {
		o.keys = map[outcomeKey]cellkey.ID{}
	}
	row := &e.sources.list[k.row]
	id := e.keys.Of(cellkey.Key{Cube: cellkey.Outcomes, Platform: row.topic, Room: strconv.Itoa(int(row.id.Partition)),
		Session: outcomeNames[k.outcome], Sub: [2]string{event.ReasonNames[k.reason]}})
	if row.topic != "" { // of a trimmed log the list that names it may come later
		o.keys[k] = id
	}
	return id
}
