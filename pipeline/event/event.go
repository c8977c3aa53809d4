// Package event holds what arrives on the raw topics: the decoded record, the strict decoder that alone accepts or rejects it, and
// the reasons for a rejection. It is a leaf: it knows neither Kafka nor windows.
package event

// Topic is the raw topic a record came from. It decides which types are allowed there.
type Topic uint8

const (
	TopicViewer Topic = iota
	TopicInteraction
	TopicOrder
	TopicCost
	TopicStock
	TopicReplay // has no type of its own: its records are judged as those of the topic they name in their headers
	NumTopics
)

// TopicNames are the names without the configurable prefix, indexed by Topic.
var TopicNames = [NumTopics]string{"raw.viewer", "raw.interaction", "raw.order", "raw.cost", "raw.stock", "raw.replay"}

// Arrivals are the names of the topics that producers send to, each for the Type of its number: all but raw.replay, which is the operators'.
var Arrivals = TopicNames[:NumTypes]

// Type is the record's type field.
type Type uint8

const (
	TypeViewer Type = iota
	TypeInteraction
	TypeOrder
	TypeCost
	TypeStock
	NumTypes
)

// Topic is the raw topic on which the type is allowed: Topics and Types are in the same order.
func (t Type) Topic() Topic { return Topic(t) }

// TypeNames are the wire names, indexed by Type.
var TypeNames = [NumTypes]string{"viewer", "interaction", "order", "cost", "stock"}

// Action is what a viewer event reports.
type Action uint8

const (
	Enter Action = iota
	Heartbeat
	Leave
	PlayError
	Quality
	NumActions
)

var ActionNames = [NumActions]string{"enter", "heartbeat", "leave", "play_error", "quality"}

// Kind is what an interaction event reports.
type Kind uint8

const (
	Like Kind = iota
	Comment
	Share
	Follow
	Gift
	FanClubJoin
	CartView
	ProductClick
	Favorite
	CouponClaim
	PollOrLottery
	DislikeOrReport
	ProductExposure
	Rating
	NumKinds
)

var KindNames = [NumKinds]string{"like", "comment", "share", "follow", "gift", "fan_club_join", "cart_view", "product_click", "favorite",
	"coupon_claim", "poll_or_lottery", "dislike_or_report", "product_exposure", "rating"}

// State is an order's transition.
type State uint8

const (
	Created State = iota
	DepositPaid
	Paid
	Cancelled
	Shipped
	Received
	RefundRequested
	Refunded
	Settled
	NumStates
)

var StateNames = [NumStates]string{"created", "deposit_paid", "paid", "cancelled", "shipped", "received", "refund_requested", "refunded", "settled"}

// TouchKind is how a touch came about; TouchNone where the event has no touch.
type TouchKind uint8

const (
	TouchNone TouchKind = iota
	TouchClick
	TouchValidView
	TouchView
)

// CostKind of a cost event.
type CostKind uint8

const (
	CostAds CostKind = iota
	CostSlotFee
	CostCommission
	CostOther
)

// Experiment is one entry of the envelope's experiment list.
type Experiment struct{ ID, Variant string }

// Touch is an enter's marketing touch. Absent strings are "".
type Touch struct {
	Kind                                           TouchKind
	Channel, CampaignID, AdID, CreativeID, ClickID string
}

// Item is one line of an order. Money in minor units.
type Item struct {
	LineID, SKU               string
	Qty, UnitMinor, PaidMinor int64
}

// Event is one accepted record. Strings may point into the raw record or the decoder's scratch: they are valid until the next Decode
// of the same Decoder. Absent optional strings are "", absent numbers 0. Times are ms since the epoch, money int64 minor units.
type Event struct {
	Type       Type
	EventID    string
	Platform   string
	Room       string // room_id
	Session    string // live_session_id
	UserID     string
	AnonID     string
	ViewID     string
	Instance   string // sdk_instance_id
	Seq        int64
	SDKName    string // like SDKVersion "" where absent or no valid id
	SDKVersion string
	ClientTS   int64
	SentTS     int64
	Exps       []Experiment // at most 8, reused by the next Decode

	Action      Action
	EntrySource string
	Touch       Touch
	ShareID     string // viewer enter, or interaction share
	WatchMS     int64
	Background  bool // foreground is given and false

	Kind      Kind
	Count     int64  // 1 where absent
	SKU       string // interaction or stock; "" where absent or, on kinds that do not require it, not a valid id
	GiftMinor int64
	Currency  string // gift, order or cost
	Rating    int64

	OrderID       string
	OrderVersion  int64
	State         State
	BuyerID       string
	GoodsMinor    int64
	DiscountMinor int64
	PaidMinor     int64
	Items         []Item // 1 to 200, reused by the next Decode
	RefundID      string // "" unless State is Refunded
	RefundLine    string
	RefundMinor   int64
	ClickID       string // order's click_id
	Presale       bool

	CostID      string
	CostVersion int64
	CostKind    CostKind
	Channel     string // cost
	CampaignID  string // cost
	HostID      string // cost
	SpendMinor  int64
	PeriodStart int64
	PeriodEnd   int64

	Available    int64 // stock
	Reserved     int64
	StockVersion int64
	StockTS      int64
}

// Reason says why a record is invalid, in the order in which contract.md asks for them; ReasonNone is accepted. Internal is no fault of the record's: a stage
// panicked over it. The log has reasons by number: new ones are appended.
type Reason uint8

const (
	ReasonNone Reason = iota
	TooLarge
	TooDeep
	NotJSON
	TrailingBytes
	MissingField
	BadType
	UnknownType
	WrongTopic
	UnsupportedVersion
	BadEnum
	BadValue
	MoneyMismatch
	Internal
	NumReasons
)

var ReasonNames = [NumReasons]string{"", "too_large", "too_deep", "not_json", "trailing_bytes", "missing_field", "bad_type", "unknown_type",
	"wrong_topic", "unsupported_version", "bad_enum", "bad_value", "money_mismatch", "internal"}

// ReasonOf finds a reason by its name; ReasonNone has none.
func ReasonOf(name string) (Reason, bool) {
	for r := ReasonNone + 1; r < NumReasons; r++ {
		if ReasonNames[r] == name {
			return r, true
		}
	}
	return ReasonNone, false
}

func (r Reason) String() string { return ReasonNames[r] }

// Verdict is the answer to one record: accepted when Reason is ReasonNone, else the reason and the field's path with dots and no
// index (items.qty); Field is "" where the reason concerns the whole record.
type Verdict struct {
	Reason Reason
	Field  string
}

// Limits of one record. They are part of the contract, not of the configuration.
const (
	MaxRecordBytes = 32 << 10
	MaxDepth       = 16
	MaxIDBytes     = 128
	MaxItems       = 200
	MaxExperiments = 8
	MaxTime        = 100_000_000_000_000       // 10^14 ms
	MaxMoney       = 1_000_000_000_000_000 - 1 // below 10^15
)
