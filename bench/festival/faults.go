package festival

import (
	"bytes"
	"strconv"
)

// letter is a record that is sent later (disorder) or again (a duplicate).
type letter struct {
	topic  string
	data   []byte // key and value
	key    int    // length of the key; −1 for no key
	sentAt int    // in the value
	recv   int64  // when it would have been, or was, received
	again  bool
	order  bool
}

type mailbox struct {
	letters []letter
	free    []uint32
}

// maxAgainMS keeps copies inside the ten minutes in which they are duplicates by the contract.
const maxAgainMS = 9*60_000 + 30_000

// disturb does to a record what networks and clients do. It returns false where the record comes later.
func (f *Festival) disturb(r Record) (Record, bool) {
	if f.draft.sent == 0 { // a copy or a late record: it has had its share
		return r, true
	}
	order := r.Topic == f.topics[topicOrder]
	switch x := f.rnd.float(); {
	case x < 0.001:
		return f.damage(r), true
	case x < 0.011 && (r.Topic == f.topics[topicViewer] || r.Topic == f.topics[topicInteraction]):
		f.post(r, f.rnd.between(30_000, 180_000), false, false)
		return Record{}, false
	case x >= 0.98:
		delay := f.rnd.between(100, 2_000)
		switch y := f.rnd.below(20); {
		case y == 0:
			delay = f.rnd.between(60_000, maxAgainMS-10_000)
		case y < 8:
			delay = f.rnd.between(2_000, 60_000)
		}
		f.post(r, delay, true, order)
	}
	return r, true
}

func (f *Festival) post(r Record, delay int64, again, order bool) {
	l := letter{topic: r.Topic, key: len(r.Key), sentAt: f.draft.sent, recv: f.now, again: again, order: order}
	m := &f.wait
	var ref uint32
	if n := len(m.free); n > 0 {
		ref = m.free[n-1]
		m.free = m.free[:n-1]
		l.data = m.letters[ref].data[:0]
		m.letters[ref] = letter{}
	} else {
		ref = uint32(len(m.letters))
		m.letters = append(m.letters, letter{})
	}
	l.data = append(append(l.data, r.Key...), r.Value...)
	m.letters[ref] = l
	f.wheel.push(item{due: f.now + delay, ref: ref, task: taskSend})
}

// resend sends a letter: the SDK keeps client_ts and renews sent_ts, so that the event time stays what it was.
func (f *Festival) resend(buf []byte, ref uint32) (Record, bool) {
	l := f.wait.letters[ref]
	f.wait.free = append(f.wait.free, ref)
	shift := f.now - l.recv
	if l.again && shift > maxAgainMS {
		return Record{}, false
	}
	start := len(buf)
	b := append(buf, l.data...)
	key := start + l.key
	sent := b[key+l.sentAt : key+l.sentAt+13]
	n, err := strconv.ParseInt(string(sent), 10, 64)
	if err != nil {
		panic("festival: sent_ts is not where the draft says: " + string(b[key:]))
	}
	strconv.AppendInt(sent[:0], n+shift, 10)
	if l.order && l.again && f.rnd.chance(0.5) { // another delivery of the same version: only the natural key tells
		f.appendUUID(b[key+idAt:key+idAt], n)
	}
	return Record{Topic: l.topic, Key: b[start:key:key], Value: b[key:], Timestamp: f.now}, true
}

// Damages are the ways in which a record can be malformed, by the contract's reasons. One in forty is too large: those are heavy.
var damages = []string{"too_deep", "not_json", "trailing_bytes", "missing_field", "bad_type", "unknown_type", "wrong_topic",
	"unsupported_version", "bad_enum", "bad_value", "money_mismatch"}

func (f *Festival) damage(r Record) Record {
	if f.rnd.below(40) == 0 {
		return f.spoil(r, "too_large")
	}
	return f.spoil(r, damages[f.rnd.below(len(damages))])
}

// spoil makes a valid record invalid for one reason.
func (f *Festival) spoil(r Record, reason string) Record {
	v := bytes.Clone(r.Value)
	open := v[:len(v)-1] // without the closing bracket
	set := func(old, with string) { v = bytes.Replace(v, []byte(old), []byte(with), 1) }
	switch reason {
	case "too_large":
		v = append(append(append(open, `,"pad":"`...), bytes.Repeat([]byte{'x'}, 33<<10)...), `"}`...)
	case "too_deep":
		v = append(append(open, `,"x":`...), bytes.Repeat([]byte{'['}, 16)...)
	case "not_json":
		v = f.notJSON(v)
		r.Key = nil
	case "trailing_bytes":
		v = append(v, [...]string{"}", " x", ",", "\x00", "{}"}[f.rnd.below(5)]...)
	case "missing_field":
		set(`"seq":`, `"sequence":`)
	case "bad_type":
		set(`"client_ts":`, [...]string{`"client_ts":true,"was":`, `"client_ts":5e3,"was":`, `"client_ts":1.5,"was":`}[f.rnd.below(3)])
	case "unknown_type":
		set(`"type":"`, `"type":"x`)
	case "wrong_topic":
		r.Topic = f.otherTopic(r.Topic)
	case "unsupported_version":
		set(`"schema_version":"1-0-0"`, [...]string{`"schema_version":"2-0-0"`, `"schema_version":"1"`}[f.rnd.below(2)])
	case "bad_enum":
		v = f.badEnum(v)
	case "bad_value":
		set(`"seq":`, [...]string{`"seq":0,"was":`, `"seq":-4,"was":`}[f.rnd.below(2)])
	case "money_mismatch":
		return f.moneyMismatch()
	}
	r.Value = v
	return r
}

func (f *Festival) notJSON(v []byte) []byte {
	switch f.rnd.below(6) {
	case 0:
		return []byte{}
	case 1:
		return v[:len(v)/2]
	case 2:
		return append([]byte("\xEF\xBB\xBF"), v...)
	case 3:
		return bytes.Replace(v, []byte(`"event_id":"`), []byte("\"event_id\":\"\xff"), 1)
	case 4:
		return []byte("null")
	}
	return bytes.Replace(v, []byte(`"seq":`), []byte(`"seq":0`), 1)
}

func (f *Festival) otherTopic(topic string) string {
	for {
		if t := f.topics[f.rnd.below(topicCost)]; t != topic {
			return t
		}
	}
}

func (f *Festival) badEnum(v []byte) []byte {
	for _, name := range []string{`,"action":"`, `,"state":"`, `,"kind":"`} {
		if bytes.Contains(v, []byte(name)) {
			return bytes.Replace(v, []byte(name), []byte(name+"x"), 1)
		}
	}
	return bytes.Replace(v, []byte(`"type":"`), []byte(`"type":"x`), 1)
}

// moneyMismatch is a paid order whose lines do not add up.
func (f *Festival) moneyMismatch() Record {
	o := &order{id: f.orders.made, person: uint32(f.rnd.below(len(f.people))), room: uint32(f.rnd.below(len(f.rooms))), currency: "CNY",
		lines: []line{{qty: 1, unit: 5_000, paid: 5_000}}, steps: []orderStep{{state: paid, paid: 5_001}}}
	f.orders.made++
	return f.order(nil, o, 0)
}
