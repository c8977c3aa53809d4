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
	// Sum adds up the first measure of one room's minutes and hours in the cube room.
	Sum func(t testing.TB, room string) int64
	// Panes adds it up over the room's windows of 10 s.
	Panes func(t testing.TB, room string) int64
	// Records adds up the outcomes of one source topic.
	Records func(t testing.TB, topic string) int64
	// Numbers adds up the completeness of one SDK version.
	Numbers func(t testing.TB, sdkVersion string) (expected, received, late int64)
	// Order returns state and refund of one order.
	Order func(t testing.TB, orderID string) (state string, refund int64)
	// Watermark returns the watermark of a partition in ms.
	Watermark func(t testing.TB, part uint16) int64
}

// Run runs the suite. open gives a store in which nothing of this run is stored yet; Epoch is the epoch that readers see.
func Run(t *testing.T, open func(t *testing.T) (Store, uint16)) {
	for name, f := range map[string]func(*testing.T, Store, uint16){
		"highest version wins":       highestWins,
		"the same again":             rewrite,
		"an older one later":         olderLater,
		"any order of batches":       anyOrder,
		"partials add up":            partialsAddUp,
		"another epoch is not seen":  otherEpoch,
		"empty batch":                empty,
		"a cancelled write says so":  cancelled,
		"outcomes orders watermarks": others,
		"cells of unequal length":    unequal,
		"panes go with their row":    panes,
		"panes that end nowhere":     unequalPanes,
		"minutes and hours alone":    otherGrains,
		"many minutes and hours":     manyWindows,
	} {
		t.Run(name, func(t *testing.T) {
			s, epoch := open(t)
			f(t, s, epoch)
		})
	}
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
		Completeness: []rollup.Completeness{
			{Platform: "douyin", Kind: "seq", SDKName: "web", SDKVersion: "1", Minute: Start, Part: 0, Version: 5, Expected: 40, Received: 30, Late: 1},
			{Platform: "douyin", Kind: "seq", SDKName: "web", SDKVersion: "1", Minute: Start, Part: 1, Version: 5, Expected: 2, Received: 1},
			{Platform: "douyin", Kind: "seq", SDKName: "web", SDKVersion: "2", Minute: Start, Part: 1, Version: 5, Expected: 100},
		},
		Orders:     []rollup.Order{{Platform: "douyin", OrderID: "o1", Buyer: [16]byte{1}, State: "paid", OrderVersion: 2, Version: 9, PaidMinor: 500, Updated: Start}},
		Watermarks: []rollup.Watermark{{Part: 3, Version: 5, WM: Start}},
	}
	late := &rollup.Batch{Epoch: e,
		Completeness: []rollup.Completeness{{Platform: "douyin", Kind: "seq", SDKName: "web", SDKVersion: "1", Minute: Start, Part: 0, Version: 4, Expected: 39}},
		Outcomes:     []rollup.Outcome{{Topic: "raw.viewer", Minute: Start, Outcome: "accepted", Part: 0, Version: 4, Records: 39}},
		Orders:       []rollup.Order{{Platform: "douyin", OrderID: "o1", Buyer: [16]byte{1}, State: "created", OrderVersion: 1, Version: 8, Updated: Start}},
		Watermarks:   []rollup.Watermark{{Part: 3, Version: 4, WM: Start - 1}, {Part: 3, Version: 6, WM: Start - 1}}, // what was true stays true
	}
	newer := &rollup.Batch{Epoch: e,
		Orders: []rollup.Order{{Platform: "douyin", OrderID: "o1", Buyer: [16]byte{1}, State: "refunded", OrderVersion: 3, Version: 10, PaidMinor: 500, RefundMinor: 120, Updated: Start}},
	}
	write(t, s, b, newer, late, b)
	if got := s.Records(t, "raw.viewer"); got != 142 {
		t.Errorf("%d records, want 142", got)
	}
	if expected, received, late := s.Numbers(t, "1"); expected != 42 || received != 31 || late != 1 {
		t.Errorf("%d expected, %d received, %d late, want 42, 31, 1", expected, received, late)
	}
	if state, refund := s.Order(t, "o1"); state != "refunded" || refund != 120 {
		t.Errorf("order is %s with refund %d, want refunded with 120", state, refund)
	}
	if got := s.Watermark(t, 3); got != Start {
		t.Errorf("watermark %d, want %d", got, Start)
	}
}

