package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
)

// TestExplodingRoomsCloseEarlyAndLoseNothing: far more rooms than the limit of cells allows, each of them visited twice, so that what had
// closed early opens again. Every room has its exact numbers, a metric and a line of the log tell.
func TestExplodingRoomsCloseEarlyAndLoseNothing(t *testing.T) {
	p := start(t, true, func(c *config.Config) { c.Limits.MaxCells = 1000 })
	const rooms = 2000
	begin := received()
	for visit := range 2 {
		var out []*kgo.Record
		for i := range rooms {
			id := fmt.Sprintf("%d", i)
			e := enter(id, "boom-"+id, `,"entry_source":"s"`)
			if visit == 1 {
				e = strings.NewReplacer(`"e-`, `"again-`, `"seq":1`, `"seq":2`, `"action":"enter"`, `"action":"leave","watch_ms_delta":20000`).Replace(e)
			}
			at := begin.Add(time.Duration(i)*10*time.Millisecond + time.Duration(visit)*25*time.Second) // both visits in windows of one minute or two
			out = append(out, &kgo.Record{Topic: "raw.viewer", Partition: int32(i % 2), Value: []byte(e), Timestamp: at})
		}
		p.send(out...)
		p.drain()
	}
	for _, grain := range []string{"10s", "1m", "1h", "1d", "session"} {
		got := p.query("SELECT uniqExact(room_id), sum(events), sum(views), sum(watch_ms), sum(effective_views_10s) FROM $db.room_measures WHERE room_id LIKE 'boom-%' AND grain = '" + grain + "'")
		if want := fmt.Sprintf("%d\t%d\t%d\t%d\t%d", rooms, 2*rooms, rooms, 20_000*rooms, rooms); got != want {
			t.Errorf("%s: rooms, events, views, watch_ms, effective views: %s, want %s", grain, got, want)
		}
	}
	if got := p.query("SELECT count() FROM $db.room_measures WHERE room_id LIKE 'boom-%' AND grain = 'session' AND (viewers != 1 OR events != 2)"); got != "0" {
		t.Errorf("%s rooms have other than one viewer and two events", got)
	}
	if n := p.sums("livemeter_reader_cells_closed_early_total", "")[""]; n < rooms {
		t.Errorf("the metric tells of %v cells that closed early", n)
	}
	if n, limit := p.sums("livemeter_reader_cells", "")[""], p.sums("livemeter_reader_cells_limit", "partition"); limit["0"] != 1000 || limit["1"] != 1000 || n > 2100 {
		t.Errorf("%v cells with limits of %v", n, limit)
	}
	if !strings.Contains(p.logs.String(), "limits.max_cells") {
		t.Error("no line of the log tells")
	}
}
