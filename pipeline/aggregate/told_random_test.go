package aggregate

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

// lot is a random life of an aggregator: late events of several cubes, flushes that are lost, half written or not answered, snapshots in parts, restarts,
// a lateness that changes, few cells or many. The store is a reader's: it adds minutes and hours up as the views do.
type lot struct {
	t         *testing.T
	rnd       *rand.Rand
	a         *Aggregator
	pieces    [2]int
	log       []lotRecord
	settings  map[int64]*eventlog.Settings
	wm        int64
	lateness  int64
	highest   int64 // lateness there was
	near      bool  // all goes on around the end of an hour
	cells     uint32
	applied   int // records
	flushed   int // of them, by any life
	saved     changelog
	saving    changelog // nil without a snapshot on its way
	savingAt  int
	savedAt   int
	rows      map[lotRow]lotValue
	shown     int64 // watermark
	hoursTold int64
}

type (
	lotKey struct {
		cube measure.Cube
		room string
	}
	lotRow struct {
		key    lotKey
		grain  measure.Grain
		window int64
		gen    uint64
	}
	lotValue struct {
		version uint64
		value   int64
		state   uint8
	}
	lotEvent struct {
		key lotKey
		ts  int64
	}
	lotRecord struct {
		before, wm, lateness int64 // watermark before it and after it
		events               []lotEvent
	}
	lotWindow struct {
		key lotKey
		at  int64
	}
)

var lotCubes = []measure.Cube{measure.Room, measure.SKU, measure.Source, measure.Variant, measure.RoomMoney}

// additive is a column of a cube that minutes and hours have of one slot.
func additive(c measure.Cube) int {
	for i, col := range measure.RowColumns[c] {
		if col.Minute != measure.NoSlot && col.Minute == col.Hour {
			return i
		}
	}
	panic("no such column")
}

func (l *lot) restart() {
	l.a = l.saved.mustRestore(l.t)
	l.a.Pieces(l.pieces[0], l.pieces[1])
	l.saving, l.applied = nil, l.savedAt
}

// record makes up the log's next record.
func (l *lot) record() lotRecord {
	r := lotRecord{before: l.wm, lateness: l.lateness}
	for range l.rnd.IntN(4) {
		age := l.rnd.Int64N(minuteMS) - 30_000
		switch l.rnd.IntN(6) {
		case 0:
			age = l.rnd.Int64N(3 * hourMS)
		case 1:
			age = l.rnd.Int64N(10 * minuteMS)
		}
		r.events = append(r.events, lotEvent{lotKey{lotCubes[l.rnd.IntN(len(lotCubes))], fmt.Sprint(l.rnd.IntN(3))}, max(0, l.wm-age)})
	}
	switch step := l.rnd.IntN(6); {
	case step == 0:
	case step > 2:
		l.wm += l.rnd.Int64N(3000)
	case l.near:
		l.wm += l.rnd.Int64N(20_000)
	default:
		l.wm += l.rnd.Int64N(20 * minuteMS)
	}
	r.wm = l.wm
	return r
}

func (l *lot) apply() {
	if l.applied == len(l.log) {
		l.log = append(l.log, l.record())
	}
	r := l.log[l.applied]
	l.applied++
	if l.settings[r.lateness] == nil {
		l.settings[r.lateness] = &eventlog.Settings{LatenessMS: r.lateness, SessionGapMS: hourMS, Zone: "UTC", MaxCells: l.cells}
	}
	rec := &change.Record{Offset: int64(l.applied), Watermark: r.wm, MaxRecv: r.wm, Settings: l.settings[r.lateness]}
	for _, e := range r.events {
		key := l.a.keys.Of(cellkey.Key{Cube: e.key.cube, Platform: "p", Room: e.key.room, Session: "s", Sub: [2]string{"a"}})
		slot := measure.RowColumns[e.key.cube][additive(e.key.cube)].Minute
		rec.Changes = append(rec.Changes, change.Change{TS: e.ts, Recv: e.ts, Delta: 1, Slot: slot, Key: key, Mask: change.AllGrains, Flags: change.Own})
	}
	if err := l.a.Apply(rec); err != nil {
		l.t.Fatal(err)
	}
}

// write stores some rows of a batch, or, with all of them, its watermarks, too.
func (l *lot) write(b *rollup.Batch, rows int) {
	n := 0
	for _, c := range b.Cells {
		for i, g := range c.Grain {
			if n++; n > rows {
				return
			}
			k := lotRow{lotKey{c.Cube, c.Room[i]}, measure.Grain(g), c.Window[i], c.Gen[i]}
			v := lotValue{c.Version[i], c.Value(additive(c.Cube), i), c.State[i]}
			old, ok := l.rows[k]
			if ok && old.version == v.version && old.value != v.value {
				l.t.Errorf("%v: version %d means %d and %d", k, v.version, old.value, v.value)
			}
			if ok && old.state&closedBit != 0 && v.version > old.version && v.value != old.value {
				l.t.Errorf("%v: closed with %d, then %d", k, old.value, v.value)
			}
			if v.version >= old.version {
				l.rows[k] = v
			}
		}
	}
	if rows < b.Rows() {
		return
	}
	for _, w := range b.Watermarks {
		if w.WM > l.shown || w.WM == l.shown && w.HoursTold > l.hoursTold {
			l.shown, l.hoursTold = w.WM, w.HoursTold
		}
	}
}

