// Package measure names what is counted. A cell is a sparse vector of int64 slots; this package says which slot means what, which
// column of ClickHouse it becomes in which row. It knows neither events nor Kafka.
package measure

// Grain is a window length. A distinct measure has one slot per grain: "first of this viewer in this window of this grain".
type Grain uint8

const (
	Grain10s Grain = iota
	Grain1m
	Grain1h
	Grain1d
	GrainSession
	NumGrains
)

// GrainNames are the values of the column `grain`.
var GrainNames = [NumGrains]string{"10s", "1m", "1h", "1d", "session"}

// Lengths of windows, ms. A day of the shop's zone has one of its own: see Days.
const (
	PaneMS   = 10_000
	MinuteMS = PanesPerMinute * PaneMS
	HourMS   = 60 * MinuteMS
	DayMS    = 24 * HourMS
)

// Numbers of cubes, grains and slots stand in saved state and in events.enriched: new ones are appended, or the formats get a new version.

// Cube is one family of cells: what its key has beside (platform, room, session).
type Cube uint8

const (
	Room      Cube = iota // -
	SKU                   // sku_id
	Source                // entry_source, campaign_id
	Variant               // experiment_id, variant
	RoomMoney             // currency
	SKUMoney              // sku_id, currency
	NumCubes
)

// CubeTables are the analyst's views, indexed by Cube.
var CubeTables = [NumCubes]string{"room_measures", "sku_measures", "source_measures", "variant_measures", "room_money", "sku_money"}

// SubKeys are the key columns of a cube after platform, room_id, live_session_id; at most two.
var SubKeys = [NumCubes][]string{{}, {"sku_id"}, {"entry_source", "campaign_id"}, {"experiment_id", "variant"}, {"currency"}, {"sku_id", "currency"}}

// Slot is an index into a cell's vector. Slots come in lines of eight (64 bytes) so that a cell pays only for the lines it uses:
// what changes together shares a line.
type Slot uint8

// LineSlots are the slots of a line.
const LineSlots = 8

const (
	// line 0: every viewer event
	Events Slot = iota
	WatchMS
	BeyondHorizon
	Viewers // + grain: 5 slots
	// line 1: whole views
	Views Slot = iota + 4
	Effective10s
	Effective60s
	Effective300s
	Bounces
	Online // 10s pane only; longer windows take the peak over the merged panes
)

const (
	// lines 2 and 3: interactions, Σ count by event.Kind
	Interactions      Slot = 16 // + kind: 14 slots, product_exposure and rating included
	InteractionEvents Slot = 30
	RatingSum         Slot = 31
	// lines 4 to 6
	Interactors     Slot = 32 // + grain
	Ratings         Slot = 37
	Engagers        Slot = 40 // + grain
	ProductClickers Slot = 48 // + grain
	// lines 7 to 9: orders
	OrdersCreated         Slot = 56
	OrdersPaid            Slot = 57
	ItemsSold             Slot = 58
	OrdersCancelled       Slot = 59
	NewBuyers             Slot = 60
	OrdersRefundedByOrder Slot = 61
	Buyers                Slot = 64 // + grain
	OrdersRefunded        Slot = 72 // + grain
	// NumSlots bounds a cell of the count cubes: ten lines.
	NumSlots Slot = 80
)

// Slots of the money cubes: one line.
const (
	GiftMinor Slot = iota
	GMVCreatedMinor
	DepositMinor
	GMVPaidMinor
	RefundMinor
	RefundMinorByOrder
	SettledMinor
)

// Column is one measure as ClickHouse shows it.
type Column struct {
	Name     string
	Slot     Slot
	Distinct bool   // the slot of grain g is Slot+g
	Comment  string // contract.md's words, for the column comment
}

// SlotAt is where the column's value stands for grain g.
func (c Column) SlotAt(g Grain) Slot {
	if c.Distinct {
		return c.Slot + Slot(g)
	}
	return c.Slot
}

var interactionColumns = []Column{
	{"interactions_like", Interactions + 0, false, "Σ count of likes"},
	{"interactions_comment", Interactions + 1, false, "Σ count of comments"},
	{"interactions_share", Interactions + 2, false, "Σ count of shares"},
	{"interactions_follow", Interactions + 3, false, "Σ count of follows"},
	{"interactions_gift", Interactions + 4, false, "Σ count of gifts"},
	{"interactions_fan_club_join", Interactions + 5, false, "Σ count of fan club joins"},
	{"interactions_cart_view", Interactions + 6, false, "Σ count of cart views"},
	{"interactions_product_click", Interactions + 7, false, "Σ count of product clicks (the same as product_clicks)"},
	{"interactions_favorite", Interactions + 8, false, "Σ count of favorites"},
	{"interactions_coupon_claim", Interactions + 9, false, "Σ count of coupon claims"},
	{"interactions_poll_or_lottery", Interactions + 10, false, "Σ count of polls and lotteries"},
	{"interactions_dislike_or_report", Interactions + 11, false, "Σ count of dislikes and reports"},
	{"interactions_product_exposure", Interactions + 12, false, "Σ count of product exposures (the same as product_exposures)"},
	{"interactions_rating", Interactions + 13, false, "Σ count of ratings; their number is ratings"},
	{"interaction_events", InteractionEvents, false, "interaction events, product_exposure and rating apart"},
	{"interactors", Interactors, true, "distinct viewers with a like, comment, share or follow"},
	{"engagers", Engagers, true, "distinct viewers with any interaction but product_exposure and rating"},
	{"product_exposures", Interactions + 12, false, "Σ count of product exposures"},
	{"product_clicks", Interactions + 7, false, "Σ count of product clicks"},
	{"product_clickers", ProductClickers, true, "distinct viewers with a product click"},
	{"ratings", Ratings, false, "rating events"},
	{"rating_sum", RatingSum, false, "Σ rating of rating events"},
}

