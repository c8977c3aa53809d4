package event

import "unsafe"

// decode fills ev and reports true, or defers; ev is then half filled.
func (f *fast) decode(topic Topic, raw []byte, ev *Event) bool {
	n := len(raw)
	if n > MaxRecordBytes {
		return false
	}
	for n > 0 && isSpace(raw[n-1]) {
		n--
	}
	if n < 2 || raw[0] != '{' || raw[n-1] != '}' {
		return false
	}
	f.raw, f.ev = raw[:n], ev
	reset(ev)
	if f.object(inRecord, 0) != n || !f.head(topic) || !f.envelope(ev) {
		return false
	}
	switch ev.Type {
	case TypeViewer:
		return f.viewer(ev)
	case TypeInteraction:
		return f.interaction(ev)
	case TypeOrder:
		return f.order(ev)
	case TypeCost:
		return f.cost(ev)
	default:
		return f.stock(ev)
	}
}

// head: the topic's type, a supported version, no field of another type, every required one.
func (f *fast) head(topic Topic) bool {
	if topic == anyTopic {
		t := indexOf(TypeNames[:], f.opt(inRecord, fType))
		if t < 0 {
			return false
		}
		topic = Type(t).Topic()
	}
	if f.seen[inRecord]&^knownFields[topic] != 0 || f.has[inRecord]&requiredFields[topic] != requiredFields[topic] {
		return false
	}
	if f.str(fType) != TypeNames[topic] {
		return false
	}
	f.ev.Type = Type(topic)
	v := f.str(fSchemaVersion)
	return v == "1-0-0" || supportedVersion(v)
}

// str is only for a field that is there.
func (f *fast) str(id fieldID) string {
	s := f.at[id]
	return unsafe.String(&f.raw[s.start], s.end-s.start)
}

// opt is "" where the field is absent.
func (f *fast) opt(s scope, id fieldID) string {
	if f.has[s]>>((id-scopeStart[s])&63)&1 == 0 {
		return ""
	}
	return f.str(id)
}

func (f *fast) given(id fieldID) bool { return f.has[inRecord]>>(id&63)&1 != 0 }

// number is 0 where the field is absent.
func (f *fast) number(s scope, id fieldID) int64 {
	if f.has[s]>>((id-scopeStart[s])&63)&1 == 0 {
		return 0
	}
	return f.num[id]
}

// element takes the list element that was just read.
func (f *fast) element(id fieldID) bool {
	if id == fExperiment {
		f.ev.Exps = append(f.ev.Exps, Experiment{f.opt(inExperiment, fExpID), f.opt(inExperiment, fExpVariant)})
		return len(f.ev.Exps) <= MaxExperiments
	}
	if f.has[inItem]&itemFields != itemFields {
		return false
	}
	f.ev.Items = append(f.ev.Items, Item{LineID: f.str(fItemLine), SKU: f.str(fItemSKU), Qty: f.num[fItemQty],
		UnitMinor: f.number(inItem, fItemUnit), PaidMinor: f.num[fItemPaid]})
	return len(f.ev.Items) <= MaxItems
}

func (f *fast) envelope(ev *Event) bool {
	ev.EventID = f.str(fEventID)
	ev.Platform = f.str(fPlatform)
	ev.ClientTS = f.num[fClientTS]
	ev.SentTS = f.num[fSentTS]
	ev.Instance = f.str(fInstance)
	ev.Seq = f.num[fSeq]
	ev.Room = f.opt(inRecord, fRoom)
	ev.Session = f.opt(inRecord, fSession)
	ev.ViewID = f.opt(inRecord, fView)
	ev.UserID = f.opt(inRecord, fUser)
	ev.AnonID = f.opt(inRecord, fAnon)
	if f.given(fSDK) {
		ev.SDKName, ev.SDKVersion = f.opt(inSDK, fSDKName), f.opt(inSDK, fSDKVersion)
	}
	return ev.Type > TypeInteraction || f.has[inRecord]&viewerFields != 0
}

