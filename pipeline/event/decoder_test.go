package event_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/event/vectors"
)

const testdata = "../../schemas/testdata"

func load(tb testing.TB) []vectors.Vector {
	tb.Helper()
	all, err := vectors.Load(testdata)
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// Every vector gets its verdict from a new decoder and from one that has learned from the records before, and is left as it was.
func TestVectors(t *testing.T) {
	d := event.NewDecoder()
	var ev event.Event
	for _, v := range load(t) {
		raw := bytes.Clone(v.Raw)
		for _, decoder := range []*event.Decoder{d, event.NewDecoder()} {
			if got := decoder.Decode(v.Topic, raw, &ev); got != v.Verdict {
				t.Errorf("%s: got %v %q, want %v %q: %.300q", v.Name, got.Reason, got.Field, v.Verdict.Reason, v.Verdict.Field, v.Raw)
			}
		}
		if !bytes.Equal(raw, v.Raw) {
			t.Errorf("%s: Decode wrote into the record", v.Name)
		}
	}
}

// Without a topic a record gets the verdict that it gets on the topic of its type.
func TestAnyTopicVectors(t *testing.T) {
	d := event.NewDecoder()
	var ev, onTopic event.Event
	for _, v := range load(t) {
		got := d.DecodeAny(v.Raw, &ev)
		if v.Verdict.Reason == event.WrongTopic {
			if want := event.NewDecoder().Decode(ev.Type.Topic(), v.Raw, &onTopic); got != want || ev.Type.Topic() == v.Topic {
				t.Errorf("%s: got %v %q, on the topic of %s %v %q", v.Name, got.Reason, got.Field, event.TypeNames[ev.Type], want.Reason, want.Field)
			}
			continue
		}
		if got != v.Verdict {
			t.Errorf("%s: got %v %q, want %v %q", v.Name, got.Reason, got.Field, v.Verdict.Reason, v.Verdict.Field)
		}
		if got.Reason == event.ReasonNone && ev.Type.Topic() != v.Topic {
			t.Errorf("%s: accepted for topic %s, want %s", v.Name, event.TopicNames[ev.Type.Topic()], event.TopicNames[v.Topic])
		}
	}
}

// Each reason has vectors, so that a new one can not be forgotten; too_large is made here, and no record is meant to be internal.
func TestEveryReasonHasVectors(t *testing.T) {
	var seen [event.NumReasons]int
	for _, v := range load(t) {
		seen[v.Verdict.Reason]++
	}
	for r := event.ReasonNone; r < event.NumReasons; r++ {
		if seen[r] == 0 && r != event.TooLarge && r != event.Internal {
			t.Errorf("no vector for %q", r)
		}
	}
}

const heartbeat = `{"event_id":"e1","schema_version":"1-0-0","type":"viewer","platform":"douyin","client_ts":1795312800123,` +
	`"sent_ts":1795312800450,"sdk_instance_id":"i1","seq":17,"room_id":"r1","live_session_id":"ls1","user_id":"u1","view_id":"v1",` +
	`"action":"heartbeat"}`

func TestSizeAndDepthBombs(t *testing.T) {
	padded := func(n int) string { return heartbeat + strings.Repeat(" ", n-len(heartbeat)) }
	filled := func(n int) string {
		tail := heartbeat[:len(heartbeat)-1] + `,"x":"`
		return tail + strings.Repeat("y", n-len(tail)-2) + `"}`
	}
	for _, c := range []struct {
		name string
		raw  string
		want event.Reason
	}{
		{"32 KiB of padding", padded(32 << 10), event.ReasonNone},
		{"32 KiB + 1 of padding", padded(32<<10 + 1), event.TooLarge},
		{"32 KiB of text", filled(32 << 10), event.ReasonNone},
		{"32 KiB + 1 of text", filled(32<<10 + 1), event.TooLarge},
		{"5M brackets", strings.Repeat("[", 5_000_000), event.TooLarge},
		{"32 KiB of brackets", `{"a":` + strings.Repeat("[", 32<<10-5), event.TooDeep},
		{"32 KiB of objects", strings.Repeat(`{"a":`, 6000), event.TooDeep},
		{"32 KiB of top-level brackets", strings.Repeat("[", 32<<10), event.NotJSON},
		{"not UTF-8 before the 17th bracket", "{\"\xff\":" + strings.Repeat("[", 20), event.NotJSON},
		{"not UTF-8 behind the 17th bracket", `{"a":` + strings.Repeat("[", 16) + "\xff", event.TooDeep},
		{"a closed bracket is not open", `{"a":[` + strings.Repeat("[],", 5000) + "[]]}", event.MissingField},
		{"zeros", strings.Repeat("\x00", 100), event.NotJSON},
	} {
		if got := event.NewDecoder().Decode(event.TopicViewer, []byte(c.raw), new(event.Event)); got.Reason != c.want {
			t.Errorf("%s: got %v %q, want %v", c.name, got.Reason, got.Field, c.want)
		}
	}
	if got := event.NewDecoder().Decode(event.TopicViewer, nil, new(event.Event)); got.Reason != event.NotJSON {
		t.Errorf("tombstone: got %v, want not_json", got.Reason)
	}
}

// A record cut anywhere is rejected, and never with a panic: the decoder learned its names from the whole one.
func TestTruncated(t *testing.T) {
	d := event.NewDecoder()
	var ev event.Event
	for _, v := range load(t) {
		if v.Verdict.Reason != event.ReasonNone || len(v.Raw) > 1000 {
			continue
		}
		whole := bytes.TrimSpace(v.Raw)
		d.Decode(v.Topic, whole, &ev)
		for n := range len(whole) {
			if got := d.Decode(v.Topic, whole[:n:n], &ev); got.Reason != event.NotJSON {
				t.Fatalf("%s cut at %d: got %v %q", v.Name, n, got.Reason, got.Field)
			}
		}
	}
}

func TestUnusedFieldsAreLeftOut(t *testing.T) {
	raw := heartbeat[:len(heartbeat)-1] + `,"entry_source":"paid","share_id":"s","touch":{"channel":"c","kind":"click"},"watch_ms_delta":5}`
	var ev event.Event
	if got := event.NewDecoder().Decode(event.TopicViewer, []byte(raw), &ev); got != (event.Verdict{}) {
		t.Fatal(got)
	}
	if ev.EntrySource != "" || ev.ShareID != "" || ev.Touch != (event.Touch{}) || ev.WatchMS != 5 {
		t.Errorf("a heartbeat carries %+v", ev)
	}
}

// A Decoder is reused for millions of records: nothing of one may show in the next.
func TestNothingIsLeftOfTheRecordBefore(t *testing.T) {
	all := load(t)
	d := event.NewDecoder()
	var ev event.Event
	for _, v := range all {
		got := d.Decode(v.Topic, v.Raw, &ev)
		var fresh event.Event
		event.NewDecoder().Decode(v.Topic, v.Raw, &fresh)
		if got.Reason == event.ReasonNone && show(&ev) != show(&fresh) {
			t.Errorf("%s:\n got %s\nwant %s", v.Name, show(&ev), show(&fresh))
		}
	}
}

func show(ev *event.Event) string { return strings.ReplaceAll(fmt.Sprintf("%+v", *ev), "[]", "") }

func TestEventTime(t *testing.T) {
	const day = 24 * 60 * 60 * 1000
	for _, c := range []struct {
		name               string
		recv, client, sent int64
		ts                 int64
		clamped, negative  bool
	}{
		{"sent at once", 1_000_000, 500, 500, 1_000_000, false, false},
		{"waited 300 ms", 1_000_000, 500, 800, 999_700, false, false},
		{"sent before client", 1_000_000, 800, 500, 1_000_000, false, true},
		{"waited 7 days", 100 * day, 5, 5 + 7*day, 93 * day, false, false},
		{"waited 7 days and 1 ms", 100 * day, 5, 6 + 7*day, 93 * day, true, false},
		{"the ends of the range", 0, 0, event.MaxTime, -7 * day, true, false},
		{"the ends of the range, back", 0, event.MaxTime, 0, 0, false, true},
	} {
		ts, clamped, negative := event.EventTime(c.recv, c.client, c.sent)
		if ts != c.ts || clamped != c.clamped || negative != c.negative {
			t.Errorf("%s: got %d %v %v, want %d %v %v", c.name, ts, clamped, negative, c.ts, c.clamped, c.negative)
		}
	}
}
