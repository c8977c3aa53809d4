package festival

import "strconv"

const (
	created = iota
	depositPaid
	paid
	cancelled
	shipped
	received
	refundRequested
	refunded
	settled
)

var stateNames = [...]string{"created", "deposit_paid", "paid", "cancelled", "shipped", "received", "refund_requested", "refunded", "settled"}

// order is the plan of one order's life, made when it starts.
type order struct {
	id       uint64
	person   uint32
	room     uint32
	where    uint8 // how the events name their room
	click    uint64
	currency string
	presale  bool
	lines    []line
	discount int64
	steps    []orderStep
	left     int
}

const (
	named       = iota
	byClick     // no room, the enter's click_id
	unknown     // no room, a click_id of nobody
	nowhere     // no room, no click_id
	sessionOnly // no room, but a session
)

type line struct {
	product         int
	qty, unit, paid int64
}

type orderStep struct {
	state   uint8
	paid    int64 // paid_minor of the event
	extra   int64 // added to the last line's paid: an amended paid
	refund  int64
	refunds uint8 // number of the refund, from 1
	line    uint8
	noLine  bool
}

// orderBook keeps orders until their last step.
type orderBook struct {
	list []*order
	free []uint32
	made uint64
}

func (o *order) total() (n int64) {
	for _, l := range o.lines {
		n += l.paid
	}
	return n
}

func (f *Festival) startOrder(s *stay, product int) {
	o := &order{id: f.orders.made, person: s.person, room: s.room, click: s.click, currency: f.rooms[s.room].currency, presale: f.rnd.chance(0.1)}
	f.orders.made++
	if f.rnd.chance(0.01) {
		o.currency = "USD"
	}
	switch x := f.rnd.below(100); {
	case x < 10 && s.click != 0:
		o.where = byClick
	case x >= 98:
		o.where = nowhere
	case x == 97:
		o.where = unknown
	case x == 96:
		o.where = sessionOnly
	}
	for i := range 1 + f.rnd.below(3) {
		l := line{product: product, qty: f.rnd.between(1, 3), unit: f.rnd.between(9, 999) * 100}
		if i > 0 {
			l.product = f.rnd.below(f.rooms[s.room].products)
		}
		off := f.rnd.between(0, l.unit/10)
		l.paid = l.qty*l.unit - off
		o.discount += off
		o.lines = append(o.lines, l)
	}
	id := f.orders.keep(o)
	f.plan(o, id)
}

func (b *orderBook) keep(o *order) uint32 {
	if n := len(b.free); n > 0 {
		id := b.free[n-1]
		b.free = b.free[:n-1]
		b.list[id] = o
		return id
	}
	b.list = append(b.list, o)
	return uint32(len(b.list) - 1)
}

// plan lays out an order's transitions. Days are pressed into minutes so that a short run sees whole lives.
func (f *Festival) plan(o *order, id uint32) {
	at := f.now
	var due []int64
	add := func(median float64, s orderStep) {
		at += int64(min(f.rnd.logNormal(median, 0.7), 30*60_000))
		o.steps = append(o.steps, s)
		due = append(due, at)
	}
	total := o.total()
	add(200, orderStep{state: created})
	if o.presale {
		add(2_000, orderStep{state: depositPaid, paid: total / 5})
	}
	if f.rnd.chance(0.15) {
		add(8_000, orderStep{state: cancelled})
	} else {
		add(4_000, orderStep{state: paid, paid: total})
		if f.rnd.chance(0.01) { // the amount was amended: two versions of paid
			o.lines[len(o.lines)-1].paid += 100
			o.steps[len(o.steps)-1].extra = -100
			total += 100
			add(1_000, orderStep{state: paid, paid: total})
		}
		f.planAfterPaid(o, total, add)
	}
	for i := 1; i < len(due); i++ {
		if f.rnd.chance(0.03) { // a later version overtakes
			due[i-1], due[i] = due[i], due[i-1]
		}
	}
	o.left = len(o.steps)
	for i, at := range due {
		f.wheel.push(item{due: at, ref: id, step: uint8(i), task: taskOrder})
	}
}

