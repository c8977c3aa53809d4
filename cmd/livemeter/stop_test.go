package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

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

// TestGatewayStopsWithAllThatItAcknowledged: told to end under load, the gateway is gone within the limit, and what it has answered with 200 is in Kafka.
func TestGatewayStopsWithAllThatItAcknowledged(t *testing.T) {
	p := newPipeline(t, testengine.FakeKafka(t))
	one := startProcess(t, "gateway", "--config", p.config, "--gateway-addr", "127.0.0.1:0")
	addr := one.listens("gateway")
	var (
		senders sync.WaitGroup
		acked   atomic.Int64
	)
	for sender := range 4 {
		senders.Go(func() {
			for n := 0; ; n++ {
				var body strings.Builder
				for i := range 100 {
					fmt.Fprintf(&body, `{"event_id":"e-%d-%d-%d","schema_version":"1-0-0","type":"viewer","platform":"douyin","room_id":"r","live_session_id":"s","user_id":"u-%[1]d",`+
						`"view_id":"v","sdk_instance_id":"i-%[1]d","seq":1,"client_ts":1,"sent_ts":1,"action":"heartbeat","watch_ms_delta":1}`+"\n", sender, n, i)
				}
				res, err := http.Post("http://"+addr+"/v1/events", "application/x-ndjson", strings.NewReader(body.String()))
				if err != nil {
					return // it is gone
				}
				res.Body.Close()
				if res.StatusCode == http.StatusOK {
					acked.Add(100)
				}
			}
		})
	}
	time.Sleep(time.Second) // of load, in the middle of which it is told
	one.stop()
	senders.Wait()
	cl, err := kgo.NewClient(kgo.SeedBrokers(p.brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ends, err := kadm.NewClient(cl).ListEndOffsets(t.Context(), p.prefix+"raw.viewer")
	if err != nil {
		t.Fatal(err)
	}
	var have int64
	ends.Each(func(o kadm.ListedOffset) { have += o.Offset })
	t.Logf("%d events are in Kafka, %d were acknowledged", have, acked.Load())
	if acked.Load() == 0 || have < acked.Load() {
		t.Errorf("%d events are in Kafka, %d were acknowledged", have, acked.Load())
	}
}

// listens waits until a part of the process listens, and says where.
func (p *process) listens(logger string) (addr string) {
	p.t.Helper()
	eventually(p.t, logger+" listens", func() error {
		for line := range strings.Lines(readFile(p.t, p.log)) {
			var told struct{ Logger, Msg, Addr string }
			if json.Unmarshal([]byte(line), &told) == nil && told.Logger == logger && told.Msg == "listening" {
				addr = told.Addr
				return nil
			}
		}
		return errors.Join(errors.New("it does not yet"), p.alive())
	})
	return addr
}
