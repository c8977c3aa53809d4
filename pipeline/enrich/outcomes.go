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
	of      original // of a replay: row is 0
}

// original is the source partition of what a replay brings again: an interned topic name, since the id may be one that the log does not tell any more.
type original struct {
	topic     uint32
	partition int32
	replay    bool
}

type outcomeLine struct {
	outcomeKey
	minute int64 // start, ms
	recv   int64
	n      int64
}

// count adds one record. Neighbours mostly share source, minute and outcome, so the few lines of a record are searched from the end.
func (o *outcomes) count(e *Enricher, n *eventlog.Entry, outcome uint8, reason event.Reason) {
	o.add(outcomeKey{row: e.srcRows[n.Source], outcome: outcome, reason: reason}, n.Recv, 1)
}

// judged adds an event that was accepted, or a duplicate. That of a replay is no arrival: it is another verdict over what came long ago, so it takes back the
// one of then, in the line of the original's source and minute.
func (o *outcomes) judged(e *Enricher, n *eventlog.Entry, outcome uint8) {
	if n.OriginalIndex < 0 {
		o.count(e, n, outcome, event.ReasonNone)
		return
	}
	from := &e.block.Originals[n.OriginalIndex]
	of := original{topic: e.str(from.Topic), partition: from.Source.Partition, replay: true}
	o.add(outcomeKey{outcome: outcome, of: of}, n.Recv, 1)
	o.add(outcomeKey{outcome: outcomeInvalid, reason: from.Reason, of: of}, n.Recv, -1)
}

func (o *outcomes) add(k outcomeKey, recv, delta int64) {
	minute := recv - recv%minuteMS
	for i := len(o.lines) - 1; i >= 0; i-- {
		if l := &o.lines[i]; l.outcomeKey == k && l.minute == minute {
			l.n += delta
			l.recv = max(l.recv, recv)
			return
		}
	}
	o.lines = append(o.lines, outcomeLine{k, minute, recv, delta})
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
	if k.of.replay {
		return e.keys.Of(cellkey.Key{Cube: cellkey.Outcomes, Platform: e.keys.Text(k.of.topic), Room: strconv.Itoa(int(k.of.partition)),
			Session: outcomeNames[k.outcome], Sub: [2]string{event.ReasonNames[k.reason]}})
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
