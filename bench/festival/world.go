package festival

import (
	"fmt"
	"time"
)

// room is what is fixed about a room. Its texts are kept as they stand in JSON.
type room struct {
	id, session string
	platform    uint8
	products    int
	currency    string
}

var (
	platforms  = [...]string{"douyin", "kuaishou", "taobao"}
	sources    = [...]string{"feed", "feed", "feed", "follow", "follow", "search", "short_video", "paid", "paid", "share", "mall", "private_domain"}
	channels   = [...]string{"feed_ads", "search_ads", "short_video", "kol"}
	devices    = [...]string{`{"os":"ios","model":"iPhone17,1","app_version":"33.1","network":"5g"}`, `{"os":"android","model":"M2102K1C","app_version":"33.0","network":"wifi"}`, `{"os":"android","model":"ALN-AL00","app_version":"32.9","network":"4g"}`, `{"os":"web","model":"Chrome 148","network":"wifi"}`}
	provinces  = [...]string{"Zhejiang", "Guangdong", "Jiangsu", "Sichuan", "Shandong", "北京", "上海"}
	currencies = [...]string{"USD", "JPY", "EUR", "SGD"}
)

func newRooms(n int, start time.Time) []room {
	rooms := make([]room, n)
	day := start.UTC().Format("20060102")
	for i := range rooms {
		h := mix(uint64(i) + 77)
		r := room{id: fmt.Sprintf("r_%05d", i), session: fmt.Sprintf("ls_%05d_%s", i, day), products: 5 + int(h%36), currency: "CNY"}
		switch p := h >> 8 % 100; {
		case p >= 85:
			r.platform = 2
		case p >= 60:
			r.platform = 1
		}
		if h>>20%100 < 3 {
			r.currency = currencies[h>>32%uint64(len(currencies))]
		}
		rooms[i] = r
	}
	return rooms
}

// person is a viewer across visits: one SDK instance at a time.
type person struct {
	seq      uint32 // of the instance
	instance uint16
	platform uint8
	flags    uint8
}

const (
	online uint8 = 1 << iota
	member       // logged in: has a user_id
	known        // has been here before
)

// stay is one visit to a room.
type stay struct {
	person   uint32
	room     uint32
	view     uint64
	click    uint64 // of the enter's touch, 0 without one
	leaveAt  int64
	lastBeat int64
	plan     uint8 // exact watch times: index into plans, 0 for none
	beats    uint8
	bot      bool
	loggedIn bool // this stay goes by the user_id
	wasAnon  bool // logged in during this stay: events carry both ids
}

// plans are stays whose watch time ends exactly at or beside a threshold of the contract: beats of delta ms.
var plans = [...]struct {
	delta int64
	beats uint8
}{{}, {5_000, 2}, {5_000, 12}, {9_999, 1}, {10_000, 1}, {10_001, 1}, {60_000, 1}, {60_001, 1}, {60_000, 5}, {59_999, 5}, {100_000, 3}}

const (
	botRoom      = 3
	clockOffHour = 3_600_000
)

// clockOffset is how wrong a person's clock is: one in a thousand is hours off.
func clockOffset(p uint32) int64 {
	h := mix(uint64(p) ^ 0xC10C)
	if h%1000 != 0 {
		return 0
	}
	return (int64(h>>20%61) - 30) * clockOffHour
}

// experiments of a person: two in five are in one, one in ten in two. One in a hundred has an SDK that sends its entry twice.
func appendExperiments(b []byte, p uint32) []byte {
	h := mix(uint64(p)^0xE49) % 200
	if h >= 80 {
		return b
	}
	b = append(b, `,"experiment":[{"id":"exp_banner","variant":"`...)
	b = append(b, "AB"[h%2], '"', '}')
	if h < 2 {
		b = append(b, `,{"id":"exp_banner","variant":"`...)
		b = append(b, "AB"[h%2], '"', '}')
	}
	if h < 20 {
		b = append(b, `,{"id":"exp_price","variant":"`...)
		b = append(b, "XYZ"[h%3], '"', '}')
	}
	return append(b, ']')
}
