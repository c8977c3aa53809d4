package enrich

import (
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// numbered is an enricher whose lines of completeness are added up.
type numbered struct {
	t      *testing.T
	e      *Enricher
	d      *eventlog.Dict
	w      *eventlog.Writer
	src    eventlog.SourceID
	num    int
	offset int64
	comp   [3]int64
}

func newNumbered(t *testing.T) *numbered {
	z := &numbered{t: t, e: New(0, cellkey.NewTable()), d: eventlog.NewDict(0), src: eventlog.SourceID{TopicID: [16]byte{1}}}
	z.w, z.num = eventlog.NewWriter(z.d), z.d.Source(z.src)
	return z
}

func (z *numbered) apply(v []byte) {
	rec, err := z.e.Apply(z.offset, v)
	if err != nil {
		z.t.Fatal(err)
	}
	z.offset++
	for _, c := range rec.Changes {
		if z.e.keys.Cube(c.Key) == cellkey.Completeness {
			z.comp[c.Slot] += c.Delta
		}
	}
}

func (z *numbered) begin() {
	z.apply(eventlog.AppendSettings(nil, &eventlog.Settings{Partitions: 1, Zone: "UTC", HorizonMS: 6 * hourMS, DedupeMS: 10 * minuteMS}))
	z.apply(eventlog.AppendSources(nil, &eventlog.Sources{Topics: []eventlog.SourceTopic{{ID: z.src.TopicID, Name: "raw.viewer", Partitions: 1}}}))
}

func (z *numbered) wm(offset, recv int64) {
	z.apply(eventlog.AppendProgress(nil, &eventlog.Progress{Items: []eventlog.ProgressItem{{Source: z.src, Offset: offset, Recv: recv}}}))
}

const numberStart = 20_000 * dayMS

func numberedLike(offset int64, seq, fp uint64) *eventlog.Input {
	return &eventlog.Input{Kind: eventlog.Interaction, Sub: uint8(event.Like), Offset: offset, Recv: numberStart, TS: numberStart, ViewerHi: 1, ViewerLo: 2, Instance: 77, Seq: seq, EventFP: fp, View: 5, Value: 1,
		Platform: "p", Room: "r", Session: "s"}
}

// An instance sends 1 to 5, number 5 is rejected and has its number; a day later it is replayed.
func TestReplayedNumberIsReceivedOnce(t *testing.T) {
	for name, hours := range map[string]int64{"within the horizon": 1, "after the horizon": 24} {
		z := newNumbered(t)
		z.begin()
		for i := int64(0); i < 4; i++ {
			z.w.Add(z.num, numberedLike(i, uint64(i+1), uint64(100+i)))
		}
		z.w.Add(z.num, &eventlog.Input{Kind: eventlog.Reject, Sub: uint8(event.BadEnum), Offset: 4, Recv: numberStart, TS: numberStart, ViewerHi: 1, ViewerLo: 2, Instance: 77, Seq: 5, Platform: "p"})
		z.apply(z.w.Seal(nil))
		z.wm(4, numberStart+hours*hourMS)
		in := numberedLike(5, 5, 104)
		in.Original = &eventlog.OriginalInput{Source: z.src, Offset: 4, Topic: "raw.viewer", Reason: event.BadEnum}
		z.w.Add(z.num, in)
		z.apply(z.w.Seal(nil))
		if want := [3]int64{5, 5, 0}; z.comp != want {
			t.Errorf("%s: expected, received, late %v, want %v", name, z.comp, want)
		}
	}
}
