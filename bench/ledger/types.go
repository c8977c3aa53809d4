package ledger

import (
	"maps"
	"strings"
)

// fields are the names that the contract gives the fields of an object, with their types. All others are unknown and ignored.
type fields map[string]fieldType

// fieldType is 's' a string, 'n' an int64, 'b' true or false, 'o' an object of fields, 'a' an array of such objects.
type fieldType struct {
	kind byte
	of   fields
}

var envelopeFields = join(
	all('s', "event_id platform room_id live_session_id user_id anon_id view_id sdk_instance_id"),
	all('n', "seq client_ts sent_ts"), all('b', "consent"),
	nested('o', "sdk", all('s', "name version")),
	nested('o', "device", all('s', "os model app_version network")),
	nested('o', "geo", all('s', "country province")),
	nested('a', "experiment", all('s', "id variant")),
)

// fieldsOf has every field of a type, also what no measure uses: the contract asks for the type of each, whatever the action, kind or
// state.
var fieldsOf = map[string]fields{
	"viewer": join(envelopeFields, all('s', "action entry_source share_id"), all('n', "watch_ms_delta"), all('b', "foreground"),
		nested('o', "touch", all('s', "channel campaign_id ad_id creative_id click_id kind"))),
	"interaction": join(envelopeFields, all('s', "kind sku_id currency share_id comment_text"), all('n', "count gift_value_minor rating comment_len")),
	"order": join(envelopeFields, all('s', "order_id state buyer_id currency click_id"), all('b', "is_presale"),
		all('n', "order_version goods_minor discount_minor platform_subsidy_minor shipping_minor tax_minor paid_minor"),
		nested('a', "items", join(all('s', "line_id sku_id"), all('n', "qty unit_minor paid_minor"))),
		nested('o', "refund", join(all('s', "refund_id line_id reason"), all('n', "minor")))),
	"cost": join(envelopeFields, all('s', "cost_id channel campaign_id host_id kind currency"),
		all('n', "cost_version spend_minor period_start period_end")),
	"stock": join(envelopeFields, all('s', "sku_id"), all('n', "available reserved stock_version ts")),
}

func all(kind byte, names string) fields {
	out := fields{}
	for _, name := range strings.Fields(names) {
		out[name] = fieldType{kind: kind}
	}
	return out
}

func nested(kind byte, name string, of fields) fields { return fields{name: {kind, of}} }

func join(parts ...fields) fields {
	out := fields{}
	for _, p := range parts {
		maps.Copy(out, p)
	}
	return out
}

// types notes the fields that are not of their type. Of a name given twice the last counts, and null is absent.
func (r reader) types(known fields) {
	for i := range r.v.kids {
		x := &r.v.kids[i]
		t, ok := known[x.name]
		if !ok || r.v.get(x.name) != x {
			continue
		}
		if !isOf(x, t.kind) {
			r.note(&r.f.badType, x.name)
			continue
		}
		switch t.kind {
		case 'o':
			r.object(x.name, false).types(t.of)
		case 'a':
			for _, entry := range r.list(x.name, false) {
				entry.types(t.of)
			}
		}
	}
}

func isOf(x *value, kind byte) bool {
	switch kind {
	case 'n':
		_, ok := integer(x.text)
		return ok && x.kind == 'n'
	case 'b':
		return x.kind == 't' || x.kind == 'f'
	case 'a':
		for i := range x.kids {
			if x.kids[i].kind != 'o' {
				return false
			}
		}
	}
	return x.kind == kind
}