var orderColumns = []Column{
	{"orders_created", OrdersCreated, false, "orders with a created, by its event time"},
	{"orders_paid", OrdersPaid, false, "orders with a paid, by its event time"},
	{"buyers", Buyers, true, "distinct buyers of the paid orders"},
	{"new_buyers", NewBuyers, false, "buyers whose first paid order on the platform is in this window and room"},
	{"items_sold", ItemsSold, false, "Σ qty of the lines of paid"},
	{"orders_cancelled", OrdersCancelled, false, "orders with a cancelled and no paid, by the event time of cancelled"},
	{"orders_refunded", OrdersRefunded, true, "distinct orders with a refund, by refund date"},
	{"orders_refunded_by_order", OrdersRefundedByOrder, false, "orders with a refund, in the window of their paid"},
}

var viewColumns = []Column{
	{"views", Views, false, "distinct views, by their first enter"},
	{"effective_views_10s", Effective10s, false, "views with more than 10 000 ms of watch in all, in the window of the enter"},
	{"effective_views_60s", Effective60s, false, "views with more than 60 000 ms of watch in all, in the window of the enter"},
	{"effective_views_300s", Effective300s, false, "views with 300 000 ms of watch or more in all, in the window of the enter"},
	{"bounces", Bounces, false, "closed views under 10 000 ms of watch without an interaction (product_exposure apart), in the window of the enter"},
}

var (
	events  = Column{"events", Events, false, "accepted events of all types. Each is in the room that it names; an order that names none is in the room of its click ('' without one), a cost event that names none is not counted"}
	beyond  = Column{"beyond_horizon", BeyondHorizon, false, "events later than the horizon: in sums and counts, not in distinct viewers or online"}
	viewers = Column{"viewers", Viewers, true, "distinct viewers of viewer events"}
	watch   = Column{"watch_ms", WatchMS, false, "Σ watch time in ms, foreground only"}
	// OnlineColumn is the one measure that is not additive over time.
	OnlineColumn = Column{"online", Online, false, "views online at the end of the 10 s pane; longer windows: the peak over their panes"}
)

func concat(parts ...[]Column) []Column {
	var out []Column
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// Columns are the measures of each cube in the order of the tables.
var Columns = [NumCubes][]Column{
	Room:    concat([]Column{events, viewers}, viewColumns[:1], []Column{watch}, viewColumns[1:], []Column{OnlineColumn}, interactionColumns, orderColumns, []Column{beyond}),
	SKU:     concat([]Column{events}, interactionColumns, orderColumns, []Column{beyond}),
	Source:  concat([]Column{viewers}, viewColumns[:1], []Column{{"watch_ms", WatchMS, false, "Σ watch time in ms of the whole views that entered in this window"}}, viewColumns[1:], []Column{beyond}),
	Variant: concat([]Column{events, viewers}, viewColumns[:1], []Column{watch}, viewColumns[1:], []Column{OnlineColumn}, interactionColumns, orderColumns, []Column{beyond}),
	RoomMoney: {
		{"gift_minor", GiftMinor, false, "Σ gift_value_minor"},
		{"gmv_created_minor", GMVCreatedMinor, false, "Σ (goods − discount) of created"},
		{"deposit_minor", DepositMinor, false, "Σ paid_minor of deposit_paid"},
		{"gmv_paid_minor", GMVPaidMinor, false, "Σ paid_minor of paid, deposit included"},
		{"refund_minor", RefundMinor, false, "Σ refund.minor of distinct refunds, by refund date"},
		{"refund_minor_by_order", RefundMinorByOrder, false, "Σ refund.minor of distinct refunds, in the window of the order's paid"},
		{"settled_minor", SettledMinor, false, "paid_minor − refunds so far, of settled"},
	},
	SKUMoney: {
		{"gmv_paid_minor", GMVPaidMinor, false, "Σ paid_minor of the SKU's lines"},
		{"refund_minor", RefundMinor, false, "Σ refund.minor of the SKU's lines, by refund date; a refund without line_id, or of a line that items does not have, is in room_money alone"},
		{"refund_minor_by_order", RefundMinorByOrder, false, "Σ refund.minor of the SKU's lines, in the window of the order's paid; as refund_minor, without refunds of no known line"},
	},
}
