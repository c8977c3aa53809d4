package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

func (p *pipeline) produce(records ...*kgo.Record) {
	p.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(p.brokers...), kgo.UnknownTopicRetries(-1), kgo.MetadataMinAge(250*time.Millisecond))
	if err != nil {
		p.t.Fatal(err)
	}
	defer cl.Close()
	if err := cl.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
		p.t.Fatal(err)
	}
}

// shows waits until a query has the answer wanted.
func (p *pipeline) shows(sql, want string) {
	p.t.Helper()
	eventually(p.t, sql, func() error {
		got, err := p.ask(sql)
		if err == nil && got != want {
			err = fmt.Errorf("got %q, want %q", got, want)
		}
		return err
	})
}

func envelope(typ, id string, at time.Time, rest string) string {
	return fmt.Sprintf(`{"event_id":%q,"schema_version":"1-0-0","type":%q,"platform":"douyin","room_id":"r1","live_session_id":"s1","user_id":"u1",`+
		`"view_id":"v1","sdk_instance_id":"i1","seq":1,"client_ts":%d,"sent_ts":%d,%s}`, id, typ, at.UnixMilli(), at.UnixMilli(), rest)
}

// Events in, rows out, with an orderly restart of everything in between: the shortest way through everything.
func TestEventsBecomeRows(t *testing.T) {
	for wiring, services := range wirings {
		t.Run(wiring, func(t *testing.T) {
			p := newPipeline(t, testengine.FakeKafka(t))
			at := time.Now().Add(-100 * time.Second).Truncate(time.Minute).Add(10 * time.Second) // all panes of the view in one minute
			rec := func(topic, value string) *kgo.Record {
				return &kgo.Record{Topic: p.prefix + topic, Value: []byte(value), Timestamp: at}
			}
			p.start(services...)
			p.produce(
				rec("raw.viewer", envelope("viewer", "e1", at, `"action":"enter","entry_source":"paid"`)),
				rec("raw.viewer", envelope("viewer", "e2", at, `"action":"heartbeat","watch_ms_delta":5000`)),
				rec("raw.interaction", envelope("interaction", "e3", at, `"kind":"like","count":7`)),
				rec("raw.viewer", "no json"),
			)
			p.shows("SELECT sum(records) FROM outcomes", "4\n")
			for _, one := range p.processes {
				one.stop()
			}
			for _, one := range p.processes {
				one.start()
			}
			p.produce(
				rec("raw.interaction", envelope("interaction", "e3", at, `"kind":"like","count":7`)),
				rec("raw.viewer", envelope("viewer", "e5", at, `"action":"heartbeat","watch_ms_delta":1000`)),
				rec("raw.order", envelope("order", "e4", at, `"order_id":"o1","order_version":1,"state":"paid","buyer_id":"u1","currency":"CNY","goods_minor":100,`+
					`"paid_minor":90,"discount_minor":10,"items":[{"line_id":"1","sku_id":"k1","qty":2,"paid_minor":90}]`)),
			)
			p.shows("SELECT outcome, reason, sum(records) FROM outcomes GROUP BY ALL ORDER BY ALL", "accepted\t\t5\nduplicate\t\t1\ninvalid\tnot_json\t1\n")
			p.shows("SELECT events, viewers, views, watch_ms, interactions_like, orders_paid, buyers, items_sold, bounces FROM room_measures "+
				"WHERE grain = '1d' AND room_id = 'r1'", "5\t1\t1\t6000\t7\t1\t1\t2\t0\n")
			p.shows("SELECT currency, gmv_paid_minor, net_minor FROM room_money WHERE grain = 'session'", "CNY\t90\t90\n")
			p.shows("SELECT grain, online FROM room_measures WHERE online > 0 AND grain IN ('1m', '1h', '1d', 'session') ORDER BY grain",
				"1m\t1\n1h\t1\n1d\t1\nsession\t1\n")
			p.shows("SELECT state, paid_minor FROM orders", "paid\t90\n")
			p.shows("SELECT original FROM rejected", "no json\n")
		})
	}
}
