package eventlog

import "github.com/livemeter/livemeter/pipeline/event"

// Input is one entry before it is packed, with strings where Entry has references. The writer copies what it needs during Add.
// A Reject uses Kind, Flags, Sub, Offset, Recv and TS only, and where Instance is not 0 what names that: viewer, Seq, Platform, SDK; Origin is kept of an enter only; Order of an order only.
type Input struct {
	Kind   EntryKind
	Flags  uint8
	Sub    uint8
	Offset int64
	Recv   int64
	TS     int64

	ViewerHi, ViewerLo uint64
	Instance           uint64
	Seq                uint64
	EventFP            uint64
	View               uint64
	Click              uint64

	Platform, Room, Session string
	EntrySource, Campaign   string
	SKU, Currency           string
	SDKName, SDKVersion     string
	Exps                    []event.Experiment // duplicates are dropped here
	Value                   int64
	Gift                    int64
	Rating                  uint8

	Order    OrderInput
	Original *OriginalInput // of a replay
}

// OriginalInput is the record that a replay brings again.
type OriginalInput struct {
	Source SourceID
	Offset int64
	Topic  string // with prefix
	Reason event.Reason
}

// OrderInput is what only an order carries.
type OrderInput struct {
	OrderID                       string
	Version                       int64
	Goods, Discount, Paid, Refund int64
	Items                         []event.Item
	RefundID, RefundLine          string
}

// mask says which of the rare fields follow the entry's head.
func (in *Input) mask() (m uint32) {
	if in.SDKName != "" || in.SDKVersion != "" {
		m |= hasSDK
	}
	if in.Kind == Reject {
		if in.Instance == 0 {
			return 0
		}
		return m | hasInstance
	}
	if len(in.Exps) > 0 {
		m |= hasExps
	}
	if in.SKU != "" {
		m |= hasSKU
	}
	if in.Kind == Viewer && in.Sub == uint8(event.Enter) {
		m |= hasOrigin
	}
	if in.Currency != "" {
		m |= hasCurrency
	}
	if in.Gift != 0 {
		m |= hasGift
	}
	if in.Rating != 0 {
		m |= hasRating
	}
	if in.Click != 0 {
		m |= hasClick
	}
	if in.Kind > Interaction && (in.View != 0 || in.Value != 0) {
		m |= hasViewValue
	}
	if in.Original != nil {
		m |= hasOriginal
	}
	return m
}
