package event

// Sequence is which number of which SDK instance a record has.
type Sequence struct {
	Platform, UserID, AnonID string // at least one of the ids; the viewer is as for an event
	Instance                 string
	Seq                      int64
	SDKName, SDKVersion      string
}

// Rejected says which number of an instance the record has that Decode has just rejected, as far as it can be read: the number was received, whatever
// else is wrong. It is one of viewer and interaction events alone, whatever their topic.
func (d *Decoder) Rejected(v Verdict) (q Sequence, ok bool) {
	if v.Reason < MissingField { // ReasonNone too: not read to its end
		return q, false
	}
	s := &d.strict
	if t := indexOf(TypeNames[:], s.lenient(fType)); t != int(TypeViewer) && t != int(TypeInteraction) {
		return q, false
	}
	q = Sequence{Platform: s.lenient(fPlatform), UserID: s.lenient(fUser), AnonID: s.lenient(fAnon), Instance: s.lenient(fInstance)}
	if n := s.raw[fSeq]; n != nil && (n[0] == '-' || isDigit(n[0])) {
		q.Seq, _ = parseInt(n)
	}
	if q.Platform == "" || q.UserID == "" && q.AnonID == "" || q.Instance == "" || q.Seq < 1 {
		return q, false
	}
	if sdk := s.raw[fSDK]; sdk != nil && sdk[0] == '{' {
		s.collect(inSDK, sdk)
		q.SDKName, q.SDKVersion = s.lenient(fSDKName), s.lenient(fSDKVersion)
	}
	return q, true
}

// lenient is a member that is a valid id, else "".
func (s *strict) lenient(f fieldID) string {
	v := s.raw[f]
	if v == nil || v[0] != '"' {
		return ""
	}
	return idOrNone(unquote(v))
}
