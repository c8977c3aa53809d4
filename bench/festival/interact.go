package festival

// Kinds of interaction, in the order of kindNames.
const (
	like = iota
	comment
	share
	follow
	gift
	fanClub
	cartView
	productClick
	favorite
	coupon
	poll
	report
	exposure
	rating
)

var kindNames = [...]string{"like", "comment", "share", "follow", "gift", "fan_club_join", "cart_view", "product_click", "favorite",
	"coupon_claim", "poll_or_lottery", "dislike_or_report", "product_exposure", "rating"}

// kindShares of a hundred interactions. A product click may start an order.
var kindShares = [...]int{30, 11, 3, 3, 4, 1, 5, 14, 2, 3, 2, 1, 19, 2}

var kindTable = func() (t [100]uint8) {
	i := 0
	for k, n := range kindShares {
		for range n {
			t[i] = uint8(k)
			i++
		}
	}
	return t
}()

func (f *Festival) chooseKind(s *stay) uint8 {
	if s.bot {
		return like
	}
	return kindTable[f.rnd.below(100)]
}

// orderShare of product clicks start an order, so that order events come to 2 % of all.
const orderShare = 0.24

func (f *Festival) interaction(buf []byte, a action) Record {
	s := &f.stays[a.stay]
	rm := &f.rooms[s.room]
	start := len(buf)
	b := appendKey(buf, rm.platform, s.person, s.loggedIn)
	key := len(b)
	b = f.head(b, s, "interaction")
	b = append(append(b, `,"kind":"`...), kindNames[a.kind]...)
	b = append(b, '"')
	product := f.rnd.below(rm.products)
	switch a.kind {
	case like:
		count := f.rnd.between(1, 12)
		if s.bot {
			count = 1000
		}
		b = appendField(b, `,"count":`, count)
	case comment:
		b = append(b, `,"comment_len":9,"comment_text":"好看 \"666\" 😀"`...)
	case share:
		b = append(appendHex(append(b, `,"share_id":"sh_`...), f.rnd.next(), 8), '"')
	case gift:
		b = appendField(b, `,"gift_value_minor":`, f.rnd.between(1, 100)*100)
		b = append(append(b, `,"currency":"`...), rm.currency...)
		b = append(b, '"')
		if f.rnd.chance(0.3) {
			b = appendField(b, `,"count":`, f.rnd.between(1, 5))
		}
	case productClick, favorite, exposure:
		b = f.appendSKU(b, s.room, product)
		if a.kind == productClick && s.loggedIn && f.rnd.chance(orderShare) {
			f.startOrder(s, product)
		}
	case rating:
		b = appendField(b, `,"rating":`, f.rnd.between(1, 5))
	}
	if a.kind != productClick && a.kind != favorite && a.kind != exposure && f.rnd.chance(0.08) {
		b = f.appendSKU(b, s.room, product) // said of, or given for, a product
	}
	return f.finish(topicInteraction, append(b, '}'), start, key)
}

func (f *Festival) appendSKU(b []byte, room uint32, product int) []byte {
	b = appendField(b, `,"sku_id":"sku_`, int64(room))
	b = appendField(b, "_", int64(product))
	return append(b, '"')
}
