package event

// envelope reads what all types share, in the order of contract.md, Envelope: the starred fields, the viewer, then the optional ones.
func (s *strict) envelope(ev *Event) {
	fromViewer := ev.Type == TypeViewer || ev.Type == TypeInteraction
	place := used
	if fromViewer {
		place = required
	}
	ev.EventID = s.id(fEventID, required)
	ev.Platform = s.id(fPlatform, required)
	ev.ClientTS = s.time(fClientTS, required)
	ev.SentTS = s.time(fSentTS, required)
	ev.Instance = s.id(fInstance, required)
	ev.Seq = s.positive(fSeq, required)
	// A stock event requires the room and the session too; contract.md lists them again among the fields of stock.
	if ev.Type != TypeStock {
		ev.Room = s.id(fRoom, place)
		ev.Session = s.id(fSession, place)
	}
	ev.ViewID = s.id(fView, place)
	// "At least one of user_id, anon_id": if both are absent, the missing one is called user_id. An empty user_id is present and bad.
	if fromViewer && s.raw[fUser] == nil && s.raw[fAnon] == nil {
		s.note(classMissing, fUser)
	}
	ev.UserID = s.id(fUser, used)
	ev.AnonID = s.id(fAnon, used)
	s.optional(ev)
}

// optional reads sdk, device, geo, consent, experiment. Of sdk only the types are checked: contract.md has device and geo by id syntax,
// not sdk. None of it is kept but experiment and what is an id of sdk.
func (s *strict) optional(ev *Event) {
	if s.nested(fSDK, used, inSDK) {
		ev.SDKName, ev.SDKVersion = s.textID(fSDKName), s.textID(fSDKVersion)
	}
	if s.nested(fDevice, used, inDevice) {
		s.id(fDeviceOS, used)
		s.id(fDeviceModel, used)
		s.id(fDeviceApp, used)
		s.id(fDeviceNetwork, used)
	}
	if s.nested(fGeo, used, inGeo) {
		s.id(fGeoCountry, used)
		s.id(fGeoProvince, used)
	}
	s.boolean(fConsent, used)
	s.experiments(ev)
}

// experiments: at most 8 entries, each an object. id and variant have no star, so an absent one is "".
func (s *strict) experiments(ev *Event) {
	n := s.objects(fExperiment, used, inExperiment, func() {
		e := Experiment{s.id(fExpID, used), s.id(fExpVariant, used)}
		if len(ev.Exps) < MaxExperiments {
			ev.Exps = append(ev.Exps, e)
		}
	})
	if n > MaxExperiments {
		s.note(classValue, fExperiment)
	}
}

// objects calls each for every element of an array of objects and gives their number, -1 without an array. An element that is not an
// object, null included, is the array's bad_type: a field can be absent, an element can not.
func (s *strict) objects(f fieldID, d demand, in scope, each func()) int {
	array, ok := s.value(f, d, arrayFirst)
	if !ok {
		return -1
	}
	n := 0
	s.elements(array, func(element []byte) {
		n++
		if element[0] != '{' {
			s.note(classType, f)
			return
		}
		s.collect(in, element)
		each()
	})
	return n
}

func (s *strict) viewer(ev *Event) {
	action, known := s.enum(fAction, required, ActionNames[:])
	ev.Action = Action(action)
	enter := known && ev.Action == Enter
	watching := known && (ev.Action == Heartbeat || ev.Action == Leave)
	ev.EntrySource = s.id(fEntrySource, usedIf(enter))
	s.touch(ev, usedIf(enter))
	ev.ShareID = s.id(fShare, usedIf(enter))
	// Absent means 0.
	ev.WatchMS, _ = s.integer(fWatchMS, usedIf(watching), 0, maxWatchMS)
	foreground, given := s.boolean(fForeground, usedIf(watching))
	ev.Background = given && !foreground
}

func (s *strict) touch(ev *Event, d demand) {
	if !s.nested(fTouch, d, inTouch) {
		return
	}
	ev.Touch.Channel = s.id(fTouchChannel, d)
	ev.Touch.CampaignID = s.id(fTouchCampaign, d)
	ev.Touch.AdID = s.id(fTouchAd, d)
	ev.Touch.CreativeID = s.id(fTouchCreative, d)
	ev.Touch.ClickID = s.id(fTouchClick, d)
	// The kind has no star: a touch may come without one.
	if kind, ok := s.enum(fTouchKind, d, touchKindNames[:]); ok {
		ev.Touch.Kind = TouchClick + TouchKind(kind)
	}
}

