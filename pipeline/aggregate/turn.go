package aggregate

import (
	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// A row costs the store as much as an event costs us, and an INSERT as much as thousands of rows. So only what the show is run by leaves with
// every flush: the current minutes of rooms and their money. The rest leaves every so many flushes, and where much changes reopened hours, but those of
// rooms and their money, less often still.
const (
	restEvery   = 5
	slowEvery   = 10 // sources and variants, whose rows are most of all, where much changes
	slowParts   = 3  // that each of them leaves in, apart from each other: 30,000 rows in one flush would hold up the next by half a second
	coarseEvery = 25 // reopened hours but those of rooms and their money, where much changes: a part of them with each turn of their cube
	manyCells   = 2000
)

// turnOf: cubes and their parts take turns, so that a flush is like the one before it and no INSERT holds up the windows that the show is run by.
func (a *Aggregator) turnOf(cube measure.Cube, part int, t turn) bool {
	return a.phase(cube, part, t)%everyOf(cube, t) == 0
}

// phase counts the flushes of a cube's part.
func (a *Aggregator) phase(cube measure.Cube, part int, t turn) uint64 {
	if everyOf(cube, t) == slowEvery {
		return a.flushes + uint64(cube) + uint64(part)*(slowEvery/slowParts)
	}
	return a.flushes + uint64(cube)
}

// coarseTurn is that of an hour, when its cube has its turn.
func (a *Aggregator) coarseTurn(cube measure.Cube, part int, t turn, key cellkey.ID) bool {
	every := everyOf(cube, t)
	return (a.phase(cube, part, t)/every+uint64(key))%(coarseEvery/every) == 0
}

func everyOf(cube measure.Cube, t turn) uint64 {
	if !t.few && (cube == measure.Source || cube == measure.Variant) {
		return slowEvery
	}
	return restEvery
}

// eachFlush says whether a cube is one that the show is run by.
func eachFlush(cube measure.Cube) bool {
	return cube == measure.Room || cube == measure.RoomMoney
}

// turn says what leaves with a flush whatever its cube. few: so little changed that hours leave as often as the rest. still: nothing has
// come in since the last look. Then nothing may wait for what comes: a partition with too many changed cells reads no more until they have left.
type turn struct{ rest, few, still bool }

func (a *Aggregator) turn() turn {
	t := turn{rest: a.last || a.anew, few: len(a.dirty) <= manyCells}
	if a.flushes%coarseEvery == 0 {
		t.still = a.offset == a.turnedAt
		t.rest = t.rest || t.still
		a.turnedAt = a.offset
	}
	return t
}
