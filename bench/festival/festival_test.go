package festival

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/livemeter/livemeter/bench/ledger"
)

// start straddles a minute, an hour and a day in Shanghai when a run lasts a few minutes.
var start = time.Date(2026, 11, 22, 15, 58, 30, 0, time.UTC)

func festival(t testing.TB, c Config) *Festival {
	t.Helper()
	if c.Start.IsZero() {
		c.Start = start
	}
	f, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The truth's records by type, as the ledger judges them, and per room from the room's session row.
func truthOf(t *testing.T, c Config, n int) *ledger.Truth {
	t.Helper()
	l, err := ledger.New(ledger.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	f := festival(t, c)
	buf := make([]byte, 0, 64<<10)
	for i := range n {
		r := f.Next(buf)
		l.Add(r.Topic, 0, int64(i), r.Key, r.Value, r.Timestamp)
	}
	truth, err := l.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return truth
}

func TestMixIs80_18_2(t *testing.T) {
	f := festival(t, Config{Seed: 1, Rate: 1000, Rooms: 500, Viewers: 20_000, NoRush: true})
	count := map[string]int{}
	const n = 600_000
	buf := make([]byte, 0, 64<<10)
	for range n {
		count[f.Next(buf).Topic]++
	}
	for topic, want := range map[string]float64{"raw.viewer": 0.80, "raw.interaction": 0.18, "raw.order": 0.02} {
		if got := float64(count[topic]) / n; got < want*0.9 || got > want*1.1 {
			t.Errorf("%s: %.4f of all events, want about %.2f", topic, got, want)
		}
	}
}

func TestHottestRoomsTakeTheZipfShare(t *testing.T) {
	f := festival(t, Config{Seed: 2, Rate: 20_000, Rooms: 10_000, Viewers: 300_000, NoRush: true})
	rooms := map[string]int{}
	const n = 500_000
	buf := make([]byte, 0, 64<<10)
	for range n {
		v := f.Next(buf).Value
		if i := bytes.Index(v, []byte(`"room_id":"`)); i >= 0 {
			rooms[string(v[i+11:i+18])]++
		}
	}
	ten := 0
	for _, id := range []string{"r_00000", "r_00001", "r_00002", "r_00003", "r_00004", "r_00005", "r_00006", "r_00007", "r_00008", "r_00009"} {
		ten += rooms[id]
	}
	if got := float64(rooms["r_00000"]) / n; got < 0.13 || got > 0.17 {
		t.Errorf("hottest room has %.3f of the events, want about 0.15", got)
	}
	if got := float64(ten) / n; got < 0.37 || got > 0.45 {
		t.Errorf("ten hottest rooms have %.3f of the events, want about 0.41", got)
	}
}

func TestSameSeedSameRecords(t *testing.T) {
	c := Config{Seed: 3, Rate: 500, Faults: true}
	a, b := festival(t, c), festival(t, c)
	other := festival(t, Config{Seed: 4, Rate: 500, Faults: true})
	differs := false
	for i := range 50_000 {
		x, y := a.Next(nil), b.Next(nil)
		if x.Topic != y.Topic || x.Timestamp != y.Timestamp || !bytes.Equal(x.Key, y.Key) || !bytes.Equal(x.Value, y.Value) {
			t.Fatalf("record %d differs:\n%s\n%s", i, x.Value, y.Value)
		}
		differs = differs || !bytes.Equal(x.Value, other.Next(nil).Value)
	}
	if !differs {
		t.Error("another seed gave the same records")
	}
}

// Without faults the ledger accepts everything; with faults it finds every reason, and about the promised shares.
func TestLedgerJudgesTheFaults(t *testing.T) {
	const n = 150_000
	clean, _ := totals(truthOf(t, Config{Seed: 5, Rate: 1000}, n))
	if clean["accepted"] != n {
		t.Errorf("without faults: %v, want %d accepted", clean, n)
	}
	truth := truthOf(t, Config{Seed: 5, Rate: 1000, Faults: true, Prefix: "p."}, n)
	outcomes, reasons := totals(truth)
	if sum := outcomes["accepted"] + outcomes["duplicate"] + outcomes["invalid"]; sum != n {
		t.Errorf("outcomes %v add up to %d, want %d", outcomes, sum, n)
	}
	if share := float64(outcomes["duplicate"]) / n; share < 0.015 || share > 0.025 {
		t.Errorf("%.4f duplicates, want about 0.02", share)
	}
	for _, reason := range append([]string{"too_large"}, damages...) {
		if reasons[reason] == 0 {
			t.Errorf("no record is invalid for %s: %v", reason, reasons)
		}
	}
	for _, tab := range truth.Tables {
		filled := make([]bool, len(tab.Measures))
		for i, v := range tab.Values {
			filled[i%len(tab.Measures)] = filled[i%len(tab.Measures)] || v != 0
		}
		for i, m := range tab.Measures {
			if !filled[i] && m != "beyond_horizon" {
				t.Errorf("%s.%s is 0 everywhere: the comparison would not see it", tab.Name, m)
			}
		}
	}
}

// Each way of spoiling a record has the reason it is named for: the generator says so beforehand, the ledger finds it by the contract.
func TestSpoiledRecordsHaveTheirReason(t *testing.T) {
	f := festival(t, Config{Seed: 6, Rate: 500})
	for range 20_000 {
		f.Next(nil)
	}
	for _, reason := range append([]string{"too_large"}, damages...) {
		l, err := ledger.New(ledger.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		const n = 300
		for i := range n {
			r := f.spoil(f.Next(nil), reason)
			l.Add(r.Topic, 0, int64(i), r.Key, r.Value, r.Timestamp)
		}
		truth, err := l.Finish()
		if err != nil {
			t.Fatal(err)
		}
		if _, reasons := totals(truth); reasons[reason] != n {
			t.Errorf("%s: ledger found %v", reason, reasons)
		}
	}
}

func TestReceiveTimesNeverFall(t *testing.T) {
	f := festival(t, Config{Seed: 7, Rate: 1000, Faults: true})
	last := int64(0)
	for range 200_000 {
		r := f.Next(nil)
		if r.Timestamp < last {
			t.Fatalf("received at %d after %d", r.Timestamp, last)
		}
		last = r.Timestamp
	}
	if got := last - start.UnixMilli(); got < 199_000 || got > 201_000 {
		t.Errorf("200 000 records at 1000 a second took %d ms of the simulated clock", got)
	}
}

func TestWriteFileHasOneRecordALine(t *testing.T) {
	var out bytes.Buffer
	if err := WriteFile(context.Background(), Config{Seed: 8}, &out, 1000); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(out.Bytes(), []byte("\n")); n != 1000 {
		t.Errorf("%d lines, want 1000", n)
	}
}

func BenchmarkNext(b *testing.B) {
	f := festival(b, Config{Seed: 1, Rate: 6000, Rooms: 10_000, Viewers: 500_000, Faults: true})
	buf := make([]byte, 0, 64<<10)
	b.ReportAllocs()
	bytes := 0
	for b.Loop() {
		bytes += len(f.Next(buf).Value)
	}
	b.ReportMetric(float64(bytes)/float64(b.N), "B/record")
}

// totals is the number of records with each outcome, and of the invalid ones with each reason.
func totals(truth *ledger.Truth) (outcomes, reasons map[string]int64) {
	outcomes, reasons = map[string]int64{}, map[string]int64{}
	for k, n := range truth.Outcomes {
		outcomes[k.Outcome] += n
		reasons[k.Reason] += n
	}
	return outcomes, reasons
}
