package festival

import "strconv"

// draft remembers where a record under construction can be changed later.
type draft struct {
	sent int // of the value: where the 13 digits of sent_ts begin
}

const idAt = len(`{"event_id":"`) // of every value: where the 36 bytes of the event_id begin

const hexDigits = "0123456789abcdef"

func appendHex(b []byte, x uint64, digits int) []byte {
	for i := digits - 1; i >= 0; i-- {
		b = append(b, hexDigits[x>>(4*i)&15])
	}
	return b
}

// appendUUID appends a UUIDv7 for a client's clock.
func (f *Festival) appendUUID(b []byte, ms int64) []byte {
	x, y := f.rnd.next(), f.rnd.next()
	b = appendHex(b, uint64(ms)>>16, 8)
	b = append(b, '-')
	b = appendHex(b, uint64(ms), 4)
	b = append(b, '-', '7')
	b = appendHex(b, x, 3)
	b = append(b, '-', "89ab"[x>>12&3])
	b = appendHex(b, x>>16, 3)
	b = append(b, '-')
	return appendHex(b, y, 12)
}

func appendField(b []byte, name string, n int64) []byte {
	b = append(b, name...)
	return strconv.AppendInt(b, n, 10)
}

// appendUser appends the id by which a person is known when logged in.
func appendUser(b []byte, p uint32) []byte {
	return strconv.AppendUint(append(b, "u_"...), uint64(p), 10)
}

func appendAnon(b []byte, p uint32) []byte {
	return appendHex(append(b, "a_"...), mix(uint64(p)^0xA404)>>32, 8)
}

// appendKey appends platform|viewer: all records of a viewer in a topic stand in one partition, in order.
func appendKey(b []byte, platform uint8, p uint32, loggedIn bool) []byte {
	b = append(append(b, platforms[platform]...), '|')
	if loggedIn {
		return appendUser(b, p)
	}
	return appendAnon(b, p)
}

// head appends the envelope of a viewer's event up to its own fields.
func (f *Festival) head(b []byte, s *stay, typ string) []byte {
	p, rm := &f.people[s.person], &f.rooms[s.room]
	p.seq++
	client := f.now - f.rnd.between(20, 250) + clockOffset(s.person)
	sent := client + f.rnd.between(0, 400)
	if f.cfg.Faults && f.rnd.below(2000) == 0 {
		sent = client - f.rnd.between(1, 5_000)
	}
	at := len(b)
	b = append(b, `{"event_id":"`...)
	b = f.appendUUID(b, client)
	b = append(b, `","schema_version":"1-0-0","type":"`...)
	b = append(b, typ...)
	b = append(b, `","platform":"`...)
	b = append(b, platforms[rm.platform]...)
	b = append(b, `","room_id":"`...)
	b = append(b, rm.id...)
	b = append(b, `","live_session_id":"`...)
	b = append(b, rm.session...)
	if s.loggedIn {
		b = appendUser(append(b, `","user_id":"`...), s.person)
	}
	if !s.loggedIn || s.wasAnon {
		b = appendAnon(append(b, `","anon_id":"`...), s.person)
	}
	b = appendHex(append(b, `","view_id":"v_`...), s.view, 12)
	b = append(b, `","sdk_instance_id":"i_`...)
	b = strconv.AppendUint(b, uint64(s.person), 36)
	b = strconv.AppendUint(append(b, '_'), uint64(p.instance), 10)
	b = appendField(b, `","seq":`, int64(p.seq))
	b = appendField(b, `,"sdk":{"name":"web","version":"1.4.0"},"client_ts":`, client)
	b = append(b, `,"sent_ts":`...)
	f.draft.sent = len(b) - at
	b = strconv.AppendInt(b, sent, 10)
	h := mix(uint64(s.person))
	b = append(append(b, `,"device":`...), devices[h%uint64(len(devices))]...)
	b = append(append(b, `,"geo":{"country":"CN","province":"`...), provinces[h>>8%uint64(len(provinces))]...)
	b = append(b, `"},"consent":true`...)
	return appendExperiments(b, s.person)
}

// finish cuts the buffer into key and value.
func (f *Festival) finish(topic int, b []byte, start, key int) Record {
	return Record{Topic: f.topics[topic], Key: b[start:key:key], Value: b[key:], Timestamp: f.now}
}

func (f *Festival) enter(buf []byte, id uint32) Record {
	s := &f.stays[id]
	start := len(buf)
	b := appendKey(buf, f.rooms[s.room].platform, s.person, s.loggedIn)
	key := len(b)
	b = f.head(b, s, "viewer")
	b = append(b, `,"action":"enter"`...)
	if !f.rnd.chance(0.04) {
		source := sources[f.rnd.below(len(sources))]
		b = append(append(b, `,"entry_source":"`...), source...)
		b = append(b, '"')
		b = f.appendTouch(b, s, source)
	}
	if f.rnd.chance(0.5) {
		f.follow(id)
	}
	return f.finish(topicViewer, append(b, '}'), start, key)
}

func (f *Festival) appendTouch(b []byte, s *stay, source string) []byte {
	if source != "paid" && source != "search" && source != "short_video" {
		if source == "share" {
			b = append(appendHex(append(b, `,"share_id":"sh_`...), f.rnd.next(), 8), '"')
		}
		return b
	}
	n := f.rnd.below(100)
	b = append(append(b, `,"touch":{"channel":"`...), channels[n%len(channels)]...)
	b = appendField(b, `","campaign_id":"c_`, int64(n/5))
	b = appendField(b, `","ad_id":"ad_`, int64(n))
	switch {
	case source == "paid":
		s.click = f.rnd.next() | 1
		b = appendHex(append(b, `","click_id":"ck_`...), s.click, 16)
		return append(b, `","kind":"click"}`...)
	case n%2 == 0:
		return append(b, `","kind":"valid_view"}`...)
	}
	return append(b, `","kind":"view"}`...)
}

// viewer appends any viewer event but an enter; watch is −1 where the action has no watch time.
func (f *Festival) viewer(buf []byte, id uint32, action string, watch int64) Record {
	s := &f.stays[id]
	start := len(buf)
	b := appendKey(buf, f.rooms[s.room].platform, s.person, s.loggedIn)
	key := len(b)
	b = f.head(b, s, "viewer")
	b = append(append(b, `,"action":"`...), action...)
	b = append(b, '"')
	if watch > 0 || watch == 0 && f.rnd.chance(0.5) {
		b = appendField(b, `,"watch_ms_delta":`, watch)
	}
	if watch >= 0 {
		switch x := f.rnd.below(20); {
		case x == 0 && s.plan == 0:
			b = append(b, `,"foreground":false`...)
		case x < 18:
			b = append(b, `,"foreground":true`...)
		}
	}
	return f.finish(topicViewer, append(b, '}'), start, key)
}
