package runtime

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// collectorTestSource has records at the given times waiting, and more behind them if end says so.
func collectorTestSource(last, end int64, times ...int64) *collectorSource {
	s := &collectorSource{last: last}
	p := kgo.FetchPartition{LastStableOffset: end}
	for i, ts := range times {
		p.Records = append(p.Records, &kgo.Record{Offset: int64(i), Timestamp: time.UnixMilli(ts)})
	}
	s.push(&p)
	return s
}

func TestCollectorPick(t *testing.T) {
	const now = 1_000_000
	idle := func() *collectorSource { return collectorTestSource(5, 0) }
	for name, c := range map[string]struct {
		sources []*collectorSource
		pick    int // -1 for none
		limit   int64
	}{
		"nothing there":                          {[]*collectorSource{idle(), idle()}, -1, 0},
		"the oldest, up to the next one":         {[]*collectorSource{collectorTestSource(0, 9, 700), collectorTestSource(0, 9, 300), collectorTestSource(0, 9, 500)}, 1, 500 + collectorSlackMS},
		"an idle source holds nothing back":      {[]*collectorSource{idle(), collectorTestSource(0, 9, 300)}, 1, 1<<63 - 1},
		"one that was never read holds all back": {[]*collectorSource{collectorTestSource(minTimestamp, 9), collectorTestSource(0, 9, 300)}, -1, 0},
		"one with more holds back the younger":   {[]*collectorSource{collectorTestSource(200, 9), collectorTestSource(0, 9, 300)}, -1, 0},
		"one with more lets the older pass":      {[]*collectorSource{collectorTestSource(400, 9), collectorTestSource(0, 9, 300)}, 1, 400 + collectorSlackMS},
	} {
		got, limit := collectorPick(c.sources, now)
		if c.pick < 0 && got != nil || c.pick >= 0 && (got != c.sources[c.pick] || limit != c.limit) {
			t.Errorf("%s: got %+v up to %d", name, got, limit)
		}
	}
}

// A source that does not deliver is waited for, but not for ever, and again once it has delivered.
func TestCollectorPickLosesPatience(t *testing.T) {
	late, ready := collectorTestSource(200, 9), collectorTestSource(0, 9, 300, 310)
	sources := []*collectorSource{late, ready}
	for _, c := range []struct {
		now  int64
		want *collectorSource
	}{{1000, nil}, {1000 + collectorPatienceMS - 1, nil}, {1000 + collectorPatienceMS, ready}} {
		if got, _ := collectorPick(sources, c.now); got != c.want {
			t.Errorf("at %d: got %+v", c.now, got)
		}
	}
	late.push(&kgo.FetchPartition{LastStableOffset: 9, Records: []*kgo.Record{{Timestamp: time.UnixMilli(100)}}})
	if got, _ := collectorPick(sources, 9000); got != late {
		t.Errorf("after it has delivered: got %+v", got)
	}
	late.pop()
	if got, _ := collectorPick(sources, 9001); got != nil {
		t.Errorf("it is not waited for again: got %+v", got)
	}
}
