package event

// Decoder turns raw records into Events. It has two paths: fast accepts plain records of a known shape or defers, strict decides
// everything else, so strict alone rejects. A Decoder is for one goroutine.
type Decoder struct {
	fast   fast
	strict strict
}

// NewDecoder gives a Decoder with its scratch.
func NewDecoder() *Decoder { return new(Decoder) }

// anyTopic is the topic of a record that is judged without one: that of its type.
const anyTopic = NumTopics

// Decode judges one record of a topic by contract.md, Outcomes. On acceptance it has filled ev, whose strings may point into raw;
// on rejection what ev holds means nothing. raw must not change while ev is in use; the Decoder refers to it until the next Decode.
func (d *Decoder) Decode(topic Topic, raw []byte, ev *Event) Verdict {
	if d.fast.decode(topic, raw, ev) {
		return Verdict{}
	}
	return d.strict.decode(topic, raw, ev)
}

// DecodeAny judges one record as Decode does on the topic of the record's own type: wrong_topic can not occur.
func (d *Decoder) DecodeAny(raw []byte, ev *Event) Verdict { return d.Decode(anyTopic, raw, ev) }

// reset clears ev but keeps the memory of its lists.
func reset(ev *Event) { *ev = Event{Exps: ev.Exps[:0], Items: ev.Items[:0]} }
