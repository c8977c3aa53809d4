package event

// strict is the reference decoder: contract.md, Outcomes, rule by rule in its order. Where several fields are wrong, the class of the
// wrong comes first (missing, type, enum, value), then the order in which contract.md lists the fields, then, inside a list, the
// element from the left.
type strict struct {
	members
	wrong [numClasses]string // first path of each class
}

func (s *strict) decode(topic Topic, raw []byte, ev *Event) Verdict {
	reset(ev)
	// 1. too_large: the record's value, white space included.
	if len(raw) > MaxRecordBytes {
		return Verdict{TooLarge, ""}
	}
	// 2. too_deep, not_json, trailing_bytes.
	object, reason := scanRecord(raw)
	if reason != ReasonNone {
		return Verdict{reason, ""}
	}
	s.collect(inRecord, object)
	// 3. type, 4. wrong_topic, 5. schema_version.
	if v := s.head(topic, ev); v.Reason != ReasonNone {
		return v
	}
	// 6. all other fields.
	s.wrong = [numClasses]string{}
	s.envelope(ev)
	switch ev.Type {
	case TypeViewer:
		s.viewer(ev)
	case TypeInteraction:
		s.interaction(ev)
	case TypeOrder:
		s.order(ev)
	case TypeCost:
		s.cost(ev)
	case TypeStock:
		s.stock(ev)
	}
	for class, path := range s.wrong {
		if path != "" {
			return Verdict{classReasons[class], path}
		}
	}
	// 7. money_mismatch.
	if ev.Type == TypeOrder && ev.State == Paid && itemsPaid(ev.Items) != ev.PaidMinor {
		return Verdict{MoneyMismatch, fieldPaths[fPaid]}
	}
	return Verdict{}
}

// head settles the type and the version, which decide how the rest is read.
func (s *strict) head(topic Topic, ev *Event) Verdict {
	name, reason := s.headString(fType)
	if reason != ReasonNone {
		return Verdict{reason, fieldPaths[fType]}
	}
	t := indexOf(TypeNames[:], name)
	if t < 0 {
		return Verdict{UnknownType, fieldPaths[fType]}
	}
	ev.Type = Type(t)
	if topic != anyTopic && ev.Type.Topic() != topic {
		return Verdict{WrongTopic, fieldPaths[fType]}
	}
	version, reason := s.headString(fSchemaVersion)
	if reason == ReasonNone && !supportedVersion(version) {
		reason = UnsupportedVersion
	}
	if reason != ReasonNone {
		return Verdict{reason, fieldPaths[fSchemaVersion]}
	}
	return Verdict{}
}

func (s *strict) headString(f fieldID) (string, Reason) {
	switch v := s.raw[f]; {
	case v == nil:
		return "", MissingField
	case v[0] != '"':
		return "", BadType
	default:
		return unquote(v), ReasonNone
	}
}

// supportedVersion is 1-x-y with x and y of one or more digits.
func supportedVersion(v string) bool {
	if len(v) < 5 || v[:2] != "1-" {
		return false
	}
	dashes, digits := 0, 0
	for i := 2; i < len(v); i++ {
		switch {
		case isDigit(v[i]):
			digits++
		case v[i] == '-' && digits > 0:
			dashes, digits = dashes+1, 0
		default:
			return false
		}
	}
	return dashes == 1 && digits > 0
}
