package enrich

import (
	"testing"

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
