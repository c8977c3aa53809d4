package festival

import (
	"time"
)

// Record is one Kafka record. Key is nil where the producer would not know it.
type Record struct {
	Topic      string
	Key, Value []byte
	Timestamp  int64 // receive time, ms
}

// Festival generates records one after the other. It is not safe for concurrent use.
type Festival struct {
	cfg    Config
	rnd    source
	run    uint64 // goes into order ids
	topics []string
	zipf   alias
	rooms  []room
	people []person
	stays  []stay
	free   []uint32
	orders orderBook
	wheel  *wheel
	queue  []action // what follows at once on the record before
	wait   mailbox  // records that are sent later or again
	made   int64
	now    int64
	burst  burst
	seqs   [4]int64 // of the order servers
	docs   int64    // version of the newest cost or stock document
	draft  draft
}

// action is a record that belongs to a stay and comes at once.
type action struct {
	stay uint32
	kind uint8
}

// burst is a rush to a room: a product is pinned or a promotion starts.
type burst struct {
	room  uint32
	until int64
	next  int64
}

// New makes a festival.
func New(c Config) (*Festival, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	start := c.Start
	if start.IsZero() {
		start = time.Now()
	}
	// On the wall clock no two runs share ids, whatever the seed: they may go to one Kafka within minutes.
	run := mix(c.Seed+1) ^ mix(uint64(start.UnixMilli()))
	if !c.Start.IsZero() {
		run = mix(c.Seed + 1)
	}
	f := &Festival{cfg: c, run: run, rnd: source(run), docs: start.UnixMilli(), topics: Topics(c.Prefix), zipf: newZipf(c.Rooms, 1.1), rooms: newRooms(c.Rooms, start),
		people: make([]person, c.Viewers), now: start.UnixMilli()}
	f.wheel = newWheel(f.now)
	f.burst.next = f.now + 5_000
	return f, nil
}

// Now is the clock of the festival, ms: the receive time of the last record.
func (f *Festival) Now() int64 { return f.now }

func (f *Festival) tick() {
	if f.cfg.Start.IsZero() {
		f.now = max(f.now, time.Now().UnixMilli())
	} else {
		f.now = f.cfg.Start.UnixMilli() + int64(float64(f.made)*1000/f.cfg.Rate)
	}
	f.made++
}

// Next generates one record. Key and value are appended to buf, in this order, and alias it where its capacity suffices (40 KiB always do).
func (f *Festival) Next(buf []byte) Record {
	f.tick()
	for {
		r, ok := f.step(buf)
		if !ok {
			continue
		}
		if !f.cfg.Faults {
			return r
		}
		if r, ok = f.disturb(r); ok {
			return r
		}
	}
}

// step does the next thing there is to do. Not all of them send a record: a lost leave does not.
func (f *Festival) step(buf []byte) (Record, bool) {
	f.draft = draft{}
	if n := len(f.queue); n > 0 {
		a := f.queue[n-1]
		f.queue = f.queue[:n-1]
		return f.interaction(buf, a), true
	}
	if f.rnd.below(1000) == 0 {
		return f.costOrStock(buf), true
	}
	it, ok := f.wheel.pop(f.now)
	if !ok {
		if r, ok := f.arrive(buf); ok {
			return r, true
		}
		if it, ok = f.wheel.popNext(); !ok {
			return Record{}, false
		}
	}
	switch it.task {
	case taskOrder:
		return f.orderStep(buf, it), true
	case taskSend:
		return f.resend(buf, it.ref)
	}
	return f.beat(buf, it.ref)
}

// arrive lets somebody who is not here enter a room.
func (f *Festival) arrive(buf []byte) (Record, bool) {
	p := uint32(0)
	for tries := 0; ; tries++ {
		p = uint32(f.rnd.below(len(f.people)))
		if f.people[p].flags&online == 0 {
			break
		}
		if tries == 32 {
			return Record{}, false
		}
	}
	s := stay{person: p, room: f.chooseRoom(), view: f.rnd.next(), lastBeat: f.now}
	f.dwell(&s)
	f.login(&s)
	id := f.keep(s)
	f.wheel.push(item{due: f.nextBeat(&f.stays[id]), ref: id, task: taskStay})
	return f.enter(buf, id), true
}

func (f *Festival) chooseRoom() uint32 {
	if f.cfg.NoRush {
		return uint32(f.zipf.draw(&f.rnd))
	}
	if f.now >= f.burst.next {
		f.burst.room = uint32(f.rnd.below(min(200, len(f.rooms))))
		f.burst.until = f.now + f.rnd.between(5_000, 30_000)
		f.burst.next = f.burst.until + f.rnd.between(5_000, 40_000)
	}
	if f.now < f.burst.until && f.rnd.chance(0.3) {
		return f.burst.room
	}
	if f.rnd.chance(0.005) {
		return botRoom
	}
	return uint32(f.zipf.draw(&f.rnd))
}

