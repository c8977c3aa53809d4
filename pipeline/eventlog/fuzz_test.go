package eventlog

import (
	"testing"

	"github.com/livemeter/livemeter/pipeline/event"
)

func seedBlocks() [][]byte {
	d := NewDict(0)
	w := NewWriter(d)
	src := d.Source(SourceID{Partition: 1})
	w.Add(src, &Input{Kind: Viewer, Sub: uint8(event.Enter), Offset: 1, Recv: 10, TS: 5, Platform: "p", Room: "r", Session: "s", EntrySource: "e", Click: 1})
	w.Add(src, &Input{Kind: Interaction, Sub: uint8(event.Gift), Offset: 2, Recv: 11, TS: 5, Gift: 5, Currency: "CNY", Exps: []event.Experiment{{ID: "a", Variant: "b"}}})
	w.Add(src, &Input{Kind: Order, Sub: uint8(event.Paid), Offset: 3, Order: OrderInput{OrderID: "o", Items: []event.Item{{SKU: "s", Qty: 1}}}})
	w.Add(src, &Input{Kind: Reject, Sub: 1, Offset: 4})
	return [][]byte{w.Seal(nil),
		AppendSettings(nil, &Settings{Zone: "Asia/Shanghai"}),
		AppendSources(nil, &Sources{Topics: []SourceTopic{{Name: "raw.viewer", Partitions: 2}}}),
		AppendProgress(nil, &Progress{Items: []ProgressItem{{Offset: 1}, {Offset: 2}}})}
}

// Whatever the bytes, a decoder answers with an error or with references that hold.
func FuzzBlock(f *testing.F) {
	for _, s := range seedBlocks() {
		f.Add(s)
	}
	var b Block
	f.Fuzz(func(t *testing.T, p []byte) {
		if Decode(p, &b) != nil {
			return
		}
		if len(b.Entries)*minEntryBytes > len(p) {
			t.Fatalf("%d entries from %d bytes", len(b.Entries), len(p))
		}
		resolve(&b)
	})
}

func FuzzControl(f *testing.F) {
	for _, s := range seedBlocks() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		if s, err := DecodeSettings(p); err == nil {
			if again, err := DecodeSettings(AppendSettings(nil, &s)); err != nil || again != s {
				t.Fatalf("%+v became %+v, %v", s, again, err)
			}
		}
		var so, so2 Sources
		if DecodeSources(p, &so) == nil {
			if err := DecodeSources(AppendSources(nil, &so), &so2); err != nil || !so.Equal(&so2) {
				t.Fatalf("%+v became %+v, %v", so, so2, err)
			}
		}
		var pr Progress
		if DecodeProgress(p, &pr) == nil && len(pr.Items)*4 > len(p) {
			t.Fatalf("%d items from %d bytes", len(pr.Items), len(p))
		}
	})
}
