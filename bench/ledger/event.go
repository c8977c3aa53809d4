package ledger

import "strconv"

// event is one valid record with what the measures need of it. Strings are interned per shard: they do not hold on to the record.
type event struct {
	typ      string // viewer, interaction, order, cost, stock; rejected has a number and nothing else
	sub      string // action, kind, state
	id       string // event_id; of cost and stock their natural key
	recv, ts int64
	place    place
	exps     []experiment // identical pairs once

	// viewer and interaction
	view       string
	source     string
	campaign   string
	click      string // of an enter's touch, or of an order
	background bool
	watch      int64
	count      int64
	sku        string
	gift       int64
	rating     int64

	currency string // gift or order
	order    *orderBody
	instance string // of seq: the SDK instance; the order, cost or stock level that version counts
	number   int64
	sdk      [2]string
	topic    uint32 // index into the ledger's topics
	part     int32
}

type experiment struct{ id, variant string }

// place is where an event counts: platform, room and live session.
type place struct{ platform, room, session string }

type orderBody struct {
	id                    string
	version               int64
	goods, discount, paid int64
	items                 []item
	refundID, refundLine  string
	refund                int64
}

type item struct {
	line, sku string
	qty, paid int64
}

// owner is whose events belong together: nothing that is counted looks beyond it. A user id and an equal anon id are two viewers.
type owner struct{ kind, platform, id string }

const (
	clampMS   = 7 * 24 * 3600 * 1000
	maxRecord = 32 << 10
)

// eventTime is the contract's repair of the client's clock.
func eventTime(recv, sent, client int64) int64 {
	return max(recv-max(0, sent-client), recv-clampMS)
}

// integer parses an int64 literal; 5000.0, 5e3 and 10^40 are not integers.
func integer(literal string) (int64, bool) {
	n, err := strconv.ParseInt(literal, 10, 64)
	return n, err == nil
}
