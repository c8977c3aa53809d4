// Package conformance is the suite that every rollup.Sink passes: what may happen to a batch on its way (twice, late, out of order, in
// pieces) changes nothing.
package conformance

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// Store is a sink under test and a way to read what it holds.
type Store struct {
	Sink rollup.Sink
	// Sum adds up the first measure of all live partials of one room in the cube room, whatever grain and window.
	Sum func(t testing.TB, room string) int64
	// Records adds up the outcomes of one source topic.
	Records func(t testing.TB, topic string) int64
	// Order returns state and refund of one order.
	Order func(t testing.TB, orderID string) (state string, refund int64)
	// Watermark returns the watermark of a partition in ms.
	Watermark func(t testing.TB, part uint16) int64
}

// Run runs the suite. open gives a store in which nothing of this run is stored yet; Epoch is the epoch that readers see.
func Run(t *testing.T, open func(t *testing.T) (Store, uint16)) {
	for name, f := range map[string]func(*testing.T, Store, uint16){
		"highest version wins":        highestWins,
		"the same again":              rewrite,
		"an older one later":          olderLater,
		"any order of batches":        anyOrder,
		"partials add up":             partialsAddUp,
		"another epoch is not seen":   otherEpoch,
		"empty batch":                 empty,
		"a cancelled write says so":   cancelled,
		"outcomes orders watermarks":  others,
		"cells of unequal length":     unequal,
		"all grains and many windows": manyWindows,
	} {
		t.Run(name, func(t *testing.T) {
			s, epoch := open(t)
			f(t, s, epoch)
		})
	}
}

// Row is one row of the cube room with one measure, for tests.
type Row struct {
	Grain   measure.Grain
	Room    string
	Window  int64
	Part    uint16
	Gen     uint64
	Version uint64
	State   uint8
	Run     []int64
	Value   int64
	Online  int64
}

// Start is a window start that is no older than any retention.
var Start int64 = 1_795_312_800_000

// Cells are the rows as a batch of the cube room.
func Cells(rows ...Row) *rollup.Cells {
	c := &rollup.Cells{Cube: measure.Room, Values: make([][]int64, len(measure.Columns[measure.Room]))}
	for _, r := range rows {
		c.Grain = append(c.Grain, uint8(r.Grain))
		c.Platform = append(c.Platform, "douyin")
		c.Room = append(c.Room, r.Room)
		c.Session = append(c.Session, "ls_"+r.Room)
		c.Window = append(c.Window, r.Window)
		c.Part = append(c.Part, r.Part)
		c.Gen = append(c.Gen, r.Gen)
		c.Version = append(c.Version, r.Version)
		c.State = append(c.State, r.State)
		if r.Run != nil {
			c.SetRun(r.Run)
		}
		first := r.Window
		if r.Grain == measure.GrainSession {
			first = Start
		}
		c.First = append(c.First, first+int64(r.Part))
		c.Updated = append(c.Updated, first+int64(r.Version))
		for i, m := range measure.Columns[measure.Room] {
			v := int64(0)
			switch {
			case i == 0:
				v = r.Value
			case m.Name == "online":
				v = r.Online
			}
			c.Values[i] = append(c.Values[i], v)
		}
	}
	return c
}

func batch(epoch uint16, rows ...Row) *rollup.Batch {
	return &rollup.Batch{Epoch: epoch, Cells: []*rollup.Cells{Cells(rows...)}}
}

