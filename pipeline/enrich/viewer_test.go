package enrich

import (
	"strings"
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// Viewers that share slot and tag are told apart, and stay known while others of their chain leave.
func TestViewersThatLookAlike(t *testing.T) {
	e := New(0, cellkey.NewTable())
	const n = 3000 // the table grows twice
	name := func(i uint64) (hi, lo uint64) { return i%3<<32 | i + 1, i % 7 }
	slots := map[uint64]uint32{}
	for i := range uint64(n) {
		slots[i] = e.find(name(i))
	}
	for i := range uint64(n) {
		if i%5 == 0 {
			e.removeViewer(slots[i])
			delete(slots, i)
		}
	}
	for i, want := range slots {
		if got := e.find(name(i)); got != want {
			t.Fatalf("viewer %d is in slot %d, was in %d", i, got, want)
		}
		v := e.viewers.At(e.table.guess(name(i)))
		if hi, lo := name(i); tagOf(v.hi) != tagOf(hi) {
			t.Fatalf("viewer %x %x: the guess is %x %x", hi, lo, v.hi, v.lo)
		}
	}
	if e.viewers.Len() != len(slots) || e.table.used != len(slots) {
		t.Fatalf("%d viewers, %d in the table, want %d", e.viewers.Len(), e.table.used, len(slots))
	}
}

// Days of two zones do not add up, and another key makes every viewer a new one.
func TestSettingsThatCannotChange(t *testing.T) {
	e := New(0, cellkey.NewTable())
	apply := func(offset int64, change func(*eventlog.Settings)) error {
		s := eventlog.Settings{KeyFingerprint: 7, Zone: "Asia/Shanghai", HorizonMS: hourMS}
		change(&s)
		_, err := e.Apply(offset, eventlog.AppendSettings(nil, &s))
		return err
	}
	for i, c := range []struct {
		change func(*eventlog.Settings)
		want   string
	}{
		{func(*eventlog.Settings) {}, ""},
		{func(s *eventlog.Settings) { s.HorizonMS = 2 * hourMS }, ""},
		{func(s *eventlog.Settings) { s.KeyFingerprint = 8 }, "the pseudonym key changed"},
		{func(s *eventlog.Settings) { s.Zone = "UTC" }, "the zone changed (UTC, was Asia/Shanghai)"},
	} {
		if err := apply(int64(i), c.change); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("settings %d: %v, want %q", i, err, c.want)
		}
	}
}
