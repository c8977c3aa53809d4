package ledger

const (
	dedupeMS = 10 * 60_000
	onlineMS = 30_000
	paneMS   = 10_000
)

// costAndStockInEvents: the contract's `events` are the "accepted events of all types that name the room", and cost and stock may or must
// name one. A stock event also names its SKU.
const costAndStockInEvents = true

// account computes everything that one owner's events say. It is reused from owner to owner.
type account struct {
	c       *cells
	seen    *seen // by the owner
	ofOrder *seen // by one order
	out     map[OutcomeKey]int64
	topics  []topicInfo
	orders  []OrderRow
	numbers map[CompletenessKey]Numbers
}

// view is (platform, viewer, view_id): the key of an owner's map is the view_id.
type view struct {
	enter      *event // the first accepted one in the log
	watch      int64
	left       int64 // earliest leave, 0 without one
	times      []int64
	interacted bool
}

// settle takes all valid events of one owner in log order.
func (a *account) settle(who owner, events []*event) {
	a.seen.forget()
	var (
		claimed = map[string]int64{} // event_id → receive time of its last accepted copy
		views   = map[string]*view{}
		orders  = map[string]*order{}
		touches []*event
		numbers = sequences{}
	)
	for _, e := range events {
		numbers.see(e)
		if e.typ == "rejected" {
			continue
		}
		if a.duplicate(e, claimed, orders) {
			a.outcome(e, "duplicate", "")
			continue
		}
		a.outcome(e, "accepted", "")
		switch e.typ {
		case "viewer":
			a.viewerEvent(e)
			views[e.view] = seeViewer(views[e.view], e)
			if e.sub == "enter" && e.click != "" {
				touches = append(touches, e)
			}
		case "interaction":
			a.interaction(e)
			views[e.view] = seeInteraction(views[e.view], e)
		case "order":
			o := orders[e.order.id]
			o.events = append(o.events, e)
		default:
			a.costOrStock(e)
		}
	}
	for _, v := range views {
		a.wholeView(v)
	}
	a.complete(numbers)
	a.settleOrders(who, orders, touches)
}

func (a *account) outcome(e *event, what, reason string) {
	a.out[OutcomeKey{a.topics[e.topic].name, e.part, e.recv - e.recv%60_000, what, reason}]++
}

// duplicate claims what identifies the event and says whether it was claimed before: an event_id within the last ten minutes of receive
// time, borders included; an order's, cost's or stock's natural key for ever.
func (a *account) duplicate(e *event, claimed map[string]int64, orders map[string]*order) bool {
	switch e.typ {
	case "order":
		o := orders[e.order.id]
		if o == nil {
			o = &order{versions: map[int64]bool{}}
			orders[e.order.id] = o
		}
		known := o.versions[e.order.version]
		o.versions[e.order.version] = true
		return known
	case "cost", "stock":
		_, known := claimed[e.id]
		claimed[e.id] = e.recv
		return known
	}
	if at, known := claimed[e.id]; known && e.recv-at <= dedupeMS {
		return true
	}
	claimed[e.id] = e.recv
	return false
}

// spots are the room's row and those of the event's experiments.
func (a *account) spots(e *event) []spot {
	out := make([]spot, 0, 4)
	out = append(out, a.c.at(cRoom, e.place, [2]string{}, e.ts))
	for _, x := range e.exps {
		out = append(out, a.c.at(cVariant, e.place, [2]string{x.id, x.variant}, e.ts))
	}
	return out
}

// counted notes the event in the start of its live session.
func (a *account) counted(p place, ts int64) {
	id := a.c.places.id(p)
	if first, ok := a.c.sessions[id]; !ok || ts < first {
		a.c.sessions[id] = ts
	}
}

func (a *account) viewerEvent(e *event) {
	a.counted(e.place, e.ts)
	for _, s := range a.spots(e) {
		s.add(mEvents, 1)
		s.distinct(a.seen, mViewers)
		if !e.background {
			s.add(mWatchMS, e.watch)
		}
	}
}

func (a *account) interaction(e *event) {
	a.counted(e.place, e.ts)
	spots := a.spots(e)
	if e.sku != "" {
		spots = append(spots, a.c.at(cSKU, e.place, [2]string{e.sku}, e.ts))
	}
	for _, s := range spots {
		a.interactionIn(s, e)
	}
	if e.sub == "gift" {
		a.c.at(cRoomMoney, e.place, [2]string{e.currency}, e.ts).add(mGift, e.gift)
	}
}

func (a *account) interactionIn(s spot, e *event) {
	s.add(mEvents, 1)
	s.add(interactionMeasure(e.sub), e.count)
	switch e.sub {
	case "product_exposure":
		s.add(mProductExposures, e.count)
		return
	case "rating":
		s.add(mRatings, 1)
		s.add(mRatingSum, e.rating)
		return
	case "like", "comment", "share", "follow":
		s.distinct(a.seen, mInteractors)
	case "product_click":
		s.add(mProductClicks, e.count)
		s.distinct(a.seen, mProductClickers)
	}
	s.add(mInteractionEvents, 1)
	s.distinct(a.seen, mEngagers)
}

func (a *account) costOrStock(e *event) {
	if !costAndStockInEvents || e.place.room == "" {
		return
	}
	a.counted(e.place, e.ts)
	for _, s := range a.spots(e) {
		s.add(mEvents, 1)
	}
	if e.sku != "" {
		a.c.at(cSKU, e.place, [2]string{e.sku}, e.ts).add(mEvents, 1)
	}
}

func seeViewer(v *view, e *event) *view {
	if v == nil {
		v = &view{}
	}
	v.times = append(v.times, e.ts)
	if !e.background {
		v.watch += e.watch
	}
	if e.sub == "enter" && v.enter == nil {
		v.enter = e
	}
	if e.sub == "leave" && (v.left == 0 || e.ts < v.left) {
		v.left = e.ts
	}
	return v
}

func seeInteraction(v *view, e *event) *view {
	if v == nil {
		v = &view{}
	}
	v.interacted = v.interacted || e.sub != "product_exposure"
	return v
}

// wholeView counts a view in the room and window of its first enter. Every view is closed by the time the tables are compared.
func (a *account) wholeView(v *view) {
	e := v.enter
	if e == nil {
		return
	}
	source := a.c.at(cSource, e.place, [2]string{e.source, e.campaign}, e.ts)
	source.distinct(a.seen, mViewers)
	source.add(mWatchMS, v.watch)
	for _, s := range append(a.spots(e), source) {
		s.add(mViews, 1)
		if v.watch > 10_000 {
			s.add(mEffective10s, 1)
		}
		if v.watch > 60_000 {
			s.add(mEffective60s, 1)
		}
		if v.watch >= 300_000 {
			s.add(mEffective300s, 1)
		}
		if v.watch < 10_000 && !v.interacted {
			s.add(mBounces, 1)
		}
	}
	for pane := range onlinePanes(v) {
		a.c.addPane(cRoom, e.place, [2]string{}, pane)
		for _, x := range e.exps {
			a.c.addPane(cVariant, e.place, [2]string{x.id, x.variant}, pane)
		}
	}
}

// onlinePanes are the starts of the 10 s panes at whose end t the view is online: enter < t, no leave < t, an event in [t − 30 s, t).
func onlinePanes(v *view) map[int64]bool {
	panes := map[int64]bool{}
	for _, at := range v.times {
		for t := at - at%paneMS + paneMS; t-onlineMS <= at; t += paneMS {
			if v.enter.ts < t && (v.left == 0 || v.left >= t) {
				panes[t-paneMS] = true
			}
		}
	}
	return panes
}
