package event_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/event/vectors"
)

// FuzzDecode holds the decoder to what needs no knowledge of the fields: the two paths agree, and the grammar and the members are those
// of encoding/json, which shares no code with them.
func FuzzDecode(f *testing.F) {
	for _, v := range load(f) {
		f.Add(uint8(v.Topic), v.Raw)
	}
	f.Fuzz(func(t *testing.T, topic uint8, raw []byte) {
		agree(t, event.NewDecoder(), event.Topic(topic%uint8(event.NumTopics)), raw)
		sameAsEncodingJSON(t, raw)
	})
}

// agree: whatever fast accepts, strict accepts with an equal Event, and what was learned from the record itself changes nothing.
func agree(t *testing.T, d *event.Decoder, topic event.Topic, raw []byte) (fast bool) {
	t.Helper()
	before := bytes.Clone(raw)
	var onFast, onStrict event.Event
	fast = d.Fast(topic, raw, &onFast)
	verdict := d.Strict(topic, raw, &onStrict)
	if fast && (verdict != event.Verdict{} || show(&onFast) != show(&onStrict)) {
		t.Fatalf("the fast path accepts, strict says %v %q\nrecord %q\nfast   %s\nstrict %s", verdict.Reason, verdict.Field, raw, show(&onFast), show(&onStrict))
	}
	if again := d.Fast(topic, raw, &onFast); again != fast {
		t.Fatalf("the fast path says %v, then %v: %q", fast, again, raw)
	}
	if verdict.Reason != event.WrongTopic {
		with := show(&onStrict)
		var onAny event.Event
		any := d.DecodeAny(raw, &onAny)
		if any != verdict || any.Reason == event.ReasonNone && show(&onAny) != with {
			t.Fatalf("without a topic %v %q, with it %v %q\nrecord  %q\nwithout %s\nwith    %s", any.Reason, any.Field, verdict.Reason, verdict.Field, raw, show(&onAny), with)
		}
	}
	if !bytes.Equal(before, raw) {
		t.Fatalf("the record was written to: %q became %q", before, raw)
	}
	return fast
}

