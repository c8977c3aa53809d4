package enrich

import (
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// Claims are taken by how far they reach and not by who makes them.
func TestProgressClaims(t *testing.T) {
	id := eventlog.SourceID{TopicID: [16]byte{1}}
	type claim struct {
		gen          int32
		offset, recv int64
	}
	for name, c := range map[string]struct {
		seen   int64 // highest offset of a record
		claims []claim
		want   int64
	}{
		"a group made again begins with generation 1":       {9, []claim{{7, 9, 1000}, {1, 9, 2000}}, 2000},
		"while it repeats what was counted it says nothing": {9, []claim{{7, 9, 1000}, {1, 3, 5000}}, 1000},
		"and it catches up":                          {9, []claim{{7, 9, 1000}, {1, 3, 5000}, {1, 10, 2000}}, 2000},
		"a zombie behind what was seen":              {9, []claim{{7, 8, 5000}}, 0},
		"a zombie behind what was claimed":           {-1, []claim{{7, 20, 1000}, {6, 19, 5000}}, 1000},
		"a zombie that knows less of an idle source": {9, []claim{{7, 9, 2000}, {6, 9, 1000}}, 2000},
		"an empty source":                            {-1, []claim{{1, -1, 1000}}, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSources()
			s.declare(&eventlog.Sources{Topics: []eventlog.SourceTopic{{Name: "raw.viewer", ID: id.TopicID, Partitions: 1}}})
			s.list[s.find(id)].offset = c.seen
			for _, x := range c.claims {
				s.progress(&eventlog.Progress{Items: []eventlog.ProgressItem{{Source: id, Generation: x.gen, Offset: x.offset, Recv: x.recv}}})
			}
			if got := s.advance(); got != c.want {
				t.Errorf("watermark %d, want %d", got, c.want)
			}
		})
	}
}

func declared(id byte, partitions int32) *eventlog.Sources {
	return &eventlog.Sources{Topics: []eventlog.SourceTopic{{Name: "raw.viewer", ID: [16]byte{id}, Partitions: partitions}}}
}

func claimed(id byte, partition int32, offset, recv int64) *eventlog.Progress {
	return &eventlog.Progress{Items: []eventlog.ProgressItem{{Source: eventlog.SourceID{TopicID: [16]byte{id}, Partition: partition}, Offset: offset, Recv: recv}}}
}

// A list of a topic that was made again since, with one partition more than anyone had told of, changes nothing.
func TestListOfARetiredTopic(t *testing.T) {
	s := newSources()
	for _, list := range []*eventlog.Sources{declared(1, 1), declared(2, 1), declared(1, 2)} {
		s.declare(list)
	}
	s.progress(claimed(2, 0, 5, 1000))
	if got := s.advance(); got != 1000 {
		t.Errorf("watermark %d, want 1000", got)
	}
}

func TestWatermarkIsTheSlowestSources(t *testing.T) {
	s := newSources()
	s.declare(declared(1, 3))
	for p, recv := range []int64{2000, 1000, 3000} {
		s.progress(claimed(1, int32(p), 5, recv))
	}
	if got := s.advance(); got != 1000 {
		t.Errorf("watermark %d, want 1000", got)
	}
}

// What a claim has named is saved: one that reaches less far says nothing after a restart either.
func TestClaimsAreSaved(t *testing.T) {
	e, restored := New(0, cellkey.NewTable()), New(0, cellkey.NewTable())
	watermark := func(e *Enricher, offset int64, value []byte) int64 {
		rec, err := e.Apply(offset, value)
		if err != nil {
			t.Fatal(err)
		}
		return rec.Watermark
	}
	watermark(e, 0, eventlog.AppendSettings(nil, &eventlog.Settings{Partitions: 1, Zone: "UTC"}))
	watermark(e, 1, eventlog.AppendSources(nil, declared(1, 1)))
	watermark(e, 2, eventlog.AppendProgress(nil, claimed(1, 0, 20, 1000)))
	e.Snapshot()
	for more := true; more; {
		more = e.Save(func(key, value []byte) {
			if err := restored.Restore(key, value); err != nil {
				t.Fatal(err)
			}
		})
	}
	restored.Restored(0)
	for _, e := range []*Enricher{e, restored} {
		if got := watermark(e, 3, eventlog.AppendProgress(nil, claimed(1, 0, 19, 5000))); got != 1000 {
			t.Errorf("watermark %d, want 1000", got)
		}
	}
}

// The watermark goes on without a source that has stalled until something is known of it, and never falls.
func TestStalledSources(t *testing.T) {
	stalled := func(recv int64) func(*sources) { return func(s *sources) { s.stall(claimed(1, 0, 5, recv)) } }
	told := func(partition int32, offset, recv int64) func(*sources) {
		return func(s *sources) { s.progress(claimed(1, partition, offset, recv)) }
	}
	others := told(1, 5, 9000)
	for name, c := range map[string]struct {
		steps []func(*sources)
		want  int64
	}{
		"it is waited for":                         {[]func(*sources){others}, 1000},
		"it has stalled":                           {[]func(*sources){stalled(1000), others}, 9000},
		"who says so knows nothing":                {[]func(*sources){stalled(0), others}, 9000},
		"who knows no time and less":               {[]func(*sources){told(0, 6, 1000), stalled(0), others}, 1000},
		"who says so knows less":                   {[]func(*sources){told(0, 5, 2000), stalled(1000), others}, 2000},
		"what was known is told again":             {[]func(*sources){stalled(1000), told(0, 5, 1000), others}, 9000},
		"it is idle":                               {[]func(*sources){stalled(1000), told(0, 5, 3000), others}, 3000},
		"it brings old records":                    {[]func(*sources){stalled(1000), told(0, 6, 900), others}, 1000},
		"the watermark does not fall when it does": {[]func(*sources){stalled(1000), others, func(s *sources) { s.advance() }, told(0, 6, 900)}, 9000},
		"all have stalled":                         {[]func(*sources){others, stalled(1000), func(s *sources) { s.stall(claimed(1, 1, 5, 9000)) }}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSources()
			s.declare(declared(1, 2))
			s.progress(claimed(1, 0, 5, 1000))
			for _, step := range c.steps {
				step(s)
			}
			if got := s.advance(); got != c.want {
				t.Errorf("watermark %d, want %d", got, c.want)
			}
		})
	}
}
