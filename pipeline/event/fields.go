package event

// fieldID is a field of the contract, scope by scope.
type fieldID uint8

// scope is an object of a record that has fields of its own.
type scope uint8

const (
	inRecord scope = iota
	inSDK
	inDevice
	inGeo
	inExperiment
	inTouch
	inItem
	inRefund
	numScopes
)

const (
	// inRecord
	fType fieldID = iota
	fSchemaVersion
	fEventID
	fPlatform
	fClientTS
	fSentTS
	fInstance
	fSeq
	fRoom
	fSession
	fView
	fUser
	fAnon
	fSDK
	fDevice
	fGeo
	fConsent
	fExperiment
	fAction
	fEntrySource
	fTouch
	fShare
	fWatchMS
	fForeground
	fKind
	fCount
	fSKU
	fGiftMinor
	fCurrency
	fRating
	fCommentText
	fCommentLen
	fOrderID
	fOrderVersion
	fState
	fBuyer
	fGoods
	fDiscount
	fSubsidy
	fShipping
	fTax
	fPaid
	fItems
	fRefund
	fClick
	fPresale
	fCostID
	fCostVersion
	fChannel
	fCampaign
	fHost
	fSpend
	fPeriodStart
	fPeriodEnd
	fAvailable
	fReserved
	fStockVersion
	fTS
	// inSDK
	fSDKName
	fSDKVersion
	// inDevice
	fDeviceOS
	fDeviceModel
	fDeviceApp
	fDeviceNetwork
	// inGeo
	fGeoCountry
	fGeoProvince
	// inExperiment
	fExpID
	fExpVariant
	// inTouch
	fTouchChannel
	fTouchCampaign
	fTouchAd
	fTouchCreative
	fTouchClick
	fTouchKind
	// inItem
	fItemLine
	fItemSKU
	fItemQty
	fItemUnit
	fItemPaid
	// inRefund
	fRefundID
	fRefundLine
	fRefundMinor
	fRefundReason
	numFields
)

// scopeStart bounds the fields of each scope.
var scopeStart = [numScopes + 1]fieldID{fType, fSDKName, fDeviceOS, fGeoCountry, fExpID, fTouchChannel, fItemLine, fRefundID, numFields}

// fieldPaths are the paths that verdicts name: with dots, without indices.
var fieldPaths = [numFields]string{
	fType:          "type",
	fSchemaVersion: "schema_version",
	fEventID:       "event_id",
	fPlatform:      "platform",
	fClientTS:      "client_ts",
	fSentTS:        "sent_ts",
	fInstance:      "sdk_instance_id",
	fSeq:           "seq",
	fRoom:          "room_id",
	fSession:       "live_session_id",
	fView:          "view_id",
	fUser:          "user_id",
	fAnon:          "anon_id",
	fSDK:           "sdk",
	fDevice:        "device",
	fGeo:           "geo",
	fConsent:       "consent",
	fExperiment:    "experiment",
	fAction:        "action",
	fEntrySource:   "entry_source",
	fTouch:         "touch",
	fShare:         "share_id",
	fWatchMS:       "watch_ms_delta",
	fForeground:    "foreground",
	fKind:          "kind",
	fCount:         "count",
	fSKU:           "sku_id",
	fGiftMinor:     "gift_value_minor",
	fCurrency:      "currency",
	fRating:        "rating",
	fCommentText:   "comment_text",
	fCommentLen:    "comment_len",
	fOrderID:       "order_id",
	fOrderVersion:  "order_version",
	fState:         "state",
	fBuyer:         "buyer_id",
	fGoods:         "goods_minor",
	fDiscount:      "discount_minor",
	fSubsidy:       "platform_subsidy_minor",
	fShipping:      "shipping_minor",
	fTax:           "tax_minor",
	fPaid:          "paid_minor",
	fItems:         "items",
	fRefund:        "refund",
	fClick:         "click_id",
	fPresale:       "is_presale",
	fCostID:        "cost_id",
	fCostVersion:   "cost_version",
	fChannel:       "channel",
	fCampaign:      "campaign_id",
	fHost:          "host_id",
	fSpend:         "spend_minor",
	fPeriodStart:   "period_start",
	fPeriodEnd:     "period_end",
	fAvailable:     "available",
	fReserved:      "reserved",
	fStockVersion:  "stock_version",
	fTS:            "ts",
	fSDKName:       "sdk.name",
	fSDKVersion:    "sdk.version",
	fDeviceOS:      "device.os",
	fDeviceModel:   "device.model",
	fDeviceApp:     "device.app_version",
	fDeviceNetwork: "device.network",
	fGeoCountry:    "geo.country",
	fGeoProvince:   "geo.province",
	fExpID:         "experiment.id",
	fExpVariant:    "experiment.variant",
	fTouchChannel:  "touch.channel",
	fTouchCampaign: "touch.campaign_id",
	fTouchAd:       "touch.ad_id",
	fTouchCreative: "touch.creative_id",
	fTouchClick:    "touch.click_id",
	fTouchKind:     "touch.kind",
	fItemLine:      "items.line_id",
	fItemSKU:       "items.sku_id",
	fItemQty:       "items.qty",
	fItemUnit:      "items.unit_minor",
	fItemPaid:      "items.paid_minor",
	fRefundID:      "refund.refund_id",
	fRefundLine:    "refund.line_id",
	fRefundMinor:   "refund.minor",
	fRefundReason:  "refund.reason",
}

// scopeNames find a field by the name of a member.
var scopeNames = func() (names [numScopes]map[string]fieldID) {
	for s := range names {
		names[s] = map[string]fieldID{}
		for f := scopeStart[s]; f < scopeStart[s+1]; f++ {
			names[s][fieldPaths[f][len(scopePrefix[s]):]] = f
		}
	}
	return names
}()

var scopePrefix = [numScopes]string{"", "sdk.", "device.", "geo.", "experiment.", "touch.", "items.", "refund."}

// noField stands for a name that is not known in its scope.
const noField fieldID = 255

func fieldScope(f fieldID) (s scope) {
	for f >= scopeStart[s+1] {
		s++
	}
	return s
}

// fieldName is the last part of the path.
func fieldName(f fieldID) string { return fieldPaths[f][len(scopePrefix[fieldScope(f)]):] }

var (
	costKindNames  = [...]string{"ads", "slot_fee", "commission", "other"} // indexed by CostKind
	touchKindNames = [...]string{"click", "valid_view", "view"}            // indexed by TouchKind-TouchClick
)

// Ranges of contract.md that are written in numbers there.
const (
	maxWatchMS = 120_000
	maxCount   = 1000
	maxRating  = 5
)
