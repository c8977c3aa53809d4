package eventlog

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/livemeter/livemeter/pipeline/event"
)

// plain is an entry with its references resolved, so that what went in and what came out compare as they are.
type plain struct {
	Entry                             Entry
	Source                            SourceID
	Room, Exps, SKU, Origin, Currency string
	SDK                               string
	Order                             OrderBody
	SKUs                              []string
	Original                          OriginalInput
}

func resolve(b *Block) []plain {
	var out []plain
	for _, e := range b.Entries {
		p := plain{Source: b.Sources[e.Source], Room: b.Strings[e.Room], Exps: b.Strings[e.Exps], SKU: b.Strings[e.SKU],
			Origin: b.Strings[e.Origin], Currency: b.Strings[e.Currency], SDK: b.Strings[e.SDK]}
		if e.OrderIndex >= 0 {
			p.Order = b.Orders[e.OrderIndex]
			p.Order.Items = append([]Item(nil), p.Order.Items...)
			for i := range p.Order.Items {
				p.SKUs = append(p.SKUs, b.Strings[p.Order.Items[i].SKU])
				p.Order.Items[i].SKU = 0
			}
		}
		if e.OriginalIndex >= 0 {
			o := &b.Originals[e.OriginalIndex]
			p.Original = OriginalInput{Source: o.Source, Offset: o.Offset, Topic: b.Strings[o.Topic], Reason: o.Reason}
		}
		e.Source, e.Room, e.Exps, e.SKU, e.Origin, e.Currency, e.SDK, e.OrderIndex, e.OriginalIndex = 0, 0, 0, 0, 0, 0, 0, 0, 0
		p.Entry = e
		out = append(out, p)
	}
	return out
}

// expect says what an input must come out as, in the words of Entry's comments.
func expect(src SourceID, in *Input) plain {
	e := Entry{Kind: in.Kind, Flags: in.Flags, Sub: in.Sub, Offset: in.Offset, Recv: in.Recv, TS: in.TS}
	p := plain{Source: src, Entry: e}
	if in.Kind == Reject && in.Instance == 0 {
		return p
	}
	if in.SDKName+in.SDKVersion != "" {
		p.SDK = in.SDKName + "\x00" + in.SDKVersion
	}
	if in.Kind == Reject {
		p.Entry.ViewerHi, p.Entry.ViewerLo, p.Entry.Instance, p.Entry.Seq = in.ViewerHi, in.ViewerLo, in.Instance, in.Seq
		p.Room = in.Platform + "\x00\x00"
		return p
	}
	e.ViewerHi, e.ViewerLo, e.Instance, e.Seq, e.EventFP = in.ViewerHi, in.ViewerLo, in.Instance, in.Seq, in.EventFP
	e.View, e.Value, e.Gift, e.Rating, e.Click = in.View, in.Value, in.Gift, in.Rating, in.Click
	p.Entry = e
	p.Room, p.SKU, p.Currency = in.Platform+"\x00"+in.Room+"\x00"+in.Session, in.SKU, in.Currency
	if in.Kind == Viewer && in.Sub == uint8(event.Enter) {
		p.Origin = in.EntrySource + "\x00" + in.Campaign
	}
	var pairs []string
	seen := map[event.Experiment]bool{}
	for _, x := range in.Exps {
		if !seen[x] {
			pairs = append(pairs, x.ID+"\x00"+x.Variant)
		}
		seen[x] = true
	}
	p.Exps = strings.Join(pairs, "\x01")
	if in.Original != nil {
		p.Original = *in.Original
	}
	if in.Kind != Order {
		return p
	}
	o := &in.Order
	p.Order = OrderBody{OrderID: o.OrderID, Version: o.Version, Goods: o.Goods, Discount: o.Discount, Paid: o.Paid,
		RefundID: o.RefundID, RefundLine: o.RefundLine, Refund: o.Refund}
	for _, it := range o.Items {
		p.Order.Items = append(p.Order.Items, Item{LineID: it.LineID, Qty: it.Qty, Paid: it.PaidMinor})
		p.SKUs = append(p.SKUs, it.SKU)
	}
	return p
}

