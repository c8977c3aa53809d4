package service_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/event/vectors"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// place is where a record stands in the raw topics.
type place struct {
	topic     string
	partition int32
	offset    int64
}

// sample is a record and what must become of it.
type sample struct {
	vectors.Vector
	cut bool // events.rejected cannot take all of it
}

const heartbeat = `{"event_id":%q,"schema_version":"1-0-0","type":"viewer","platform":"douyin","client_ts":1795312800123,"sent_ts":1795312800123,` +
	`"sdk_instance_id":%q,"seq":1,"room_id":%q,"live_session_id":"ls1","user_id":%q,"view_id":%q,"action":"enter"%s}`

func enter(id, room, more string) string {
	return fmt.Sprintf(heartbeat, "e-"+id, "i-"+id, room, "u-"+id, "v-"+id, more)
}

// bombs are what does not fit into files, and what is worth a name.
func bombs() []sample {
	bad := func(name string, topic event.Topic, raw string, reason event.Reason, field string) sample {
		return sample{Vector: vectors.Vector{Name: name, Topic: topic, Raw: []byte(raw), Verdict: event.Verdict{Reason: reason, Field: field}}}
	}
	good := func(name, raw string) sample { return bad(name, event.TopicViewer, raw, event.ReasonNone, "") }
	nested := func(n int) string { return `,"x":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) } // the record is one level itself
	padded := func(id string, n int) string {
		e := enter(id, "odd", "")
		return e + strings.Repeat(" ", n-len(e))
	}
	fiveMillion := bad("5M brackets", event.TopicViewer, strings.Repeat("[", 5_000_000), event.TooLarge, "")
	fiveMillion.cut = true
	out := []sample{
		fiveMillion,
		good("16 deep", enter("deep16", "odd", nested(16))),
		bad("17 deep", event.TopicViewer, enter("deep17", "odd", nested(17)), event.TooDeep, ""),
		good("32 KiB", padded("full", 32<<10)),
		bad("32 KiB and 1", event.TopicViewer, padded("over", 32<<10+1), event.TooLarge, ""),
		bad("900 KB of brackets", event.TopicOrder, strings.Repeat("[", 900_000), event.TooLarge, ""),
		bad("empty", event.TopicStock, "", event.NotJSON, ""),
		bad("invalid UTF-8", event.TopicViewer, enter("utf8", "a\xffb", ""), event.BadValue, ""), // %q escapes it: see below
		bad("NUL bytes", event.TopicInteraction, "\x00\x00{}", event.NotJSON, ""),
		bad("byte order mark", event.TopicViewer, "\xef\xbb\xbf"+enter("bom", "odd", ""), event.NotJSON, ""),
		bad("trailing garbage", event.TopicViewer, enter("tail", "odd", "")+"{}", event.TrailingBytes, ""),
		bad("wrong topic", event.TopicOrder, enter("lost", "odd", ""), event.WrongTopic, "type"),
		good("duplicate key, the last counts", enter("twice", "odd", `,"room_id":"odd-last"`)),
		good("unknown fields, huge numbers in them", enter("unknown", "odd", `,"a":1e400,"b":-0,"c":{"d":[123456789012345678901234567890]}`)),
		good("lone surrogate", enter("surrogate", `odd`, `,"room_id":"odd-\ud800"`)),
	}
	for _, number := range []string{"1e400", "5000.0", "5e3", "1" + strings.Repeat("0", 40), `"5"`} {
		out = append(out, bad("seq "+number, event.TopicViewer, enter("seq"+number, "odd", `,"seq":`+number), event.BadType, "seq"))
	}
	out = append(out, bad("seq -0", event.TopicViewer, enter("minus", "odd", `,"seq":-0`), event.BadValue, "seq"))
	for i := range out {
		if out[i].Name == "invalid UTF-8" {
			out[i].Raw, out[i].Verdict = bytes.ReplaceAll(out[i].Raw, []byte(`\xff`), []byte("\xff")), event.Verdict{Reason: event.NotJSON}
		}
	}
	return out
}

// TestBadInput sends every vector and every bomb between good events through Kafka, collector, reader and ClickHouse, fused and apart.
func TestBadInput(t *testing.T) {
	all, err := vectors.Load("../../../schemas/testdata")
	if err != nil {
		t.Fatal(err)
	}
	samples := bombs()
	for _, v := range all {
		samples = append(samples, sample{Vector: v})
	}
	for _, fused := range []bool{true, false} {
		t.Run(fmt.Sprintf("fused=%v", fused), func(t *testing.T) { badInput(t, fused, samples) })
	}
}

func badInput(t *testing.T, fused bool, samples []sample) {
	p := start(t, fused, nil)
	received := received()
	var sent []*kgo.Record
	for i, s := range samples {
		id := strconv.Itoa(i)
		sent = append(sent,
			&kgo.Record{Topic: event.TopicNames[s.Topic], Partition: int32(i % 2), Key: []byte("key " + id), Value: s.Raw, Timestamp: received},
			&kgo.Record{Topic: "raw.viewer", Partition: int32(i % 2), Value: []byte(enter(id, "good", "")), Timestamp: received})
	}
	tombstone := &kgo.Record{Topic: "raw.cost", Key: []byte("dead"), Timestamp: received}
	sent = append(sent, tombstone)
	samples = append(slices.Clone(samples), sample{Vector: vectors.Vector{Name: "tombstone", Topic: event.TopicCost, Verdict: event.Verdict{Reason: event.NotJSON}}})
	p.send(sent...)
	p.drain()

	invalid := map[place]sample{}
	records := map[string]*kgo.Record{}
	for i, s := range samples {
		if r := sent[2*i]; s.Verdict.Reason != event.ReasonNone {
			invalid[place{r.Topic, r.Partition, r.Offset}] = s
			records[s.Name] = r
		}
	}
	ids := topicIDs(p)
	checkRejectedTopic(t, p, invalid, records, ids)
	checkRejectedTable(t, p, invalid, received, ids)
	checkOutcomes(t, p, samples, sent)

	n := len(samples) - 1
	if got := p.query("SELECT viewers, views, events FROM $db.room_measures WHERE grain = 'session' AND room_id = 'good'"); got != fmt.Sprintf("%d\t%d\t%d", n, n, n) {
		t.Errorf("viewers, views and events of the good neighbours: %q, want %d of each", got, n)
	}
	if got, want := p.query("SELECT room_id FROM $db.room_measures WHERE grain = 'session' AND room_id LIKE 'odd-%' ORDER BY room_id"), "odd-last\nodd-�"; got != want {
		t.Errorf("rooms of a key given twice and of a lone surrogate: %q, want %q", got, want)
	}
}

func topicIDs(p *pipeline) map[string]string {
	p.t.Helper()
	found, err := p.adm.ListTopics(p.t.Context(), event.TopicNames[:]...)
	if err != nil {
		p.t.Fatal(err)
	}
	ids := map[string]string{}
	for name, d := range found {
		ids[name] = uuid.UUID(d.ID).String()
	}
	return ids
}

// checkRejectedTopic: every header of the contract, the key and the bytes as they came, each invalid record once and nothing else.
func checkRejectedTopic(t *testing.T, p *pipeline, invalid map[place]sample, sent map[string]*kgo.Record, ids map[string]string) {
	t.Helper()
	seen := map[place]bool{}
	for _, r := range p.records(runtime.TopicRejected) {
		h := map[string]string{}
		for _, x := range r.Headers {
			h[x.Key] = string(x.Value)
		}
		partition, _ := strconv.Atoi(h["source_partition"])
		offset, _ := strconv.ParseInt(h["source_offset"], 10, 64)
		at := place{h["source_topic"], int32(partition), offset}
		s, ok := invalid[at]
		if !ok {
			t.Errorf("%v is not invalid, but in events.rejected: %v", at, h)
			continue
		}
		seen[at] = true
		from := sent[s.Name]
		want := map[string]string{"reason": s.Verdict.Reason.String(), "field": s.Verdict.Field, "source_topic": at.topic, "source_topic_id": ids[at.topic],
			"source_partition": strconv.Itoa(partition), "source_offset": strconv.FormatInt(offset, 10), "received_ts": strconv.FormatInt(from.Timestamp.UnixMilli(), 10)}
		value := from.Value
		if s.cut {
			want["cut_value_bytes"] = strconv.Itoa(len(value))
			value = value[:min(len(r.Value), len(value))]
		}
		if !maps.Equal(h, want) {
			t.Errorf("%s: headers %v, want %v", s.Name, h, want)
		}
		if !bytes.Equal(r.Value, value) || !bytes.Equal(r.Key, from.Key) || (r.Value == nil) != (from.Value == nil) {
			t.Errorf("%s: the bytes in events.rejected are not the original ones", s.Name)
		}
	}
	if len(seen) != len(invalid) {
		t.Errorf("events.rejected has %d of %d invalid records", len(seen), len(invalid))
	}
}

func checkRejectedTable(t *testing.T, p *pipeline, invalid map[place]sample, received time.Time, ids map[string]string) {
	t.Helper()
	got := map[place]string{}
	for row := range strings.SplitSeq(p.query("SELECT source_topic, source_partition, source_offset, topic_id, toUnixTimestamp64Milli(received_ts), reason, field, "+
		"length(original), hex(SHA256(original)) FROM $db.rejected"), "\n") {
		cols := strings.SplitN(row, "\t", 4)
		partition, _ := strconv.Atoi(cols[1])
		offset, _ := strconv.ParseInt(cols[2], 10, 64)
		got[place{cols[0], int32(partition), offset}] = cols[3]
	}
	for at, s := range invalid {
		raw := s.Raw
		if s.cut {
			raw = raw[:2<<20-1<<10-len("key 0")]
		}
		want := fmt.Sprintf("%s\t%d\t%s\t%s\t%d\t%s", ids[at.topic], received.UnixMilli(), s.Verdict.Reason, s.Verdict.Field, len(raw), sha256Hex(raw))
		if got[at] != want {
			t.Errorf("%s %v in the table rejected: %q, want %q", s.Name, at, got[at], want)
		}
	}
	if len(got) != len(invalid) {
		t.Errorf("the table rejected has %d rows, want %d", len(got), len(invalid))
	}
}

// checkOutcomes: each consumed record has exactly one outcome, in the store and in the metrics.
func checkOutcomes(t *testing.T, p *pipeline, samples []sample, sent []*kgo.Record) {
	t.Helper()
	want, reasons := map[string]int{}, map[string]int{}
	for i, r := range sent {
		outcome := "valid\t"
		if v := samples[i/2].Verdict; i%2 == 0 && v.Reason != event.ReasonNone {
			outcome = "invalid\t" + v.Reason.String()
			reasons[v.Reason.String()]++
		}
		want[fmt.Sprintf("%s\t%d\t%s", r.Topic, r.Partition, outcome)]++
	}
	got := map[string]int{}
	for row := range strings.SplitSeq(p.query("SELECT source_topic, source_partition, if(outcome = 'invalid', 'invalid', 'valid'), reason, sum(records) FROM $db.outcomes GROUP BY ALL"), "\n") {
		cut := strings.LastIndexByte(row, '\t')
		n, err := strconv.Atoi(row[cut+1:])
		if err != nil {
			t.Fatal(err)
		}
		got[row[:cut]] += n
	}
	if !maps.Equal(got, want) {
		t.Errorf("outcomes\n%v\nwant\n%v", got, want)
	}
	reasons[""] = len(sent) - sum(reasons)
	for _, metric := range []string{"livemeter_collector_records_total", "livemeter_reader_outcomes_total"} {
		eventually(t, metric+" by reason", func() error { // the collector publishes its counters once a second
			got := p.sums(metric, "reason")
			maps.DeleteFunc(got, func(reason string, n float64) bool { return reason == event.Internal.String() && n == 0 }) // no input is that
			if !maps.EqualFunc(got, reasons, func(a float64, b int) bool { return a == float64(b) }) {
				return fmt.Errorf("%v, want %v", got, reasons)
			}
			return nil
		})
	}
}

func sum(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}