func (l *lot) flush() {
	var b rollup.Batch
	token, _ := l.a.Flush(&b, l.rnd.IntN(8) == 0)
	l.follows(&b)
	l.flushed = max(l.flushed, l.applied)
	switch l.rnd.IntN(12) {
	case 0:
		l.a.Nack(token)
	case 1:
		if n := b.Rows(); n > 0 {
			l.write(&b, l.rnd.IntN(n))
		}
		l.a.Nack(token)
	case 2: // written, and the answer is lost
		l.write(&b, b.Rows())
		l.a.Nack(token)
	case 3: // written, and no answer before the next
		l.write(&b, b.Rows())
	default:
		l.write(&b, b.Rows())
		l.a.Ack(token)
	}
	l.check(l.flushed, false)
}

// save goes on with a snapshot, or begins one.
func (l *lot) save() {
	if l.saving == nil {
		l.saving, l.savingAt = changelog{}, l.applied
		l.a.keys.Snapshot()
		l.a.Snapshot()
	}
	emit := func(k, v []byte) { l.saving[string(k)] = v }
	if l.a.keys.Save(emit) || l.a.Save(emit) {
		return
	}
	for k, v := range l.saving {
		l.saved.put([]byte(k), v)
	}
	l.saving, l.savedAt = nil, l.savingAt
}

// check compares what a reader sees with the events: what is final or told holds at least what came before the watermark, nothing holds more than came,
// and in the end all is there.
func (l *lot) check(applied int, end bool) {
	for _, grain := range []measure.Grain{measure.Grain1m, measure.Grain1h} {
		length, came, before, seen := int64(minuteMS), map[lotWindow]int64{}, map[lotWindow]int64{}, map[lotWindow]int64{}
		if grain == measure.Grain1h {
			length = hourMS
		}
		for _, r := range l.log[:applied] {
			for _, e := range r.events {
				w := lotWindow{e.key, e.ts - e.ts%length}
				came[w]++
				if r.before < l.shown {
					before[w]++
				}
			}
		}
		for k, v := range l.rows {
			hour := k.window - k.window%hourMS
			switch {
			case grain == measure.Grain1m && k.grain == grain, grain == measure.Grain1h && k.grain == grain && hour < l.hoursTold:
				seen[lotWindow{k.key, k.window}] += v.value
			case grain == measure.Grain1h && k.grain == measure.Grain1m && hour >= l.hoursTold && v.state&countsBit != 0:
				seen[lotWindow{k.key, hour}] += v.value
			}
		}
		for w, n := range came {
			want := int64(0)
			switch {
			case end:
				want = n
			case w.at+length+l.highest+999 <= l.shown, grain == measure.Grain1h && w.at < l.hoursTold:
				want = before[w]
			}
			if seen[w] < want || seen[w] > n {
				l.t.Fatalf("%s %v shows %d; %d came before the watermark %d, %d in all; hours told %d", measure.GrainNames[grain], w, seen[w], want, l.shown, n, l.hoursTold)
			}
		}
	}
}

func TestRandomLives(t *testing.T) {
	seeds := uint64(300)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 7))
			l := &lot{t: t, rnd: rnd, pieces: [2]int{1 + rnd.IntN(20), 1 + rnd.IntN(10)}, settings: map[int64]*eventlog.Settings{}, wm: 1000, lateness: 60_000, highest: 60_000,
				cells: 1 << 20, near: rnd.IntN(2) == 0, saved: changelog{}, rows: map[lotRow]lotValue{}}
			if l.near {
				l.wm = hourMS - 200_000
			}
			if rnd.IntN(3) == 0 {
				l.cells = uint32(2 + rnd.IntN(30))
			}
			l.restart()
			l.live()
		})
	}
}

func (l *lot) live() {
	for range 400 {
		switch n := l.rnd.IntN(200); {
		case n < 95:
			l.apply()
		case n < 155:
			l.flush()
		case n < 190:
			l.save()
		case n < 193:
			l.restart()
		case l.applied == len(l.log):
			l.lateness = []int64{1000, 60_000, 90_500, 180_000, 600_000}[l.rnd.IntN(5)]
			l.highest = max(l.highest, l.lateness)
		}
	}
	for l.applied < len(l.log) {
		l.apply()
	}
	l.a.Last()
	for range 60 {
		var b rollup.Batch
		token, _ := l.a.Flush(&b, false)
		l.follows(&b)
		l.write(&b, b.Rows())
		l.a.Ack(token)
	}
	l.check(l.applied, true)
}
