package audit

import (
	"fmt"
	"reflect"
	"testing"
)

// TestBalance: what is under way is no difference, a record that is dated a little ahead neither, and what is wrong is found in its own minute.
func TestBalance(t *testing.T) {
	busy := func(n int32) tally { return tally{records: n, early: n / 10} }
	for _, c := range []struct {
		what     string
		kafka    []tally
		outcomes []int64
		first    int
		want     []surprise
		moved    int64
	}{
		{what: "equal", kafka: []tally{busy(100), busy(0), busy(7)}, outcomes: []int64{100, 0, 7}},
		{what: "a minute is gone", kafka: []tally{busy(100), busy(50), busy(100)}, outcomes: []int64{100, 0, 100}, want: []surprise{{1, 50, 50, 0}}},
		{what: "counted twice", kafka: []tally{busy(100), busy(100), busy(100)}, outcomes: []int64{100, 103, 100}, want: []surprise{{1, 100, 100, 103}}},
		{what: "in the last minute", kafka: []tally{busy(100), busy(100)}, outcomes: []int64{100, 103}, want: []surprise{{1, 100, 100, 103}}},
		{what: "under way", kafka: []tally{{records: 10, unsure: 3}, {records: 10, unsure: 3}, {records: 10, unsure: 3}}, outcomes: []int64{7, 10, 6}, want: []surprise{{2, 7, 10, 6}}},
		{what: "what Kafka has lost is not compared", kafka: []tally{busy(0), busy(3), busy(9)}, outcomes: []int64{5, 6, 9}, first: 2},
		{what: "dated ahead", kafka: []tally{busy(100), busy(100), busy(100)}, outcomes: []int64{104, 96, 100}, moved: 4},
		{what: "clocks that differ all the time", kafka: []tally{busy(100), busy(100), busy(100), busy(100)}, outcomes: []int64{104, 102, 94, 101}, moved: 10, want: []surprise{{3, 100, 100, 101}}},
		{what: "too many for that", kafka: []tally{busy(100), busy(100)}, outcomes: []int64{111, 89}, want: []surprise{{0, 100, 100, 111}, {1, 100, 100, 89}}},
		{what: "missing first is another thing", kafka: []tally{busy(100), busy(100)}, outcomes: []int64{96, 104}, want: []surprise{{0, 100, 100, 96}, {1, 100, 100, 104}}},
		{what: "more is missing than came early", kafka: []tally{busy(100), busy(100)}, outcomes: []int64{104, 50}, want: []surprise{{0, 100, 100, 104}, {1, 100, 100, 50}}},
	} {
		got, moved := balance(c.kafka, c.outcomes, c.first, len(c.kafka))
		if !reflect.DeepEqual(got, c.want) || moved != c.moved {
			t.Errorf("%s: %v and %d moved, want %v and %d", c.what, got, moved, c.want, c.moved)
		}
	}
}

// TestFirstCompared: of a partition whose head Kafka has lost, or that another topic of its name had before, the minutes up to its first record are left out.
func TestFirstCompared(t *testing.T) {
	a := &audit{period: newPeriod(600_000, 600_000+10*minuteMS)}
	at := a.period.at
	for _, c := range []struct {
		what     string
		p        partition
		outcomes map[int]int64
		want     int
	}{
		{"earlier records are there", partition{start: 5, from: 8, begins: at(2)}, map[int]int64{0: 1}, 0},
		{"the first record is older than the period", partition{start: 5, from: 5, begins: at(0) - 1}, nil, 0},
		{"nothing ever came before", partition{begins: at(2)}, nil, 0},
		{"retention", partition{start: 5, from: 5, begins: at(2)}, nil, 3},
		{"retention has taken all", partition{start: 5, from: 5, begins: -1}, nil, 10},
		{"a topic of this name was deleted", partition{begins: at(2)}, map[int]int64{1: 1}, 3},
		{"and nothing has come into this one", partition{begins: -1}, map[int]int64{1: 1}, 10},
		{"nothing at all", partition{begins: -1}, nil, 0},
		{"what is left came after the period", partition{start: 5, from: 5, begins: at(12)}, nil, 10},
	} {
		c.p.outcomes = make([]int64, a.period.minutes())
		for i, n := range c.outcomes {
			c.p.outcomes[i] = n
		}
		if got := a.firstCompared(&c.p); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
}

// TestRoomless: cost events count in no room where none of their copies names one; what retention has taken makes the number uncertain.
func TestRoomless(t *testing.T) {
	c := newCosts()
	for _, v := range []string{cost("1", 1, "r"), cost("1", 1, "r"), cost("2", 1, ""), cost("2", 2, ""), cost("3", 1, "r"), cost("3", 1, ""), "no json"} {
		c.add([]byte(v))
	}
	if least, most := c.roomless(4); least != 2 || most != 3 {
		t.Errorf("%d to %d of 4, want 2 to 3", least, most)
	}
	if least, most := c.roomless(6); least != 0 || most != 6 {
		t.Errorf("%d to %d of 6, of which two are not in Kafka: want 0 to 6", least, most)
	}
}

func cost(id string, version int, room string) string {
	name := ""
	if room != "" {
		name = fmt.Sprintf(`,"room_id":%q`, room)
	}
	return fmt.Sprintf(`{"event_id":"e","schema_version":"1-0-0","type":"cost","platform":"p","sdk_instance_id":"i","seq":1,"client_ts":1,"sent_ts":1,"cost_id":%q,"cost_version":%d,`+
		`"channel":"c","kind":"ads","spend_minor":1,"currency":"CNY","period_start":1,"period_end":2%s}`, id, version, name)
}
