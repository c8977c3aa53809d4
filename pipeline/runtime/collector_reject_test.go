package runtime

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/eventlog"
)

func TestCollectorRejectsKeepTheOriginal(t *testing.T) {
	w := newCollectorWorld(t)
	big := bytes.Repeat([]byte("x"), 900<<10)
	id := eventlog.SourceID{TopicID: w.ids["raw.order"], Partition: 2}
	for i, v := range [][]byte{[]byte("\x00\xff"), nil, big, []byte(`{"type":"viewer"}`)} {
		r := &kgo.Record{Topic: "raw.order", Partition: 2, Key: []byte("key" + strconv.Itoa(i)), Value: v, Timestamp: time.UnixMilli(w.base)}
		if err := w.cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
		w.sent[id]++
	}
	w.start(w.config())
	l := w.readLog()
	l.until("the markers", l.all)
	if l.rejects != 4 {
		t.Errorf("%d markers, want 4", l.rejects)
	}
	got := w.rejected(4)
	for i, want := range []string{"not_json", "not_json", "too_large", "wrong_topic"} {
		h := map[string]string{}
		for _, x := range got[i].Headers {
			h[x.Key] = string(x.Value)
		}
		wantHeaders := map[string]string{"reason": want, "field": h["field"], "source_topic": "raw.order", "source_topic_id": uuid.UUID(w.ids["raw.order"]).String(), "source_partition": "2", "source_offset": strconv.Itoa(i), "received_ts": strconv.FormatInt(w.base, 10)}
		if fmt.Sprint(h) != fmt.Sprint(wantHeaders) || string(got[i].Key) != "key"+strconv.Itoa(i) {
			t.Errorf("record %d: key %q, headers %v, want %v", i, got[i].Key, h, wantHeaders)
		}
	}
	if !bytes.Equal(got[2].Value, big) || got[1].Value != nil || string(got[0].Value) != "\x00\xff" {
		t.Error("the original bytes are not the original bytes")
	}
}

func (w *collectorWorld) rejected(n int) (out []*kgo.Record) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.ConsumeTopics(TopicRejected), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		w.t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	for len(out) < n {
		fetches := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			w.t.Fatalf("%d rejected records, want %d", len(out), n)
		}
		fetches.EachRecord(func(r *kgo.Record) { out = append(out, r) })
	}
	return out
}

// A record that events.rejected cannot take is cut, not retried for ever.
func TestCollectorSurvivesARecordTooBigToReject(t *testing.T) {
	w := newCollectorWorld(t)
	limit := "20000"
	if _, err := w.adm.AlterTopicConfigsState(t.Context(), collectorAlter("max.message.bytes", limit), TopicRejected); err != nil {
		t.Fatal(err)
	}
	r := &kgo.Record{Topic: "raw.viewer", Key: bytes.Repeat([]byte("k"), 30000), Value: bytes.Repeat([]byte("x"), 30000), Timestamp: time.UnixMilli(w.base)}
	if err := w.cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
		t.Fatal(err)
	}
	w.sent[eventlog.SourceID{TopicID: w.ids["raw.viewer"]}] = 1
	p := w.start(w.config())
	l := w.readLog()
	l.until("the marker", l.all)
	got := w.rejected(1)[0]
	if _, ok := gather(t, p.reg)["livemeter_collector_rejected_cut_total"]; !ok {
		t.Error("no metric tells of the cut")
	}
	if got.Key != nil || len(got.Value) < 15000 || !bytes.Equal(got.Value, r.Value[:len(got.Value)]) {
		t.Errorf("key of %d bytes, value of %d", len(got.Key), len(got.Value))
	}
}

// Of a flood of rubbish in one partition events.rejected keeps what the rate allows; all of it is in the log, and other partitions keep theirs.
func TestCollectorFloodOfRubbish(t *testing.T) {
	w := newCollectorWorld(t)
	const flood, size = 500, 1000
	var recs []*kgo.Record
	for i := range flood + 20 {
		r := &kgo.Record{Topic: "raw.viewer", Value: bytes.Repeat([]byte("x"), size), Timestamp: time.UnixMilli(w.base)}
		if i >= flood {
			r.Partition = 1
		}
		recs = append(recs, r)
		w.sent[eventlog.SourceID{TopicID: w.ids["raw.viewer"], Partition: r.Partition}]++
	}
	if err := w.cl.ProduceSync(t.Context(), recs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	cfg := w.config()
	cfg.RejectedRate = 100 * (size + rejectedHeaders) / rejectedBurst // 100 records at once, and 100 a minute
	p := w.start(cfg)
	l := w.readLog()
	l.until("all markers", l.all)
	if l.rejects != flood+20 {
		t.Errorf("%d markers, want %d", l.rejects, flood+20)
	}
	kept := map[int32]int{}
	for _, r := range w.rejected(99 + 20) {
		kept[r.Partition]++
	}
	if kept[0] < 99 || kept[0] > 200 || kept[1] != 20 {
		t.Errorf("kept %v, want some 100 of the flood and all 20 of the other partition", kept)
	}
	eventually(t, "a metric tells", func() (bool, string) {
		n := gather(t, p.reg)["livemeter_collector_rejected_unkept_total"]
		return n >= flood-200 && n <= flood-99, fmt.Sprint(n)
	})
}
