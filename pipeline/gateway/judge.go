package gateway

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/livemeter/livemeter/pipeline/event"
)

// judge asks the pipeline's own decoder about one event at a time, so that the gateway accepts exactly what the collector accepts.
// It belongs to one request at a time.
type judge struct {
	dec *event.Decoder
	ev  event.Event
}

// decide returns the verdict and the topic the event belongs to. The topic follows from the type, which only the decoder reads
// strictly: a cheap look guesses it, and where the decoder says wrong_topic the guess is replaced, so a bad guess costs time only.
// An accepted event is in j.ev until the next call.
func (j *judge) decide(raw []byte) (event.Topic, event.Verdict) {
	guess := guessTopic(raw)
	v := j.dec.Decode(guess, raw, &j.ev)
	for t := event.Topic(0); v.Reason == event.WrongTopic && t < event.NumTopics; t++ {
		if t != guess {
			if v = j.dec.Decode(t, raw, &j.ev); v.Reason != event.WrongTopic {
				return t, v
			}
		}
	}
	return guess, v
}

func guessTopic(raw []byte) event.Topic {
	_, rest, _ := bytes.Cut(raw, []byte(`"type"`))
	rest = bytes.TrimLeft(rest, " \t\r\n:")
	for t, name := range event.TypeNames {
		if len(rest) > len(name) && rest[0] == '"' && string(rest[1:1+len(name)]) == name {
			return event.Topic(t) // topics and types are in the same order
		}
	}
	return event.TopicViewer
}

// key of the Kafka record: the viewer, so that one viewer's events stay in order; what has no viewer goes by what its versions count.
func (j *judge) key(t event.Topic) []byte {
	who := j.ev.UserID
	switch t {
	case event.TopicOrder:
		who = j.ev.BuyerID
	case event.TopicCost:
		who = j.ev.CostID
	case event.TopicStock:
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