func write(t testing.TB, s Store, bs ...*rollup.Batch) {
	t.Helper()
	for _, b := range bs {
		if err := s.Sink.Write(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
}

func wantSum(t testing.TB, s Store, room string, want int64) {
	t.Helper()
	if got := s.Sum(t, room); got != want {
		t.Errorf("sum of %s is %d, want %d", room, got, want)
	}
}

func highestWins(t *testing.T, s Store, e uint16) {
	write(t, s, batch(e, Row{Room: "r", Window: Start, Version: 5, Value: 50}), batch(e, Row{Room: "r", Window: Start, Version: 9, Value: 7}))
	wantSum(t, s, "r", 7)
}

func rewrite(t *testing.T, s Store, e uint16) {
	b := batch(e, Row{Room: "r", Window: Start, Version: 5, Value: 50}, Row{Room: "r", Window: Start, Part: 1, Version: 5, Value: 3})
	write(t, s, b, b, b)
	wantSum(t, s, "r", 53)
}

func olderLater(t *testing.T, s Store, e uint16) {
	write(t, s, batch(e, Row{Room: "r", Window: Start, Version: 9, Value: 7}), batch(e, Row{Room: "r", Window: Start, Version: 5, Value: 50}))
	wantSum(t, s, "r", 7)
}

func anyOrder(t *testing.T, s Store, e uint16) {
	var bs []*rollup.Batch
	want := int64(0)
	for part := range uint16(3) {
		for gen := range uint64(3) {
			for v := range uint64(4) {
				value := int64(1000*gen + 10*v + uint64(part))
				bs = append(bs, batch(e, Row{Room: "r", Window: Start, Part: part, Gen: 10 * gen, Version: 10*gen + v, Value: value}))
				if v == 3 {
					want += value
				}
			}
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(bs), func(i, j int) { bs[i], bs[j] = bs[j], bs[i] })
	write(t, s, bs...)
	wantSum(t, s, "r", want)
}

func partialsAddUp(t *testing.T, s Store, e uint16) {
	write(t, s, batch(e, Row{Room: "r", Window: Start, Part: 0, Value: 1}, Row{Room: "r", Window: Start, Part: 1, Value: 10},
		Row{Room: "r", Window: Start, Part: 1, Gen: 77, Value: 100}, Row{Room: "q", Window: Start, Value: 1000}))
	wantSum(t, s, "r", 111)
	wantSum(t, s, "q", 1000)
}

func otherEpoch(t *testing.T, s Store, e uint16) {
	write(t, s, batch(e, Row{Room: "r", Window: Start, Version: 5, Value: 50}), batch(e+1, Row{Room: "r", Window: Start, Version: 900, Value: 7}))
	wantSum(t, s, "r", 50)
}

func empty(t *testing.T, s Store, e uint16) { write(t, s, &rollup.Batch{Epoch: e}, batch(e)) }

func cancelled(t *testing.T, s Store, e uint16) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Sink.Write(ctx, batch(e, Row{Room: "r", Window: Start, Value: 1})); err == nil {
		t.Error("a write under a done context returned nil")
	}
}

func others(t *testing.T, s Store, e uint16) {
	b := &rollup.Batch{Epoch: e,
		Outcomes: []rollup.Outcome{
			{Topic: "raw.viewer", Minute: Start, Outcome: "accepted", Part: 0, Version: 5, Records: 40},
			{Topic: "raw.viewer", Minute: Start, Outcome: "accepted", Part: 1, Version: 5, Records: 2},
			{Topic: "raw.viewer", Minute: Start, Outcome: "invalid", Reason: "not_json", Part: 1, Version: 5, Records: 100},
		},
		Orders:     []rollup.Order{{Platform: "douyin", OrderID: "o1", Buyer: [16]byte{1}, State: "paid", OrderVersion: 2, Version: 9, PaidMinor: 500, Updated: Start}},
		Watermarks: []rollup.Watermark{{Part: 3, Version: 5, WM: Start}},
	}
	late := &rollup.Batch{Epoch: e,
		Outcomes:   []rollup.Outcome{{Topic: "raw.viewer", Minute: Start, Outcome: "accepted", Part: 0, Version: 4, Records: 39}},
		Orders:     []rollup.Order{{Platform: "douyin", OrderID: "o1", Buyer: [16]byte{1}, State: "created", OrderVersion: 1, Version: 8, Updated: Start}},
		Watermarks: []rollup.Watermark{{Part: 3, Version: 4, WM: Start - 1}},
	}
	newer := &rollup.Batch{Epoch: e,
		Orders: []rollup.Order{{Platform: "douyin", OrderID: "o1", Buyer: [16]byte{1}, State: "refunded", OrderVersion: 3, Version: 10, PaidMinor: 500, RefundMinor: 120, Updated: Start}},
	}
	write(t, s, b, newer, late, b)
	if got := s.Records(t, "raw.viewer"); got != 142 {
		t.Errorf("%d records, want 142", got)
	}
	if state, refund := s.Order(t, "o1"); state != "refunded" || refund != 120 {
		t.Errorf("order is %s with refund %d, want refunded with 120", state, refund)
	}
	if got := s.Watermark(t, 3); got != Start {
		t.Errorf("watermark %d, want %d", got, Start)
	}
}

func unequal(t *testing.T, s Store, e uint16) {
	b := batch(e, Row{Room: "r", Window: Start, Value: 1}, Row{Room: "r", Window: Start + 10_000, Value: 1})
	b.Cells[0].Window = b.Cells[0].Window[:1]
	if err := s.Sink.Write(context.Background(), b); err == nil {
		t.Error("cells with a short column were stored")
	}
	wantSum(t, s, "r", 0)
}

func manyWindows(t *testing.T, s Store, e uint16) {
	var rows []Row
	want := int64(0)
	for day := range int64(50) {
		for g := measure.Grain(0); g < measure.GrainSession; g++ {
			rows = append(rows, Row{Grain: g, Room: "r", Window: Start + day*86_400_000, Value: day})
			want += day
		}
	}
	rows = append(rows, Row{Grain: measure.GrainSession, Room: "r", Value: 1_000_000})
	write(t, s, batch(e, rows...))
	wantSum(t, s, "r", want+1_000_000)
}
