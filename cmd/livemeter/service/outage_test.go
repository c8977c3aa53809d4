package service_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// An outage of connections is told by whom it concerns, with its beginning and its end: not with each attempt, and not twice.
func TestOutageOfClickHouseIsAFewLines(t *testing.T) {
	addr, _ := testengine.ClickHouse(t)
	var away atomic.Bool
	proxied := beforeClickHouse(t, addr, func(http.ResponseWriter, string) bool {
		if away.Load() {
			panic(http.ErrAbortHandler)
		}
		return false
	})
	p := start(t, true, func(c *config.Config) { c.ClickHouse.Addr, c.Log.Level = []string{proxied}, "info" })
	p.readyz(http.StatusOK)
	away.Store(true)
	before := len(p.logs.String())
	topic := p.cfg.Kafka.Prefix + "raw.viewer"
	p.send(&kgo.Record{Topic: topic, Timestamp: received(), Value: []byte(`{}`)}, &kgo.Record{Topic: topic, Timestamp: received(), Value: []byte(enter("one", "room", ""))})
	eventually(t, "some attempts have failed", func() error {
		all := p.scrape()
		letters := all["livemeter_rejected_write_failures_total"].GetMetric()[0].GetCounter().GetValue()
		rows := all["livemeter_reader_sink_failing_seconds"].GetMetric()[0].GetGauge().GetValue()
		if letters < 6 || rows <= 0 {
			return fmt.Errorf("%v of dead letters; rows for %v s", letters, rows)
		}
		return nil
	})
	away.Store(false)
	p.drain()
	eventually(t, "the log tells the ends", func() error {
		if l := p.logs.String()[before:]; !strings.Contains(l, "the sink takes rows again") || !strings.Contains(l, "dead letters are written again") {
			return fmt.Errorf("%s", l)
		}
		return nil
	})
	if l := p.logs.String()[before:]; strings.Count(l, "\n") > 6 {
		t.Errorf("an outage is told by %s", l)
	}
}
