package service_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/deploy/embedded/kafka"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// readyz waits until the page has a status and says all of want.
func (p *pipeline) readyz(status int, want ...string) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("/readyz says %d %q", status, want), func() error {
		got, body := p.page("/readyz")
		for _, w := range want {
			if !strings.Contains(body, w) {
				return errors.New(body)
			}
		}
		if got != status {
			return fmt.Errorf("%d %s", got, body)
		}
		return nil
	})
}

// gauge is the sum of a metric; one that is not there is an error.
func (p *pipeline) gauge(name string) (sum float64, err error) {
	p.t.Helper()
	family := p.scrape()[name]
	if len(family.GetMetric()) == 0 {
		return 0, fmt.Errorf("%s is not there", name)
	}
	for _, m := range family.GetMetric() {
		sum += m.GetGauge().GetValue()
	}
	return sum, nil
}

func (p *pipeline) up(collectors, readers float64) {
	p.t.Helper()
	eventually(p.t, fmt.Sprintf("%v collectors and %v readers are up", collectors, readers), func() error {
		c, err1 := p.gauge("livemeter_collector_up")
		r, err2 := p.gauge("livemeter_reader_up")
		if err := errors.Join(err1, err2); err != nil || c != collectors || r != readers {
			return fmt.Errorf("%v and %v, %v", c, r, err)
		}
		return nil
	})
}

// Kafka stops under collector, enricher and aggregator: /readyz and metrics say so for as long as it is away, and that all is well when it is back.
func TestKafkaIsAway(t *testing.T) {
	dir := t.TempDir()
	broker, err := kafka.StartFake(dir, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { broker.Close() }()
	p := start(t, false, func(c *config.Config) { c.Kafka.Brokers = broker.Brokers() })
	defer p.stop() // before the broker
	p.send(&kgo.Record{Topic: "raw.viewer", Timestamp: received(), Value: []byte(enter("e-1", "room", ""))})
	p.drain()
	p.readyz(http.StatusOK, `"collector":"ok"`, `"enricher":"ok"`, `"aggregator":"ok"`)
	p.up(1, 2)
	if _, body := p.page("/readyz"); strings.Contains(body, `"kafka"`) || strings.Contains(body, `"clickhouse"`) || strings.Contains(body, `"stages"`) {
		t.Errorf("a check of the start is still there: %s", body)
	}
	broker.Close()
	p.readyz(http.StatusServiceUnavailable, `"collector":"`, `"enricher":"not in group enricher for `, `"aggregator":"not in group aggregator for `, "connection refused")
	p.up(0, 0)
	if _, body := p.page("/readyz"); strings.Contains(body, `"collector":"ok"`) {
		t.Errorf("the collector is ready without Kafka: %s", body)
	}
	if broker, err = kafka.StartFake(dir, broker.Brokers()[0]); err != nil {
		t.Fatal(err)
	}
	p.readyz(http.StatusOK, `"collector":"ok"`, `"enricher":"ok"`, `"aggregator":"ok"`)
	p.up(1, 2)
	p.send(&kgo.Record{Topic: "raw.viewer", Timestamp: received(), Value: []byte(enter("e-2", "room", ""))})
	p.drain()
}

// ClickHouse fails under `run`: the process says so at once, and for how long; its gateway goes on, which a load balancer can see on its port.
func TestClickHouseIsAway(t *testing.T) {
	addr, _ := testengine.ClickHouse(t)
	var away atomic.Bool
	proxied := beforeClickHouse(t, addr, func(w http.ResponseWriter, statement string) bool {
		if away.Load() {
			http.Error(w, "away", http.StatusBadGateway)
		}
		return away.Load()
	})
	p := start(t, true, func(c *config.Config) { c.ClickHouse.Addr = []string{proxied} })
	gateway := func() (status int) {
		resp, err := http.Get("http://" + p.gateway + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	p.readyz(http.StatusOK)
	away.Store(true)
	began := time.Now()
	p.send(&kgo.Record{Topic: "raw.viewer", Timestamp: received(), Value: []byte(enter("e-1", "room", ""))})
	p.readyz(http.StatusServiceUnavailable, `"run":"sink failing for `, `: clickhouse: table `)
	eventually(t, "the metric counts", func() error {
		if s, err := p.gauge("livemeter_reader_sink_failing_seconds"); err != nil || s < 1 {
			return fmt.Errorf("%v s, %v", s, err)
		}
		return nil
	})
	if took := time.Since(began); took > p.cfg.Flush.Timeout {
		t.Errorf("it was told after %v, when the first write was given up", took)
	}
	if s := gateway(); s != http.StatusOK {
		t.Errorf("the gateway is not ready: %d", s)
	}
	away.Store(false)
	p.readyz(http.StatusOK)
	p.drain()
}