func drawInput(t *rapid.T) *Input {
	id := rapid.SampledFrom([]string{"", "a", "b", "r_1", "中文", strings.Repeat("x", 128), strings.Repeat("y", 300)})
	i64, u64, time := rapid.Int64(), rapid.Uint64(), rapid.Int64Min(0) // from 1970 on
	in := &Input{Kind: EntryKind(rapid.IntRange(0, int(Reject)).Draw(t, "kind")), Flags: uint8(rapid.IntRange(0, 15).Draw(t, "flags")),
		Offset: i64.Draw(t, "offset"), Recv: time.Draw(t, "recv"), TS: time.Draw(t, "ts")}
	lo := 0
	if in.Kind == Reject {
		lo = 1
	}
	in.Sub = uint8(rapid.IntRange(lo, int(subs[in.Kind])-1).Draw(t, "sub"))
	in.ViewerHi, in.ViewerLo, in.Instance, in.Seq = u64.Draw(t, "hi"), u64.Draw(t, "lo"), u64.Draw(t, "inst"), u64.Draw(t, "seq")
	in.EventFP, in.View, in.Click = u64.Draw(t, "fp"), u64.Draw(t, "view"), u64.Draw(t, "click")
	in.Platform, in.Room, in.Session = id.Draw(t, "platform"), id.Draw(t, "room"), id.Draw(t, "session")
	in.EntrySource, in.Campaign, in.SKU, in.Currency = id.Draw(t, "origin"), id.Draw(t, "campaign"), id.Draw(t, "sku"), id.Draw(t, "currency")
	in.SDKName, in.SDKVersion = id.Draw(t, "sdk"), id.Draw(t, "sdk version")
	in.Value, in.Gift, in.Rating = i64.Draw(t, "value"), i64.Draw(t, "gift"), rapid.Byte().Draw(t, "rating")
	for range rapid.IntRange(0, event.MaxExperiments).Draw(t, "exps") {
		in.Exps = append(in.Exps, event.Experiment{ID: id.Draw(t, "exp"), Variant: id.Draw(t, "variant")})
	}
	if rapid.IntRange(0, 3).Draw(t, "replay") == 0 {
		in.Original = &OriginalInput{Source: SourceID{TopicID: [16]byte{rapid.Byte().Draw(t, "original id")}, Partition: int32(rapid.IntRange(0, maxPartition).Draw(t, "original partition"))},
			Offset: rapid.Int64Min(0).Draw(t, "original offset"), Topic: id.Draw(t, "original topic"), Reason: event.Reason(rapid.IntRange(1, int(event.NumReasons)-1).Draw(t, "reason"))}
	}
	if in.Kind != Order {
		return in
	}
	in.Order = OrderInput{OrderID: id.Draw(t, "order"), Version: i64.Draw(t, "version"), Goods: i64.Draw(t, "goods"), Discount: i64.Draw(t, "discount"),
		Paid: i64.Draw(t, "paid"), Refund: i64.Draw(t, "refund"), RefundID: id.Draw(t, "refund id"), RefundLine: id.Draw(t, "refund line")}
	for range rapid.IntRange(0, 5).Draw(t, "items") {
		in.Order.Items = append(in.Order.Items, event.Item{LineID: id.Draw(t, "line"), SKU: id.Draw(t, "item sku"), Qty: i64.Draw(t, "qty"), PaidMinor: i64.Draw(t, "line paid")})
	}
	return in
}

// What goes in comes out, whatever the numbers are (times before 1970 are refused), over several blocks of one writer, with a dictionary that forgets all the time and
// with a Block that is reused.
func TestBlockRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := NewDict(rapid.SampledFrom([]int{1, 200, 0}).Draw(t, "dict bytes"))
		w := NewWriter(d)
		var b Block
		for range rapid.IntRange(1, 3).Draw(t, "blocks") {
			var want []plain
			for range rapid.IntRange(1, 20).Draw(t, "entries") {
				id := SourceID{TopicID: [16]byte{byte(rapid.IntRange(0, 2).Draw(t, "topic"))}, Partition: int32(rapid.IntRange(0, 40).Draw(t, "partition"))}
				in := drawInput(t)
				w.Add(d.Source(id), in)
				want = append(want, expect(id, in))
			}
			if w.Len() != len(want) {
				t.Fatalf("Len %d, want %d", w.Len(), len(want))
			}
			if err := Decode(w.Seal(nil), &b); err != nil {
				t.Fatal(err)
			}
			got := resolve(&b)
			for i := range want {
				if !equalPlain(got[i], want[i]) {
					t.Fatalf("entry %d:\n got %+v\nwant %+v", i, got[i], want[i])
				}
			}
			if len(got) != len(want) {
				t.Fatalf("%d entries, want %d", len(got), len(want))
			}
		}
		if w.Seal(nil) != nil {
			t.Fatal("an empty block was sealed")
		}
	})
}

