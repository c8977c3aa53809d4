package event

import "math"

// shape is how a field's value is read on the fast path.
type shape uint8

const (
	shapeID   shape = iota // a string by id syntax, enums and currency too
	shapeText              // a string of any length
	shapeInt               // within fieldRanges
	shapeBool
	shapeObject // of fieldScopes
	shapeList   // of objects of fieldScopes
)

// intRange is lowest … lowest+span.
type intRange struct{ lowest, span uint64 }

var fieldShapes, fieldScopes, fieldRanges = func() (shapes [numFields]shape, scopes [numFields]scope, ranges [numFields]intRange) {
	set := func(sh shape, fields ...fieldID) {
		for _, f := range fields {
			shapes[f] = sh
		}
	}
	within := func(lowest, highest uint64, fields ...fieldID) {
		set(shapeInt, fields...)
		for _, f := range fields {
			ranges[f] = intRange{lowest, highest - lowest}
		}
	}
	set(shapeText, fCommentText, fRefundReason) // a name or version of an SDK that is no valid id defers
	set(shapeBool, fConsent, fForeground, fPresale)
	within(0, MaxTime, fClientTS, fSentTS, fPeriodStart, fPeriodEnd, fTS)
	within(0, MaxMoney, fGiftMinor, fGoods, fDiscount, fSubsidy, fShipping, fTax, fPaid, fSpend, fItemUnit, fItemPaid, fRefundMinor)
	within(1, math.MaxInt64, fSeq, fOrderVersion, fItemQty)
	within(0, math.MaxInt64, fCommentLen, fCostVersion, fStockVersion, fAvailable, fReserved) // negative ones defer
	within(0, maxWatchMS, fWatchMS)
	within(1, maxCount, fCount)
	within(1, maxRating, fRating)
	object := func(sh shape, f fieldID, s scope) { shapes[f], scopes[f] = sh, s }
	object(shapeObject, fSDK, inSDK)
	object(shapeObject, fDevice, inDevice)
	object(shapeObject, fGeo, inGeo)
	object(shapeObject, fTouch, inTouch)
	object(shapeObject, fRefund, inRefund)
	object(shapeList, fExperiment, inExperiment)
	object(shapeList, fItems, inItem)
	return shapes, scopes, ranges
}()

// mask has the bits of fields in their scope's masks.
func mask(s scope, fields ...fieldID) (m uint64) {
	for _, f := range fields {
		m |= 1 << (f - scopeStart[s])
	}
	return m
}

func between(first, last fieldID) (m uint64) {
	for f := first; f <= last; f++ {
		m |= 1 << f
	}
	return m
}

// knownFields are the names a type knows; a record with another known name defers, for that name is unknown to its type.
var knownFields = func() (known [NumTypes]uint64) {
	envelope := between(fType, fExperiment)
	known[TypeViewer] = envelope | between(fAction, fForeground)
	known[TypeInteraction] = envelope | between(fKind, fCommentLen) | mask(inRecord, fShare)
	known[TypeOrder] = envelope | between(fOrderID, fPresale) | mask(inRecord, fCurrency)
	known[TypeCost] = envelope | between(fCostID, fPeriodEnd) | mask(inRecord, fKind, fCurrency)
	known[TypeStock] = envelope | between(fAvailable, fTS) | mask(inRecord, fSKU)
	return known
}()

// requiredFields are those a type asks for whatever its action, kind or state; the viewer's id comes on top.
var requiredFields = func() (need [NumTypes]uint64) {
	for t := range need {
		need[t] = between(fType, fSeq)
	}
	need[TypeViewer] |= mask(inRecord, fRoom, fSession, fView, fAction)
	need[TypeInteraction] |= mask(inRecord, fRoom, fSession, fView, fKind)
	need[TypeOrder] |= mask(inRecord, fOrderID, fOrderVersion, fState, fBuyer, fCurrency, fGoods, fPaid, fItems)
	need[TypeCost] |= mask(inRecord, fCostID, fCostVersion, fChannel, fKind, fSpend, fCurrency, fPeriodStart, fPeriodEnd)
	need[TypeStock] |= mask(inRecord, fSKU, fRoom, fSession, fAvailable, fStockVersion, fTS)
	return need
}()

// kindFields are those a kind of interaction asks for.
var kindFields = [NumKinds]uint64{
	ProductClick:    mask(inRecord, fSKU),
	ProductExposure: mask(inRecord, fSKU),
	Favorite:        mask(inRecord, fSKU),
	Gift:            mask(inRecord, fGiftMinor, fCurrency),
	Rating:          mask(inRecord, fRating),
	Share:           mask(inRecord, fShare),
}

var (
	viewerFields = mask(inRecord, fUser, fAnon) // at least one, of viewer and interaction
	itemFields   = mask(inItem, fItemLine, fItemSKU, fItemQty, fItemPaid)
	refundFields = mask(inRefund, fRefundID, fRefundMinor)
)