// dwell decides how long the stay lasts: a mixture of those who look in, those who watch, and those who remain.
func (f *Festival) dwell(s *stay) {
	s.bot = !f.cfg.NoRush && s.room == botRoom && f.rnd.chance(0.8)
	if f.rnd.chance(0.03) {
		s.plan = uint8(1 + f.rnd.below(len(plans)-1))
	}
	ms := 0.0
	switch x := f.rnd.float(); {
	case x < 0.30:
		ms = f.rnd.logNormal(5_000, 0.6)
	case x < 0.85:
		ms = f.rnd.logNormal(60_000, 0.9)
	default:
		ms = f.rnd.logNormal(400_000, 0.6)
	}
	s.leaveAt = f.now + int64(min(ms, 4*3_600_000))
}

// login settles under which identity and SDK instance the person comes.
func (f *Festival) login(s *stay) {
	p := &f.people[s.person]
	platform := f.rooms[s.room].platform
	anonymous := mix(uint64(s.person)^0xA)%10 >= 7
	was := p.flags & member
	switch {
	case !anonymous:
		p.flags |= member
	case was != 0 && f.rnd.chance(0.5):
		p.flags &^= member
	}
	if p.flags&known == 0 || p.platform != platform || p.flags&member != was || f.rnd.chance(0.2) {
		p.instance++
		p.seq = 0
	}
	p.platform = platform
	p.flags |= known | online
	s.loggedIn = p.flags&member != 0
}

func (f *Festival) keep(s stay) uint32 {
	if n := len(f.free); n > 0 {
		id := f.free[n-1]
		f.free = f.free[:n-1]
		f.stays[id] = s
		return id
	}
	f.stays = append(f.stays, s)
	return uint32(len(f.stays) - 1)
}

func (f *Festival) nextBeat(s *stay) int64 {
	if s.plan != 0 {
		return f.now + min(plans[s.plan].delta, 5_000)
	}
	return min(f.now+f.rnd.between(5_000, 10_000), s.leaveAt)
}

// beat is a stay's next step: a heartbeat, something that goes wrong, or the end.
func (f *Festival) beat(buf []byte, id uint32) (Record, bool) {
	s := &f.stays[id]
	delta := min(f.now-s.lastBeat, 120_000)
	if s.plan != 0 {
		delta = plans[s.plan].delta
		if s.beats == plans[s.plan].beats {
			return f.leave(buf, id, 0)
		}
		s.beats++
	} else if f.now >= s.leaveAt {
		return f.leave(buf, id, delta)
	}
	s.lastBeat = f.now
	f.wheel.push(item{due: f.nextBeat(s), ref: id, task: taskStay})
	if !s.loggedIn && f.rnd.chance(0.02) {
		f.logInDuring(s)
	}
	f.follow(id)
	switch x := f.rnd.below(200); {
	case x == 0:
		return f.viewer(buf, id, "play_error", -1), true
	case x == 1:
		return f.viewer(buf, id, "quality", -1), true
	case x == 2 && s.plan == 0:
		delta = f.rnd.between(20_000, 120_000) // what had piled up while the network was gone
	}
	return f.viewer(buf, id, "heartbeat", delta), true
}

// logInDuring makes a member of an anonymous viewer inside a view: another viewer, in a new SDK instance.
func (f *Festival) logInDuring(s *stay) {
	p := &f.people[s.person]
	p.flags |= member
	p.instance++
	p.seq = 0
	s.loggedIn, s.wasAnon = true, true
}

func (f *Festival) leave(buf []byte, id uint32, delta int64) (Record, bool) {
	s := &f.stays[id]
	f.people[s.person].flags &^= online
	lost := f.rnd.chance(0.05)
	var r Record
	if lost {
		f.people[s.person].seq++ // the SDK counted it, nobody received it
	} else {
		r = f.viewer(buf, id, "leave", delta)
	}
	f.free = append(f.free, id)
	return r, !lost
}

// follow decides what interactions come with a step of a stay.
func (f *Festival) follow(id uint32) {
	s := &f.stays[id]
	p, most := 0.222, 1
	switch {
	case s.bot:
		p, most = 1, 4
	case f.now < f.burst.until && s.room == f.burst.room:
		p, most = 0.5, 2
	}
	for range most {
		if f.rnd.chance(p) {
			f.queue = append(f.queue, action{id, f.chooseKind(s)})
		}
	}
}
