package change

import (
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/wire"
)

// PackOrder writes an order's row, without its version: a record's is its offset. The rows stand so in events.enriched and in the aggregator's state.
func PackOrder(w *wire.Writer, o *rollup.Order) {
	w.String(o.Platform)
	w.Raw(o.OrderID)
	w.Raw(string(o.Buyer[:]))
	for _, t := range [4]string{o.State, o.Room, o.Session, o.Currency} {
		w.String(t)
	}
	for _, n := range [7]int64{o.OrderVersion, o.PaidMinor, o.RefundMinor, o.CreatedTS, o.PaidTS, o.EventTS, o.Updated} {
		w.Int(n)
	}
}

// UnpackOrder reads what PackOrder wrote.
func UnpackOrder(r *wire.Reader) (o rollup.Order) {
	o.Platform, o.OrderID = r.String(), r.Raw()
	copy(o.Buyer[:], r.Raw())
	o.State, o.Room, o.Session, o.Currency = r.String(), r.String(), r.String(), r.String()
	for _, n := range [7]*int64{&o.OrderVersion, &o.PaidMinor, &o.RefundMinor, &o.CreatedTS, &o.PaidTS, &o.EventTS, &o.Updated} {
		*n = r.Int()
	}
	return o
}
