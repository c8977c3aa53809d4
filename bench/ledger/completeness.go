package ledger

import (
	"maps"
	"slices"
)

// CompletenessKey is a line of the table completeness. Minute is that of receive time, in ms.
type CompletenessKey struct {
	Platform, Kind, SDKName, SDKVersion string
	Minute                              int64
}

// Numbers are how many numbers were to be received, and were. How many of them came late is the log's to say: it depends on how its topics were read.
type Numbers struct{ Expected, Received int64 }

// rejected is what a record that is invalid and can be read says of the numbers of an instance.
func rejected(v *value, recv int64) (*event, owner) {
	text := func(v *value, name string) string {
		if x := v.get(name); x != nil && x.kind == 's' && validID(x.text) {
			return x.text
		}
		return ""
	}
	e := &event{typ: "rejected", recv: recv, instance: text(v, "sdk_instance_id"), place: place{platform: text(v, "platform")}}
	who := owner{"user", e.place.platform, text(v, "user_id")}
	if who.id == "" {
		who.kind, who.id = "anon", text(v, "anon_id")
	}
	if n := v.get("seq"); n != nil && n.kind == 'n' {
		e.number, _ = integer(n.text)
	}
	typ := text(v, "type")
	if typ != "viewer" && typ != "interaction" || e.instance == "" || who.platform == "" || who.id == "" || e.number < 1 {
		return nil, owner{}
	}
	if sdk := v.get("sdk"); sdk != nil && sdk.kind == 'o' {
		e.sdk = [2]string{text(sdk, "name"), text(sdk, "version")}
	}
	return e, who
}

// sdk is what a valid event says of it: what is no id is left out.
func (r reader) sdk() (out [2]string) {
	sdk := r.v.get("sdk")
	if sdk == nil {
		return out
	}
	for i, name := range [2]string{"name", "version"} {
		if x := sdk.get(name); x != nil && x.kind == 's' && validID(x.text) {
			out[i] = x.text
		}
	}
	return out
}

// sequence is what is numbered together, of one owner: an instance, an order, a cost, a stock level.
type sequence struct{ kind, id string }

// sequences are the numbers received, each with its first record.
type sequences map[sequence]map[int64]*event

const maxNumber = 1<<32 - 1 // numbers above it are not followed

func (s sequences) see(e *event) {
	k := sequence{"seq", e.instance}
	switch e.typ {
	case "order", "cost", "stock":
		k.kind = e.typ
	}
	if e.number < 1 || e.number > maxNumber {
		return
	}
	if s[k] == nil {
		s[k] = map[int64]*event{}
	}
	if s[k][e.number] == nil {
		s[k][e.number] = e
	}
}

// complete counts what each number answers for: itself and what is missing below it.
func (a *account) complete(all sequences) {
	for k, numbers := range all {
		below := int64(0)
		for _, n := range slices.Sorted(maps.Keys(numbers)) {
			e := numbers[n]
			answers := n - below
			switch {
			case below == 0 && (n > 64 || k.kind == "cost" || k.kind == "stock"): // it began before what is known of it
				answers = 1
			case answers > 10_000: // no loss, but other rules of numbering
				answers = 1
			}
			below = n
			line := CompletenessKey{Platform: e.place.platform, Kind: k.kind, Minute: e.recv - e.recv%60_000}
			if k.kind == "seq" {
				line.SDKName, line.SDKVersion = e.sdk[0], e.sdk[1]
			}
			had := a.numbers[line]
			a.numbers[line] = Numbers{had.Expected + answers, had.Received + 1}
		}
	}
}