func (f *Festival) planAfterPaid(o *order, total int64, add func(float64, orderStep)) {
	if f.rnd.chance(0.85) {
		add(8_000, orderStep{state: shipped, paid: total})
		add(15_000, orderStep{state: received, paid: total})
	}
	if f.rnd.chance(0.25) {
		n := 0
		for i, l := range o.lines {
			if i > 0 && f.rnd.chance(0.5) {
				continue
			}
			s := orderStep{state: refunded, paid: total, refund: l.paid, line: uint8(i), noLine: f.rnd.chance(0.05)}
			if f.rnd.chance(0.5) {
				s.refund = l.paid / 3 // in part, and perhaps a second time
			}
			if f.rnd.chance(0.5) {
				add(3_000, orderStep{state: refundRequested, paid: total})
			}
			n++
			s.refunds = uint8(n)
			add(6_000, s)
			switch x := f.rnd.below(20); {
			case x == 0: // the same refund, corrected
				s.refund /= 2
				add(2_000, s)
			case x < 4 && s.refund < l.paid:
				n++
				s.refunds = uint8(n)
				add(5_000, s)
			}
		}
	}
	if f.rnd.chance(0.7) {
		add(20_000, orderStep{state: settled, paid: total})
	}
}

func (f *Festival) orderStep(buf []byte, it item) Record {
	o := f.orders.list[it.ref]
	r := f.order(buf, o, int(it.step))
	if o.left--; o.left == 0 {
		f.orders.list[it.ref] = nil
		f.orders.free = append(f.orders.free, it.ref)
	}
	return r
}

func (f *Festival) order(buf []byte, o *order, step int) Record {
	rm := &f.rooms[o.room]
	start := len(buf)
	b := appendKey(buf, rm.platform, o.person, true)
	key := len(b)
	server := f.rnd.below(len(f.seqs))
	f.seqs[server]++
	client := f.now - f.rnd.between(1, 30)
	b = append(b, `{"event_id":"`...)
	b = f.appendUUID(b, client)
	b = append(append(b, `","schema_version":"1-0-0","type":"order","platform":"`...), platforms[rm.platform]...)
	if o.where == named {
		b = append(append(b, `","room_id":"`...), rm.id...)
	}
	if o.where == named || o.where == sessionOnly {
		b = append(append(b, `","live_session_id":"`...), rm.session...)
	}
	b = appendField(b, `","sdk_instance_id":"srv_`, int64(server))
	b = appendField(b, `","seq":`, f.seqs[server])
	b = appendField(b, `,"client_ts":`, client)
	b = append(b, `,"sent_ts":`...)
	f.draft.sent = len(b) - key
	b = strconv.AppendInt(b, client+f.rnd.between(0, 15), 10)
	b = appendExperiments(b, o.person)
	b = f.appendOrder(b, o, step)
	return f.finish(topicOrder, append(b, '}'), start, key)
}

func (f *Festival) appendOrder(b []byte, o *order, step int) []byte {
	s := o.steps[step]
	b = appendHex(append(b, `,"order_id":"o_`...), f.run>>32, 8)
	b = strconv.AppendUint(append(b, '_'), o.id, 10)
	b = appendField(b, `","order_version":`, int64(step+1))
	b = append(append(b, `,"state":"`...), stateNames[s.state]...)
	b = appendUser(append(b, `","buyer_id":"`...), o.person)
	b = append(append(b, `","currency":"`...), o.currency...)
	goods := int64(0)
	for _, l := range o.lines {
		goods += l.qty * l.unit
	}
	b = appendField(b, `","goods_minor":`, goods)
	b = appendField(b, `,"discount_minor":`, o.discount)
	b = appendField(b, `,"shipping_minor":0,"paid_minor":`, s.paid)
	b = append(b, `,"items":[`...)
	for i, l := range o.lines {
		if i > 0 {
			b = append(b, ',')
		}
		linePaid := int64(0)
		if s.state != created && s.state != depositPaid && s.state != cancelled {
			linePaid = l.paid
		}
		if i == len(o.lines)-1 {
			linePaid += s.extra
		}
		b = appendField(b, `{"line_id":"`, int64(i+1))
		b = f.appendSKU(append(b, '"'), o.room, l.product)
		b = appendField(b, `,"qty":`, l.qty)
		b = appendField(b, `,"unit_minor":`, l.unit)
		b = appendField(b, `,"paid_minor":`, linePaid)
		b = append(b, '}')
	}
	b = append(b, ']')
	if s.state == refunded {
		b = strconv.AppendUint(append(b, `,"refund":{"refund_id":"rf_`...), o.id, 10)
		b = appendField(b, "_", int64(s.refunds))
		if !s.noLine {
			b = appendField(b, `","line_id":"`, int64(s.line)+1)
		}
		b = appendField(b, `","minor":`, s.refund)
		b = append(b, `,"reason":"size"}`...)
	}
	if o.where == unknown {
		b = append(appendHex(append(b, `,"click_id":"ck_lost_`...), o.id, 15), '"')
	} else if o.click != 0 && o.where != nowhere && o.where != sessionOnly {
		b = append(appendHex(append(b, `,"click_id":"ck_`...), o.click, 16), '"')
	}
	if o.presale {
		b = append(b, `,"is_presale":true`...)
	}
	return b
}
