package truth

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap/zapcore"

	"github.com/livemeter/livemeter/cmd/livemeter/stack"
)

const zapLevel = zapcore.WarnLevel

// Events in, rows out: the shortest way through everything.
func TestEventsBecomeRows(t *testing.T) {
	r := newRig(t)
	s := r.start(stack.Parts{Collector: true, Run: true})
	at := time.Now().Add(-40 * time.Second)
	rec := func(topic, value string) *kgo.Record {
		return &kgo.Record{Topic: topic, Value: []byte(value), Timestamp: at}
	}
	r.produce(
		rec("raw.viewer", envelope("viewer", "e1", at, `"action":"enter","entry_source":"paid"`)),
		rec("raw.viewer", envelope("viewer", "e2", at, `"action":"heartbeat","watch_ms_delta":5000`)),
		rec("raw.interaction", envelope("interaction", "e3", at, `"kind":"like","count":7`)),
		rec("raw.interaction", envelope("interaction", "e3", at, `"kind":"like","count":7`)),
		rec("raw.order", envelope("order", "e4", at, `"order_id":"o1","order_version":1,"state":"paid","buyer_id":"u1","currency":"CNY","goods_minor":100,"paid_minor":90,`+
			`"discount_minor":10,"items":[{"line_id":"1","sku_id":"k1","qty":2,"paid_minor":90}]`)),
		rec("raw.viewer", "no json"),
	)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.Drain(ctx, at.Add(31*time.Second), func(why string) { t.Log(why) }); err != nil {
		t.Fatal(err)
	}
	got := r.query("SELECT events, viewers, views, watch_ms, interactions_like, orders_paid, buyers, items_sold FROM " + r.db + ".room_measures WHERE grain = '1d' AND room_id = 'r1'")
	if want := "4\t1\t1\t5000\t7\t1\t1\t2\n"; got != want {
		t.Errorf("room_measures: got %q, want %q", got, want)
	}
	got = r.query("SELECT outcome, reason, sum(records) FROM " + r.db + ".outcomes GROUP BY ALL ORDER BY ALL")
	if want := "accepted\t\t4\nduplicate\t\t1\ninvalid\tnot_json\t1\n"; got != want {
		t.Errorf("outcomes: got %q, want %q", got, want)
	}
	got = r.query("SELECT currency, gmv_paid_minor, net_minor FROM " + r.db + ".room_money WHERE grain = 'session'")
	if want := "CNY\t90\t90\n"; got != want {
		t.Errorf("room_money: got %q, want %q", got, want)
	}
}
