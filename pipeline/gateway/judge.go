package gateway

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"github.com/livemeter/livemeter/pipeline/event"
)

// judge asks the pipeline's own decoder about one event at a time, so that the gateway accepts exactly what the collector accepts.
// It belongs to one request at a time.
type judge struct {
	dec   *event.Decoder
	ev    event.Event
	fault func(raw []byte) // tests make it panic
}

// decide returns the verdict. An accepted event is in j.ev until the next call. What the decoder panics over is rejected alone: its neighbours are not tainted.
func (j *judge) decide(raw []byte) (v event.Verdict, panicked error) {
	defer func() {
		if p := recover(); p != nil {
			j.dec, j.ev = event.NewDecoder(), event.Event{} // of the other nobody knows what it holds
			v, panicked = event.Verdict{Reason: event.Internal}, fmt.Errorf("the decoder panicked: %v\n%s", p, debug.Stack())
		}
	}()
	if j.fault != nil {
		j.fault(raw)
	}
	return j.dec.DecodeAny(raw, &j.ev), nil
}

// key of the Kafka record: the viewer, so that one viewer's events stay in order; what has no viewer goes by what its versions count.
func (j *judge) key() []byte {
	who := j.ev.UserID
	switch j.ev.Type {
	case event.TypeOrder:
		who = j.ev.BuyerID
	case event.TypeCost:
		who = j.ev.CostID
	case event.TypeStock:
		who = j.ev.SKU
	default:
		if who == "" {
			who = j.ev.AnonID
		}
	}
	key := make([]byte, 0, len(j.ev.Platform)+1+len(who))
	key = append(key, j.ev.Platform...)
	key = append(key, '|')
	return append(key, who...)
}

// findEventID reads the event_id of a rejected event for the answer, if it has one that is valid. Records above the size limit are
// not read again: finding an id is not worth parsing them.
func findEventID(raw []byte) string {
	if len(raw) > event.MaxRecordBytes || !utf8.Valid(raw) {
		return ""
	}
	var fields map[string]json.RawMessage // a map, since names of struct fields match in any case
	var id string
	if json.Unmarshal(raw, &fields) != nil || json.Unmarshal(fields["event_id"], &id) != nil {
		return ""
	}
	bad := func(r rune) bool { return r < 0x20 || r == 0x7f }
	if len(id) > event.MaxIDBytes || strings.ContainsFunc(id, bad) {
		return ""
	}
	return id
}