func equalPlain(a, b plain) bool { return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b) }

func TestControlRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Settings{Partitions: rapid.Uint16().Draw(t, "p"), KeyFingerprint: rapid.Uint64().Draw(t, "fp"),
			HorizonMS: rapid.Int64().Draw(t, "h"), LatenessMS: rapid.Int64().Draw(t, "l"), SessionGapMS: rapid.Int64().Draw(t, "g"), DedupeMS: rapid.Int64().Draw(t, "d"),
			Zone: rapid.SampledFrom([]string{"", "UTC", "Asia/Shanghai"}).Draw(t, "zone"), MaxCells: rapid.Uint32().Draw(t, "cells"), TTLDays: [5]uint16{14, 90, 1095, 0, 65535}}
		if got, err := DecodeSettings(AppendSettings(nil, &s)); err != nil || got != s {
			t.Fatalf("settings: got %+v, %v, want %+v", got, err, s)
		}
		var so, gotSo Sources
		for range rapid.IntRange(0, 6).Draw(t, "topics") {
			so.Topics = append(so.Topics, SourceTopic{Name: rapid.StringMatching(`[a-z.]{1,30}`).Draw(t, "name"), Kind: event.Topic(rapid.IntRange(0, int(event.NumTopics)-1).Draw(t, "kind")),
				ID: [16]byte{rapid.Byte().Draw(t, "id")}, Partitions: int32(rapid.IntRange(0, 1000).Draw(t, "partitions"))})
		}
		if err := DecodeSources(AppendSources(nil, &so), &gotSo); err != nil || !gotSo.Equal(&so) {
			t.Fatalf("sources: got %+v, %v, want %+v", gotSo, err, so)
		}
		var pr, gotPr Progress
		for range rapid.IntRange(0, 12).Draw(t, "items") {
			pr.Items = append(pr.Items, ProgressItem{Source: SourceID{[16]byte{byte(rapid.IntRange(0, 2).Draw(t, "id"))}, int32(rapid.IntRange(0, 100).Draw(t, "partition"))},
				Generation: rapid.Int32().Draw(t, "gen"), Offset: rapid.Int64Min(-1).Draw(t, "offset"), Recv: rapid.Int64().Draw(t, "recv")})
		}
		if err := DecodeProgress(AppendProgress(nil, &pr), &gotPr); err != nil || fmt.Sprint(gotPr.Items) != fmt.Sprint(pr.Items) {
			t.Fatalf("progress: got %+v, %v, want %+v", gotPr, err, pr)
		}
	})
}

