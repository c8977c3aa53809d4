package event

// The two paths and the grammar by themselves, for the tests that compare them.

func (d *Decoder) Fast(t Topic, raw []byte, ev *Event) bool { return d.fast.decode(t, raw, ev) }

func (d *Decoder) Strict(t Topic, raw []byte, ev *Event) Verdict { return d.strict.decode(t, raw, ev) }

func Grammar(raw []byte) Reason {
	_, reason := scanRecord(raw)
	return reason
}

// Members are the known top-level members as the strict decoder reads them; strings are unquoted, null is absent.
func Members(raw []byte) map[string]string {
	object, _ := scanRecord(raw)
	var m members
	m.collect(inRecord, object)
	got := map[string]string{}
	for name, f := range scopeNames[inRecord] {
		switch v := m.raw[f]; {
		case v == nil:
		case v[0] == '"':
			got[name] = unquote(v)
		default:
			got[name] = string(v)
		}
	}
	return got
}

// KnownName tells whether the contract has a top-level field of this name.
func KnownName(name string) bool {
	_, known := scopeNames[inRecord][name]
	return known
}
