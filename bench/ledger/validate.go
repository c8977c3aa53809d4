package ledger

import (
	"slices"
	"strings"
)

var (
	types   = []string{"viewer", "interaction", "order", "cost", "stock"}
	actions = []string{"enter", "heartbeat", "leave", "play_error", "quality"}
	kinds   = []string{"like", "comment", "share", "follow", "gift", "fan_club_join", "cart_view", "product_click", "favorite",
		"coupon_claim", "poll_or_lottery", "dislike_or_report", "product_exposure", "rating"}
	states     = []string{"created", "deposit_paid", "paid", "cancelled", "shipped", "received", "refund_requested", "refunded", "settled"}
	touchKinds = []string{"click", "valid_view", "view"}
	costKinds  = []string{"ads", "slot_fee", "commission", "other"}
)

const (
	maxTime  = 100_000_000_000_000
	maxMoney = 1_000_000_000_000_000 - 1
	minInt   = -1 << 63
	maxInt   = 1<<63 - 1
)

// fault is why a record is invalid, and the path of the field. Without one it is valid.
type fault struct{ reason, field string }

// faults are the first field of each kind of fault. The contract asks for any missing field first, then any bad type, enum, value; it leaves
// open which field is told of several with the same fault.
type faults struct{ missing, badType, badEnum, badValue string }

func (f *faults) first() fault {
	for _, x := range []fault{{"missing_field", f.missing}, {"bad_type", f.badType}, {"bad_enum", f.badEnum}, {"bad_value", f.badValue}} {
		if x.field != "" {
			return x
		}
	}
	return fault{}
}

// decode judges one record of a raw topic (raw.viewer, …, without prefix) and returns the event and whose it is, or what is wrong: then an event, if there is
// one, says which number of an instance was received.
func (p *parser) decode(topic string, record string, recv int64) (*event, owner, fault) {
	if len(record) > maxRecord {
		return nil, owner{}, fault{reason: "too_large"}
	}
	v, reason := p.record(record)
	if reason != "" {
		return nil, owner{}, fault{reason: reason}
	}
	typ, bad := judgeHead(&v, topic)
	if bad != (fault{}) {
		e, who := rejected(&v, recv)
		return e, who, bad
	}
	r := reader{v: &v, f: &faults{}}
	r.types(fieldsOf[typ])
	e := &event{typ: typ, recv: recv}
	who := r.event(e)
	if bad := r.f.first(); bad != (fault{}) {
		e, who := rejected(&v, recv)
		return e, who, bad
	}
	if e.order != nil && e.sub == "paid" && itemsPaid(e.order) != e.order.paid {
		return nil, owner{}, fault{"money_mismatch", "paid_minor"}
	}
	return e, who, fault{}
}

// judgeHead judges what comes before all other fields: type, topic, version.
func judgeHead(v *value, topic string) (typ string, bad fault) {
	typ, bad = headField(v, "type")
	switch {
	case bad != (fault{}):
		return "", bad
	case !slices.Contains(types, typ):
		return "", fault{"unknown_type", "type"}
	case topic != "raw."+typ:
		return "", fault{"wrong_topic", "type"}
	}
	version, bad := headField(v, "schema_version")
	if bad == (fault{}) && !supported(version) {
		bad = fault{"unsupported_version", "schema_version"}
	}
	return typ, bad
}

func headField(v *value, name string) (string, fault) {
	switch x := v.get(name); {
	case x == nil:
		return "", fault{"missing_field", name}
	case x.kind != 's':
		return "", fault{"bad_type", name}
	default:
		return x.text, fault{}
	}
}

// event reads what the event's type says and returns whose it is.
func (r reader) event(e *event) (who owner) {
	who = r.envelope(e)
	switch e.typ {
	case "viewer":
		r.viewer(e)
	case "interaction":
		r.interaction(e)
	case "order":
		who.kind, who.id = "user", r.order(e)
	case "cost":
		who.kind, who.id = "cost", r.cost(e)
	case "stock":
		who.kind, who.id = "stock", r.stock(e)
	}
	return who
}

// supported versions are 1-x-y.
func supported(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) != 3 || parts[0] != "1" {
		return false
	}
	for _, p := range parts[1:] {
		if p == "" || strings.Trim(p, "0123456789") != "" {
			return false
		}
	}
	return true
}

func itemsPaid(o *orderBody) (sum int64) {
	for _, it := range o.items {
		sum += it.paid
	}
	return sum
}

