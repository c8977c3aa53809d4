package ledger

// The names of tables, grains and measures are written out here a second time on purpose: a judge that took them from the pipeline
// could not see that one is missing there.

type measure uint8

const (
	mEvents measure = iota
	mViewers
	mViews
	mWatchMS
	mEffective10s
	mEffective60s
	mEffective300s
	mBounces
	mOnline
	mInteractions              // + index in kinds: 14 of them
	mInteractionEvents measure = mInteractions + 14 + iota - 10
	mInteractors
	mEngagers
	mProductExposures
	mProductClicks
	mProductClickers
	mRatings
	mRatingSum
	mOrdersCreated
	mOrdersPaid
	mBuyers
	mNewBuyers
	mItemsSold
	mOrdersCancelled
	mOrdersRefunded
	mOrdersRefundedByOrder
	mBeyondHorizon
	mGift
	mGMVCreated
	mDeposit
	mGMVPaid
	mRefund
	mRefundByOrder
	mSettled
	mNet
	numMeasures
)

var measureNames = func() (n [numMeasures]string) {
	for i, k := range kinds {
		n[int(mInteractions)+i] = "interactions_" + k
	}
	for m, name := range map[measure]string{mEvents: "events", mViewers: "viewers", mViews: "views", mWatchMS: "watch_ms", mEffective10s: "effective_views_10s",
		mEffective60s: "effective_views_60s", mEffective300s: "effective_views_300s", mBounces: "bounces", mOnline: "online",
		mInteractionEvents: "interaction_events", mInteractors: "interactors", mEngagers: "engagers", mProductExposures: "product_exposures",
		mProductClicks: "product_clicks", mProductClickers: "product_clickers", mRatings: "ratings", mRatingSum: "rating_sum",
		mOrdersCreated: "orders_created", mOrdersPaid: "orders_paid", mBuyers: "buyers", mNewBuyers: "new_buyers", mItemsSold: "items_sold",
		mOrdersCancelled: "orders_cancelled", mOrdersRefunded: "orders_refunded", mOrdersRefundedByOrder: "orders_refunded_by_order",
		mBeyondHorizon: "beyond_horizon", mGift: "gift_minor", mGMVCreated: "gmv_created_minor", mDeposit: "deposit_minor",
		mGMVPaid: "gmv_paid_minor", mRefund: "refund_minor", mRefundByOrder: "refund_minor_by_order", mSettled: "settled_minor", mNet: "net_minor"} {
		n[m] = name
	}
	return n
}()

func (m measure) String() string { return measureNames[m] }

func interactionMeasure(kind string) measure {
	for i, k := range kinds {
		if k == kind {
			return mInteractions + measure(i)
		}
	}
	panic("ledger: an accepted event has the unknown kind " + kind)
}

type cube uint8

const (
	cRoom cube = iota
	cSKU
	cSource
	cVariant
	cRoomMoney
	cSKUMoney
	numCubes
)

var (
	tableNames = [numCubes]string{"room_measures", "sku_measures", "source_measures", "variant_measures", "room_money", "sku_money"}
	subColumns = [numCubes][]string{{}, {"sku_id"}, {"entry_source", "campaign_id"}, {"experiment_id", "variant"}, {"currency"}, {"sku_id", "currency"}}
)

func span(from, to measure) (out []measure) {
	for m := from; m <= to; m++ {
		out = append(out, m)
	}
	return out
}

// cubeMeasures says which measures a table has.
var cubeMeasures = [numCubes][]measure{
	cRoom:      span(mEvents, mBeyondHorizon),
	cVariant:   span(mEvents, mBeyondHorizon),
	cSKU:       append([]measure{mEvents}, span(mInteractions, mBeyondHorizon)...),
	cSource:    append(span(mViewers, mBounces), mBeyondHorizon),
	cRoomMoney: span(mGift, mNet),
	cSKUMoney:  {mGMVPaid, mRefund, mRefundByOrder, mNet},
}

// position is where a measure stands in a cube's rows, −1 where the cube does not keep it.
var position = func() (p [numCubes][numMeasures]int8) {
	for c := range p {
		for m := range p[c] {
			p[c][m] = -1
		}
		for i, m := range cubeMeasures[c] {
			p[c][m] = int8(i)
		}
	}
	return p
}()

// Grains of a window.
const (
	g10s uint8 = iota
	g1m
	g1h
	g1d
	gSession
	numGrains
)

var grainNames = [numGrains]string{"10s", "1m", "1h", "1d", "session"}