func unequal(t *testing.T, s Store, e uint16) {
	b := batch(e, Row{Room: "r", Window: Start, Value: 1}, Row{Room: "r", Window: Start + 60_000, Value: 1})
	b.Cells[0].Window = b.Cells[0].Window[:1]
	if err := s.Sink.Write(context.Background(), b); err == nil {
		t.Error("cells with a short column were stored")
	}
	wantSum(t, s, "r", 0)
}

// A row's panes are those of its highest version, wherever among rows without panes it stands.
func panes(t *testing.T, s Store, e uint16) {
	minute := func(room string, version uint64, panes ...Pane) Row {
		return Row{Room: room, Window: Start, Version: version, Panes: panes}
	}
	none := Row{Grain: measure.Grain1h, Room: "none", Window: Start, Value: 1}
	newer := batch(e, none, minute("r", 9, Pane{Pane: 1, Value: 40}, Pane{Pane: 5, Value: 2}), none, minute("q", 9), none)
	older := batch(e, minute("r", 5, Pane{Pane: 0, Value: 7}, Pane{Pane: 1, Value: 8}), minute("q", 5, Pane{Pane: 2, Value: 1000}),
		Row{Room: "r", Window: Start, Part: 1, Version: 5, Panes: []Pane{{Pane: 1, Value: 100}}})
	write(t, s, newer, older, newer, older)
	for room, want := range map[string]int64{"r": 142, "q": 0, "none": 0} {
		if got := s.Panes(t, room); got != want {
			t.Errorf("panes of %s hold %d, want %d", room, got, want)
		}
	}
}

func unequalPanes(t *testing.T, s Store, e uint16) {
	for name, spoil := range map[string]func(*rollup.Cells){
		"keys and values": func(c *rollup.Cells) { c.PaneValue = c.PaneValue[:1] },
		"the last end":    func(c *rollup.Cells) { c.PaneEnd[1]-- },
		"falling ends":    func(c *rollup.Cells) { c.PaneEnd[0] = c.PaneEnd[1] + 1 },
		"too many ends":   func(c *rollup.Cells) { c.PaneEnd = append(c.PaneEnd, c.PaneEnd[1]) },
	} {
		b := batch(e, Row{Room: "r", Window: Start, Panes: []Pane{{Value: 1}}}, Row{Room: "r", Window: Start + 60_000, Panes: []Pane{{Value: 1}}})
		spoil(b.Cells[0])
		if err := s.Sink.Write(context.Background(), b); err == nil {
			t.Errorf("%s: stored", name)
		}
	}
	if got := s.Panes(t, "r"); got != 0 {
		t.Errorf("panes hold %d, want nothing", got)
	}
}

func otherGrains(t *testing.T, s Store, e uint16) {
	for _, g := range []measure.Grain{measure.Grain10s, measure.Grain1d, measure.GrainSession} {
		b := batch(e, Row{Room: "r", Window: Start, Value: 1})
		b.Cells[0].Grain[0] = uint8(g)
		if err := s.Sink.Write(context.Background(), b); err == nil {
			t.Errorf("a row of grain %s was stored", measure.GrainNames[g])
		}
	}
}

func manyWindows(t *testing.T, s Store, e uint16) {
	var rows []Row
	want := int64(0)
	for day := range int64(50) {
		for _, g := range []measure.Grain{measure.Grain1m, measure.Grain1h} {
			row := Row{Grain: g, Room: "r", Window: Start + day*86_400_000, Value: day}
			if g == measure.Grain1m {
				row.Panes = []Pane{{Pane: int(day % 6), Value: day}}
			}
			rows = append(rows, row)
			want += day
		}
	}
	write(t, s, batch(e, rows...))
	wantSum(t, s, "r", want)
	if got := s.Panes(t, "r"); got != want/2 {
		t.Errorf("panes hold %d, want %d", got, want/2)
	}
}
