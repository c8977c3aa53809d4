package truth

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap/zapcore"
)

const zapLevel = zapcore.WarnLevel

// wirings are the two ways to run the same stages: all in one process, or apart.
var wirings = map[string][]Parts{
	"run":      {{Collector: true, Run: true}},
	"services": {{Aggregator: true}, {Enricher: true}, {Collector: true}},
}

// Events in, rows out, with a restart of everything in between: the shortest way through everything.
func TestEventsBecomeRows(t *testing.T) {
	for name, parts := range wirings {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			at := time.Now().Add(-100 * time.Second).Truncate(time.Minute).Add(10 * time.Second) // all panes of the view in one minute
			rec := func(topic, value string) *kgo.Record {
				return &kgo.Record{Topic: topic, Value: []byte(value), Timestamp: at}
			}
			first := r.startAll(parts)
			r.produce(
				rec("raw.viewer", envelope("viewer", "e1", at, `"action":"enter","entry_source":"paid"`)),
				rec("raw.viewer", envelope("viewer", "e2", at, `"action":"heartbeat","watch_ms_delta":5000`)),
				rec("raw.interaction", envelope("interaction", "e3", at, `"kind":"like","count":7`)),
				rec("raw.viewer", "no json"),
			)
			first.drain(at)
			first.stop()
			second := r.startAll(parts)
			r.produce(
				rec("raw.interaction", envelope("interaction", "e3", at, `"kind":"like","count":7`)),
				rec("raw.viewer", envelope("viewer", "e5", at, `"action":"heartbeat","watch_ms_delta":1000`)),
				rec("raw.order", envelope("order", "e4", at, `"order_id":"o1","order_version":1,"state":"paid","buyer_id":"u1","currency":"CNY","goods_minor":100,`+
					`"paid_minor":90,"discount_minor":10,"items":[{"line_id":"1","sku_id":"k1","qty":2,"paid_minor":90}]`)),
			)
			second.drain(at.Add(31 * time.Second))
			r.expect("SELECT events, viewers, views, watch_ms, interactions_like, orders_paid, buyers, items_sold, bounces FROM room_measures "+
				"WHERE grain = '1d' AND room_id = 'r1'", "5\t1\t1\t6000\t7\t1\t1\t2\t0\n")
			r.expect("SELECT outcome, reason, sum(records) FROM outcomes GROUP BY ALL ORDER BY ALL", "accepted\t\t5\nduplicate\t\t1\ninvalid\tnot_json\t1\n")
			r.expect("SELECT currency, gmv_paid_minor, net_minor FROM room_money WHERE grain = 'session'", "CNY\t90\t90\n")
			r.expect("SELECT grain, online FROM room_measures WHERE online > 0 AND grain != '10s' ORDER BY grain", "1m\t1\n1h\t1\n1d\t1\nsession\t1\n")
			r.expect("SELECT state, paid_minor FROM orders", "paid\t90\n")
		})
	}
}