func (s *strict) interaction(ev *Event) {
	kind, known := s.enum(fKind, required, KindNames[:])
	ev.Kind = Kind(kind)
	is := func(k Kind) bool { return known && ev.Kind == k }
	ev.Count = 1
	if n, ok := s.integer(fCount, used, 1, maxCount); ok {
		ev.Count = n
	}
	s.interactionSKU(ev, is(ProductClick) || is(ProductExposure) || is(Favorite))
	ev.GiftMinor = s.money(fGiftMinor, requiredIf(is(Gift)))
	ev.Currency = s.currency(requiredIf(is(Gift)))
	ev.Rating, _ = s.integer(fRating, requiredIf(is(Rating)), 1, maxRating)
	ev.ShareID = s.id(fShare, requiredIf(is(Share)))
	s.text(fCommentText)
	s.anyInteger(fCommentLen, typed)
}

// interactionSKU: required and checked on product_* and favorite. Other kinds do not use it, so it can not make them invalid, but where
// an event names a valid SKU it counts there.
func (s *strict) interactionSKU(ev *Event, need bool) {
	if need {
		ev.SKU = s.id(fSKU, required)
		return
	}
	if v, ok := s.value(fSKU, typed, stringFirst); ok {
		if sku := unquote(v); validID(sku) {
			ev.SKU = sku
		}
	}
}

func (s *strict) order(ev *Event) {
	ev.OrderID = s.id(fOrderID, required)
	ev.OrderVersion = s.positive(fOrderVersion, required)
	state, known := s.enum(fState, required, StateNames[:])
	ev.State = State(state)
	ev.BuyerID = s.id(fBuyer, required)
	ev.Currency = s.currency(required)
	goods, goodsOK := s.integer(fGoods, required, 0, MaxMoney)
	discount, discountOK := s.integer(fDiscount, used, 0, MaxMoney)
	if goodsOK && discountOK && discount > goods {
		s.note(classValue, fDiscount)
	}
	ev.GoodsMinor, ev.DiscountMinor = goods, discount
	s.money(fSubsidy, used)
	s.money(fShipping, used)
	s.money(fTax, used)
	ev.PaidMinor = s.money(fPaid, required)
	s.items(ev)
	s.refund(ev, known && ev.State == Refunded)
	ev.ClickID = s.id(fClick, used)
	ev.Presale, _ = s.boolean(fPresale, used)
}

func (s *strict) items(ev *Event) {
	n := s.objects(fItems, required, inItem, func() {
		ev.Items = append(ev.Items, Item{
			LineID:    s.id(fItemLine, required),
			SKU:       s.id(fItemSKU, required),
			Qty:       s.positive(fItemQty, required),
			UnitMinor: s.money(fItemUnit, used),
			PaidMinor: s.money(fItemPaid, required),
		})
	})
	if n == 0 || n > MaxItems {
		s.note(classValue, fItems)
	}
}

// itemsPaid can not overflow: 200 items below 10^15.
func itemsPaid(items []Item) (sum int64) {
	for i := range items {
		sum += items[i].PaidMinor
	}
	return sum
}

// refund is what the state refunded describes; on other states only its types are checked.
func (s *strict) refund(ev *Event, need bool) {
	if !s.nested(fRefund, requiredIf(need), inRefund) {
		return
	}
	ev.RefundID = s.id(fRefundID, requiredIf(need))
	ev.RefundLine = s.id(fRefundLine, usedIf(need))
	ev.RefundMinor = s.money(fRefundMinor, requiredIf(need))
	s.text(fRefundReason)
}

func (s *strict) cost(ev *Event) {
	ev.CostID = s.id(fCostID, required)
	ev.CostVersion = s.anyInteger(fCostVersion, required)
	ev.Channel = s.id(fChannel, required)
	ev.CampaignID = s.id(fCampaign, used)
	ev.HostID = s.id(fHost, used)
	kind, _ := s.enum(fKind, required, costKindNames[:])
	ev.CostKind = CostKind(kind)
	ev.SpendMinor = s.money(fSpend, required)
	ev.Currency = s.currency(required)
	start, startOK := s.integer(fPeriodStart, required, 0, MaxTime)
	end, endOK := s.integer(fPeriodEnd, required, 0, MaxTime)
	if startOK && endOK && end < start {
		s.note(classValue, fPeriodEnd)
	}
	ev.PeriodStart, ev.PeriodEnd = start, end
}

func (s *strict) stock(ev *Event) {
	ev.SKU = s.id(fSKU, required)
	ev.Room = s.id(fRoom, required)
	ev.Session = s.id(fSession, required)
	ev.Available = s.anyInteger(fAvailable, required)
	ev.Reserved = s.anyInteger(fReserved, used)
	ev.StockVersion = s.anyInteger(fStockVersion, required)
	ev.StockTS = s.time(fTS, required)
}
