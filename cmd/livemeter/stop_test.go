package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/livemeter/livemeter/bench/festival"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// TestStopSendsAllGrains: with so many cells that hours, and with them days and sessions, leave less often, an end in order still sends all rows:
// without a new start every grain shows every event.
func TestStopSendsAllGrains(t *testing.T) {
	p := newPipeline(t, testengine.FakeKafka(t))
	p.start("run")
	const events = 60_000
	cfg := festival.Config{Seed: 7, Rate: 1000, Start: time.Now().Add(-2 * time.Minute).Truncate(time.Second), Rooms: 4000, Viewers: 6000, Prefix: p.prefix}
	stats, err := festival.Run(t.Context(), cfg, festival.RunOptions{Brokers: p.brokers, Rate: 8000, Events: events})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "every record has an outcome", func() error {
		if n, err := p.number("SELECT sum(records) FROM outcomes"); err != nil || n != stats.Acked {
			return fmt.Errorf("%d of %d, %v", n, stats.Acked, err)
		}
		return nil
	})
	p.processes[0].stop()
	counted, err := p.number("SELECT sum(events) FROM room_measures WHERE grain = '10s'")
	if err != nil || counted == 0 {
		t.Fatalf("%d events, %v", counted, err)
	}
	t.Logf("%d events", counted)
	for _, grain := range []string{"1m", "1h", "1d"} {
		if n, err := p.number("SELECT sum(events) FROM room_measures WHERE grain = '" + grain + "'"); err != nil || n != counted {
			t.Errorf("%s: %d events, %v, want %d", grain, n, err, counted)
		}
	}
	inSessions, err := p.number("SELECT sum(events) FROM room_measures WHERE grain = '1d' AND live_session_id != ''")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := p.number("SELECT sum(events) FROM room_measures WHERE grain = 'session' AND live_session_id != ''"); err != nil || n != inSessions {
		t.Errorf("session: %d events, %v, want %d", n, err, inSessions)
	}
}