func (r reader) envelope(e *event) (who owner) {
	e.id = r.id("event_id", true)
	e.instance, e.number = r.id("sdk_instance_id", true), r.num("seq", true, 1, maxInt)
	e.sdk = r.sdk()
	client, sent := r.num("client_ts", true, 0, maxTime), r.num("sent_ts", true, 0, maxTime)
	e.ts = eventTime(e.recv, sent, client)
	stays := e.typ == "viewer" || e.typ == "interaction"
	e.place = place{r.id("platform", true), r.id("room_id", stays || e.typ == "stock"), r.id("live_session_id", stays || e.typ == "stock")}
	e.view = r.id("view_id", stays)
	who = owner{"user", e.place.platform, r.id("user_id", false)}
	if anon := r.id("anon_id", false); who.id == "" {
		who.kind, who.id = "anon", anon
	}
	if stays && !r.has("user_id") && !r.has("anon_id") {
		r.note(&r.f.missing, "user_id")
	}
	r.object("device", false).ids("os", "model", "app_version", "network")
	r.object("geo", false).ids("country", "province")
	e.exps = r.experiments()
	return who
}

func (r reader) experiments() []experiment {
	list := r.list("experiment", false)
	if len(list) > 8 {
		r.note(&r.f.badValue, "experiment")
	}
	var out []experiment
	for _, x := range list {
		x := experiment{x.id("id", false), x.id("variant", false)}
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

func (r reader) viewer(e *event) {
	e.sub = r.enum("action", true, actions)
	switch e.sub {
	case "enter":
		e.source = r.id("entry_source", false)
		r.ids("share_id")
		t := r.object("touch", false)
		t.enum("kind", false, touchKinds)
		t.ids("channel", "ad_id", "creative_id")
		e.campaign, e.click = t.id("campaign_id", false), t.id("click_id", false)
	case "heartbeat", "leave":
		e.watch = r.num("watch_ms_delta", false, 0, 120_000)
		e.background = r.isFalse("foreground")
	}
}

func (r reader) interaction(e *event) {
	e.sub = r.enum("kind", true, kinds)
	if e.count = 1; r.has("count") {
		e.count = r.num("count", false, 1, 1000)
	}
	if needsSKU := e.sub == "product_click" || e.sub == "product_exposure" || e.sub == "favorite"; needsSKU {
		e.sku = r.id("sku_id", true)
	} else if s := r.v.get("sku_id"); s != nil && s.kind == 's' && validID(s.text) {
		e.sku = s.text
	}
	switch e.sub {
	case "gift":
		e.gift = r.num("gift_value_minor", true, 0, maxMoney)
		e.currency = r.currency()
	case "rating":
		e.rating = r.num("rating", true, 1, 5)
	case "share":
		r.id("share_id", true)
	}
}

func (r reader) order(e *event) (buyer string) {
	o := &orderBody{id: r.id("order_id", true), version: r.num("order_version", true, 1, maxInt)}
	e.order = o
	e.sub = r.enum("state", true, states)
	e.currency = r.currency()
	e.click = r.id("click_id", false)
	e.instance, e.number = o.id, o.version
	o.goods, o.discount = r.num("goods_minor", true, 0, maxMoney), r.num("discount_minor", false, 0, maxMoney)
	if o.discount > o.goods {
		r.note(&r.f.badValue, "discount_minor")
	}
	o.paid = r.num("paid_minor", true, 0, maxMoney)
	for _, name := range []string{"platform_subsidy_minor", "shipping_minor", "tax_minor"} {
		r.num(name, false, 0, maxMoney)
	}
	list := r.list("items", true)
	if n := len(list); r.has("items") && (n < 1 || n > 200) {
		r.note(&r.f.badValue, "items")
	}
	for _, x := range list {
		o.items = append(o.items, item{x.id("line_id", true), x.id("sku_id", true), x.num("qty", true, 1, maxInt), x.num("paid_minor", true, 0, maxMoney)})
		x.num("unit_minor", false, 0, maxMoney)
	}
	if e.sub == "refunded" {
		f := r.object("refund", true)
		if f.v != nil {
			o.refundID, o.refundLine, o.refund = f.id("refund_id", true), f.id("line_id", false), f.num("minor", true, 0, maxMoney)
		}
	}
	return r.id("buyer_id", true)
}

func (r reader) cost(e *event) (key string) {
	id, version := r.id("cost_id", true), r.num("cost_version", true, minInt, maxInt)
	r.id("channel", true)
	r.ids("campaign_id", "host_id")
	r.enum("kind", true, costKinds)
	r.num("spend_minor", true, 0, maxMoney)
	r.currency()
	from, to := r.num("period_start", true, 0, maxTime), r.num("period_end", true, 0, maxTime)
	if to < from {
		r.note(&r.f.badValue, "period_end")
	}
	e.id = naturalKey(id, version)
	e.instance, e.number = id, version
	return id
}

func (r reader) stock(e *event) (key string) {
	e.sku = r.id("sku_id", true)
	r.num("available", true, minInt, maxInt)
	version := r.num("stock_version", true, minInt, maxInt)
	r.num("ts", true, 0, maxTime)
	e.instance, e.number = strings.Join([]string{e.sku, e.place.room, e.place.session}, "\x00"), version
	e.id = naturalKey(e.instance, version)
	return e.sku
}