func sameAsEncodingJSON(t *testing.T, raw []byte) {
	t.Helper()
	if len(raw) > event.MaxRecordBytes {
		return
	}
	trimmed := bytes.Trim(raw, " \t\r\n")
	object := json.Valid(raw) && utf8.Valid(raw) && trimmed[0] == '{' && depth(trimmed) <= event.MaxDepth
	if got := event.Grammar(raw); (got == event.ReasonNone) != object {
		t.Fatalf("grammar says %v, encoding/json says object=%v: %q", got, object, raw)
	}
	if !object {
		return
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for name, value := range all {
		if !event.KnownName(name) || string(value) == "null" {
			continue
		}
		want[name] = string(value)
		if value[0] == '"' {
			var s string
			if err := json.Unmarshal(value, &s); err != nil {
				t.Fatal(err)
			}
			want[name] = s
		}
	}
	got := event.Members(raw)
	for name, value := range want {
		if got[name] != value {
			t.Fatalf("member %q: got %q, encoding/json has %q: %q", name, got[name], value, raw)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("members: got %v, want %v", got, want)
	}
}

// depth of valid JSON: the most brackets open at once.
func depth(valid []byte) (deepest int) {
	dec := json.NewDecoder(bytes.NewReader(valid))
	dec.UseNumber()
	open := 0
	for {
		token, err := dec.Token()
		if err != nil {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			open++
			deepest = max(deepest, open)
		case json.Delim('}'), json.Delim(']'):
			open--
		}
	}
}

// The same properties over records that are nearly right, where a byte fuzzer seldom comes: vectors with small edits, read by
// decoders that carry their guesses from record to record.
func TestPathsAgreeOnNearMisses(t *testing.T) {
	rounds := 30_000
	if testing.Short() {
		rounds = 5_000
	}
	all := load(t)
	valid := slices.DeleteFunc(slices.Clone(all), func(v vectors.Vector) bool { return v.Verdict.Reason != event.ReasonNone })
	rng := rand.New(rand.NewPCG(3, 1))
	d := event.NewDecoder()
	accepted := 0
	for range rounds {
		v := valid[rng.IntN(len(valid))]
		if rng.IntN(4) == 0 {
			v = all[rng.IntN(len(all))]
		}
		if len(v.Raw) == 0 || len(v.Raw) > 2000 {
			continue
		}
		raw := bytes.Clone(v.Raw)
		for range 1 + rng.IntN(2) {
			raw = edit(rng, raw, all[rng.IntN(len(all))].Raw)
		}
		if rng.IntN(8) == 0 {
			d = event.NewDecoder()
		}
		if agree(t, d, v.Topic, raw) {
			accepted++
		}
		if rng.IntN(8) == 0 {
			sameAsEncodingJSON(t, raw)
		}
	}
	if accepted < rounds/20 {
		t.Errorf("only %d of %d edited records took the fast path: the edits are too rough to test it", accepted, rounds)
	}
}

var pieces = []string{"null", `"`, `\`, `\u0041`, "0", "-", "-0", "1e3", "true", "false", "{", "}", "[", "]", ",", ":", " ", "\n", "\x00", "\x7f",
	"\xff", "é", "12345678", "1234567890123456", "99999999999999999999", `,"x":1`, `,"x":{"y":[]}`, `"seq":1,`, `"kind":"gift",`, `,"seq":2`,
	`"user_id":null,`, `,"sku_id":""`, `,"touch":{}`, `,"count":1001`, `,"items":[]`,
	`"type":"order",`, `{"type":"viewer",`, `,"id":""`, `"minor":1,`}

var (
	numbers = regexp.MustCompile(`[0-9]+`)
	values  = []string{"0", "00", "1", "01", "7", "12345678", "123456789", "100000000000000", "100000000000001", "999999999999999",
		"1000000000000000", "9999999999999999", "10000000000000000", "9223372036854775807", "9223372036854775808", "120000", "120001", "1000", "1001"}
)

// edit changes one place: inserts, deletes, overwrites, repeats, or splices in a part of another record.
func edit(rng *rand.Rand, raw, other []byte) []byte {
	if len(raw) == 0 {
		return raw
	}
	at := rng.IntN(len(raw))
	to := min(len(raw), at+1+rng.IntN(12))
	piece := []byte(pieces[rng.IntN(len(pieces))])
	switch rng.IntN(9) {
	case 0:
		return join(raw[:at], piece, raw[at:])
	case 1:
		return join(raw[:at], raw[to:])
	case 2:
		return join(raw[:at], piece, raw[to:])
	case 3:
		return join(raw[:to], raw[at:])
	case 4: // a member where a member may stand
		if comma := bytes.IndexByte(raw[at:], ','); comma >= 0 {
			return join(raw[:at+comma+1], []byte(`"x":`), piece, []byte(","), raw[at+comma+1:])
		}
	case 5:
		if len(other) > 0 {
			from := rng.IntN(len(other))
			return join(raw[:at], other[from:min(len(other), from+12)], raw[to:])
		}
	}
	if kind := rng.IntN(3); kind == 0 {
		return numbers.ReplaceAllFunc(raw, func(n []byte) []byte {
			if rng.IntN(4) == 0 {
				return []byte(values[rng.IntN(len(values))])
			}
			return n
		})
	} else if kind == 1 {
		members := bytes.Split(raw, []byte(`,"`))
		rng.Shuffle(max(0, len(members)-2), func(i, k int) { members[i+1], members[k+1] = members[k+1], members[i+1] })
		return bytes.Join(members, []byte(`,"`))
	}
	raw = bytes.Clone(raw)
	raw[at] = byte('0' + rng.IntN(75))
	return raw
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
