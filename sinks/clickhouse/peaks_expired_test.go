package clickhouse_test

import (
	"context"
	"testing"

	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// Panes expire before their minutes. A minute that changes after that, as by a refund of an order weeks old, keeps the peak that its panes had,
// and so do its hour, its day and its session.
func TestPeaksOutlivePanes(t *testing.T) {
	e := open(t)
	at := start - 365*24*hour
	first := online(at, 0, 5, 3, 7)
	first.Gen, first.State = 1, rollup.Closed
	e.write(first)
	r := e.roller()
	e.roll(r)
	peaks := func() string {
		return e.query("SELECT grain, online FROM $db.room_measures WHERE grain > '10s' ORDER BY ALL")
	}
	want := "1m\t7\n1h\t7\n1d\t7\nsession\t7"
	if got := peaks(); got != want {
		t.Fatalf("peaks are %q, want %q", got, want)
	}
	e.cfg.TTLDays = []int{14, 0, 0, 0, 0}
	s, err := clickhouse.New(e.cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Apply(context.Background()); err != nil {
		t.Fatal(err)
	}
	e.Sink = s
	r = e.roller()
	e.query("OPTIMIZE TABLE $db.room_rows FINAL")
	if got := e.number("SELECT countIf(notEmpty(pane_at)) FROM $db.room_rows"); got != 0 {
		t.Fatalf("%d rows have panes after a year", got)
	}
	e.write(row{Room: "a", Window: at, Gen: 20, Version: 30, Value: 1}) // without panes, since theirs are past their TTL
	e.roll(r)
	if got := peaks(); got != want {
		t.Errorf("after a change of a minute without panes peaks are %q, want %q", got, want)
	}
}
