package eventlog

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livemeter/livemeter/pipeline/event"
)

// version2 is what a collector of format 2 wrote into testdata/version2.hex: an enter, an order and a reject.
var version2 = []Input{
	{Kind: Viewer, Sub: uint8(event.Enter), Offset: 7, Recv: 1000, TS: 900, ViewerHi: 1, ViewerLo: 2, Instance: 3, Seq: 4, EventFP: 5, View: 6, Click: 7, Platform: "p", Room: "r", Session: "s",
		EntrySource: "paid", Campaign: "c", Exps: []event.Experiment{{ID: "x", Variant: "A"}}},
	{Kind: Order, Sub: uint8(event.Paid), Offset: 8, Recv: 1001, TS: 1001, ViewerHi: 9, Platform: "p", Currency: "CNY", Click: 8,
		Order: OrderInput{OrderID: "o", Version: 2, Goods: 30, Discount: 10, Paid: 20, Items: []event.Item{{LineID: "1", SKU: "k", Qty: 2, PaidMinor: 20}}}},
	{Kind: Reject, Sub: uint8(event.NotJSON), Offset: 9, Recv: 1002, TS: 1002},
}

// What a log holds of format 2 is read as it was meant.
func TestReadsVersion2(t *testing.T) {
	text, err := os.ReadFile("testdata/version2.hex")
	if err != nil {
		t.Fatal(err)
	}
	value, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || value[1] != 2 {
		t.Fatalf("version %d, %v", value[1], err)
	}
	var b Block
	if err := Decode(value, &b); err != nil {
		t.Fatal(err)
	}
	source := SourceID{TopicID: [16]byte{1}, Partition: 3}
	var want []plain
	for i := range version2 {
		want = append(want, expect(source, &version2[i]))
	}
	if d := cmp.Diff(want, resolve(&b)); d != "" {
		t.Error(d)
	}
}
