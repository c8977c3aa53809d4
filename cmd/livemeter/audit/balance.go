package audit

import "time"

const minuteMS = 60_000

func floorMinute(ms int64) int64 { return ms - ms%minuteMS }
func ceilMinute(ms int64) int64  { return floorMinute(ms + minuteMS - 1) }
func clock(ms int64) string      { return time.UnixMilli(ms).UTC().Format(time.DateTime) }

// period is the minutes of receive time that are read; those before to are compared.
type period struct{ from, to, read int64 }

func newPeriod(from, to int64) period { return period{from, to, to + minuteMS} }

func (p period) minutes() int { return int((p.read - p.from) / minuteMS) }

// compared is how many minutes, from the first on, are.
func (p period) compared() int { return int((p.to - p.from) / minuteMS) }

// index is the number of the minute that holds a time, −1 where none does.
func (p period) index(ms int64) int {
	if ms < p.from || ms >= p.read {
		return -1
	}
	return int((ms - p.from) / minuteMS)
}

func (p period) at(i int) int64 { return p.from + int64(i)*minuteMS }

// tally is what Kafka has of a minute.
type tally struct {
	records int32
	unsure  int32 // of them: may be counted already, or not yet
	early   int32 // of them: dated in the first seconds of the minute, see aheadMS
}

// aheadMS is by how much clocks may differ. A record that is dated ahead of the collector's clock is received when it comes, in the minute before: where one
// minute has some too many and the next ones as many too few, records of their first seconds are why.
const aheadMS = 5_000

// surprise is a minute that does not balance.
type surprise struct {
	minute          int
	least, most, is int64
}

// balance compares minutes, from the first on that Kafka still has in full. moved is how many records count in the minute before theirs.
func balance(kafka []tally, outcomes []int64, first, end int) (out []surprise, moved int64) {
	for i := first; i < end; i++ {
		most := int64(kafka[i].records)
		least := most - int64(kafka[i].unsure)
		if outcomes[i] > most {
			if last, n := settles(kafka, outcomes, i, end); n > 0 {
				i, moved = last, moved+n
				continue
			}
		}
		if outcomes[i] < least || outcomes[i] > most {
			out = append(out, surprise{i, least, most, outcomes[i]})
		}
	}
	return out, moved
}

// settles says whether what minute i has too many is missing in those that follow, and up to which; n is 0 where it is not.
func settles(kafka []tally, outcomes []int64, i, end int) (last int, n int64) {
	for came := int64(0); i < end; i++ { // came: of minute i, counted in the one before
		over := outcomes[i] - (int64(kafka[i].records) - came)
		if over <= 0 {
			if -over > int64(kafka[i].unsure) {
				return 0, 0
			}
			return i, n
		}
		if i+1 == end || over > int64(kafka[i+1].early) {
			return 0, 0
		}
		came, n = over, n+over
	}
	return 0, 0
}