// Layout of version 3, byte by byte: logs outlive binaries. If this fails, FormatVersion must rise.
func TestLayoutIsFixed(t *testing.T) {
	d := NewDict(0)
	w := NewWriter(d)
	src := d.Source(SourceID{TopicID: [16]byte{0xaa, 15: 0xbb}, Partition: 3})
	w.Add(src, &Input{Kind: Viewer, Sub: uint8(event.Heartbeat), Flags: Background, Offset: 300, Recv: 1000, TS: 990, ViewerHi: 1, ViewerLo: 2, Instance: 3, EventFP: 4, Seq: 5,
		Platform: "p", Room: "r", Session: "s", View: 6, Value: 5000})
	w.Add(src, &Input{Kind: Reject, Sub: uint8(event.NotJSON), Offset: 301, Recv: 1001, TS: 1001})
	w.Add(src, &Input{Kind: Stock, Offset: 302, Recv: 1001, TS: 1001, Platform: "p", Room: "r", Session: "s", SKU: "k", View: 7, Value: 1,
		Original: &OriginalInput{Source: SourceID{TopicID: [16]byte{0xcc}, Partition: 4}, Offset: 300, Topic: "t", Reason: event.NotJSON}})
	want := "0103" + "2001" + "00" + "aa0000000000000000000000000000bb" + "03" + "ac02" + "d00f" + "0a" +
		"0100000000000000" + "0200000000000000" + "0300000000000000" + "0400000000000000" + "05" + "0005" + "7000720073" + "0600000000000000" + "904e" +
		"0503" + "01" + "01" + "02" + "00" +
		"8400" + "8209" + "01" + "01" + "00" + "00" + strings.Repeat("00", 16+8+8) + "00" + "01" + "0700000000000000" + "02" + "00016b" +
		"cc" + strings.Repeat("00", 15) + "04" + "ac02" + "03" + "000174"
	if got := fmt.Sprintf("%x", w.Seal(nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	d := NewDict(0)
	w := NewWriter(d)
	w.Add(d.Source(SourceID{}), &Input{Kind: Order, Order: OrderInput{OrderID: "o", Items: []event.Item{{LineID: "1", SKU: "s", Qty: 1}}}, Exps: []event.Experiment{{ID: "a", Variant: "b"}}})
	good := w.Seal(nil)
	var b Block
	for n := range good {
		if err := Decode(good[:n:n], &b); err == nil && n != headerBytes {
			t.Errorf("the first %d of %d bytes were accepted", n, len(good))
		}
	}
	for _, c := range []struct{ value, want string }{
		{"\x09\x02", "record type 9"}, {"\x01\x04", "upgrade livemeter"}, {"\x01\x01", "older livemeter"}, {"\x00\x02", "record type 0"}, {"", "0 bytes"}, {"\x02\x02", "type 2 where 1 is expected"},
		{"\x01\x02\x07\x01\x00\x00\x00\x00", "unknown kind"}, {"\x01\x02\x05\x00\x00\x00\x00\x00", "unknown kind"}, {"\x01\x02\x05\x01\x01\x00\x00\x00", "source"},
		{"\x01\x02\x80\x00\x80\x10\x00\x00\x00", "unknown optional fields"},
		{"\x01\x02\x05\x01\x00" + strings.Repeat("\x00", 16) + "\x00\x00\x01\x00", "time before 1970"}, {"\x01\x02\x05\x01\x00" + strings.Repeat("\x00", 16) + "\x00\x00\x02\x02", "time before 1970"},
	} {
		if err := Decode([]byte(c.value), &b); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.value, err, c.want)
		}
	}
}

func TestDecodeDoesNotKeepItemsOfTheBlockBefore(t *testing.T) {
	d := NewDict(0)
	w := NewWriter(d)
	var b Block
	for _, n := range []int{3, 1, 0} {
		w.Add(d.Source(SourceID{}), &Input{Kind: Order, Order: OrderInput{Items: make([]event.Item, n)}})
		if err := Decode(w.Seal(nil), &b); err != nil {
			t.Fatal(err)
		}
		if len(b.Orders) != 1 || len(b.Orders[0].Items) != n {
			t.Fatalf("got %+v, want one order with %d items", b.Orders, n)
		}
	}
	if !reflect.DeepEqual(b.Strings, []string{"", "\x00\x00"}) {
		t.Errorf("strings %q", b.Strings)
	}
}

// TestVersion2IsRead: what was written before has the same meaning, but for the numbers that servers gave orders, costs and stock levels.
func TestVersion2IsRead(t *testing.T) {
	d := NewDict(0)
	w := NewWriter(d)
	src := d.Source(SourceID{})
	w.Add(src, &Input{Kind: Viewer, Platform: "p", Instance: 3, Seq: 5})
	w.Add(src, &Input{Kind: Stock, Offset: 1, Platform: "p", Seq: 9})
	block := w.Seal(nil)
	for version, stock := range map[byte]uint64{2: 0, 3: 9} {
		block[1] = version
		var b Block
		if err := Decode(block, &b); err != nil || b.Entries[0].Seq != 5 || b.Entries[1].Seq != stock {
			t.Errorf("version %d: %v, %+v", version, err, b.Entries)
		}
	}
}