func (f *fast) viewer(ev *Event) bool {
	action := indexOf(ActionNames[:], f.str(fAction))
	if action < 0 {
		return false
	}
	ev.Action = Action(action)
	switch ev.Action {
	case Enter:
		ev.EntrySource = f.opt(inRecord, fEntrySource)
		ev.ShareID = f.opt(inRecord, fShare)
		return !f.given(fTouch) || f.touch(&ev.Touch)
	case Heartbeat, Leave:
		ev.WatchMS = f.number(inRecord, fWatchMS)
		ev.Background = f.given(fForeground) && f.num[fForeground] == 0
	}
	return true
}

func (f *fast) touch(t *Touch) bool {
	t.Channel = f.opt(inTouch, fTouchChannel)
	t.CampaignID = f.opt(inTouch, fTouchCampaign)
	t.AdID = f.opt(inTouch, fTouchAd)
	t.CreativeID = f.opt(inTouch, fTouchCreative)
	t.ClickID = f.opt(inTouch, fTouchClick)
	kind := f.opt(inTouch, fTouchKind)
	if kind == "" {
		return true
	}
	k := indexOf(touchKindNames[:], kind)
	t.Kind = TouchClick + TouchKind(k)
	return k >= 0
}

func (f *fast) interaction(ev *Event) bool {
	kind := indexOf(KindNames[:], f.str(fKind))
	if kind < 0 || f.has[inRecord]&kindFields[kind] != kindFields[kind] {
		return false
	}
	ev.Kind = Kind(kind)
	ev.Count = 1
	if f.given(fCount) {
		ev.Count = f.num[fCount]
	}
	ev.SKU = f.opt(inRecord, fSKU)
	switch ev.Kind {
	case Gift:
		ev.GiftMinor = f.num[fGiftMinor]
		ev.Currency = f.str(fCurrency)
		return validCurrency(ev.Currency)
	case Rating:
		ev.Rating = f.num[fRating]
	case Share:
		ev.ShareID = f.str(fShare)
	}
	return true
}

func (f *fast) order(ev *Event) bool {
	state := indexOf(StateNames[:], f.str(fState))
	if state < 0 {
		return false
	}
	ev.State = State(state)
	ev.OrderID = f.str(fOrderID)
	ev.OrderVersion = f.num[fOrderVersion]
	ev.BuyerID = f.str(fBuyer)
	ev.Currency = f.str(fCurrency)
	ev.GoodsMinor = f.num[fGoods]
	ev.DiscountMinor = f.number(inRecord, fDiscount)
	ev.PaidMinor = f.num[fPaid]
	ev.ClickID = f.opt(inRecord, fClick)
	ev.Presale = f.given(fPresale) && f.num[fPresale] == 1
	if ev.State == Refunded {
		if !f.given(fRefund) || f.has[inRefund]&refundFields != refundFields {
			return false
		}
		ev.RefundID = f.str(fRefundID)
		ev.RefundLine = f.opt(inRefund, fRefundLine)
		ev.RefundMinor = f.num[fRefundMinor]
	}
	if ev.State == Paid && itemsPaid(ev.Items) != ev.PaidMinor {
		return false
	}
	return len(ev.Items) > 0 && ev.DiscountMinor <= ev.GoodsMinor && validCurrency(ev.Currency)
}

func (f *fast) cost(ev *Event) bool {
	kind := indexOf(costKindNames[:], f.str(fKind))
	if kind < 0 {
		return false
	}
	ev.CostKind = CostKind(kind)
	ev.CostID = f.str(fCostID)
	ev.CostVersion = f.num[fCostVersion]
	ev.Channel = f.str(fChannel)
	ev.CampaignID = f.opt(inRecord, fCampaign)
	ev.HostID = f.opt(inRecord, fHost)
	ev.SpendMinor = f.num[fSpend]
	ev.Currency = f.str(fCurrency)
	ev.PeriodStart = f.num[fPeriodStart]
	ev.PeriodEnd = f.num[fPeriodEnd]
	return ev.PeriodStart <= ev.PeriodEnd && validCurrency(ev.Currency)
}

func (f *fast) stock(ev *Event) bool {
	ev.SKU = f.str(fSKU)
	ev.Available = f.num[fAvailable]
	ev.Reserved = f.number(inRecord, fReserved)
	ev.StockVersion = f.num[fStockVersion]
	ev.StockTS = f.num[fTS]
	return true
}
