//go:build synctests

package exact

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/fused"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// poison are the events over which a stage panics: in every second of both kinds of pipelines up to two ids of events, whose every copy does it in the enricher;
// and, in `run`, what has a watch time that no sum of others can be, in the aggregator.
type poison struct {
	ids     map[uint64]bool
	watches bool
}

func drawPoison(seed uint64, services bool, records []record) *poison {
	p := &poison{ids: map[uint64]bool{}, watches: !services}
	rng := rand.New(rand.NewPCG(seed, 4))
	if seed%4 > 1 || len(records) == 0 {
		return p
	}
	for range 2 {
		var e struct {
			ID   string `json:"event_id"`
			Type string `json:"type"`
		}
		if json.Unmarshal(records[rng.IntN(len(records))].value, &e) == nil && e.ID != "" && e.Type != "cost" && e.Type != "stock" { // their fingerprints are of other keys
			p.ids[xxhash.Sum64String(e.ID)] = true
		}
	}
	return p
}

// faults are what makes the stages panic.
func (p *poison) faults() fused.Faults {
	f := fused.Faults{Entry: func(n *eventlog.Entry) {
		if n.Kind != eventlog.Cost && n.Kind != eventlog.Stock && p.ids[n.EventFP] {
			panic("poison")
		}
	}}
	if p.watches {
		f.Change = func(c *change.Change) {
			if c.Slot == measure.WatchMS && c.Delta == poisonWatch {
				panic("poison")
			}
		}
	}
	return f
}

// told are the records as the ledger is to judge them: instead of poison something that is invalid.
func (p *poison) told(records []record) []record {
	out := slices.Clone(records)
	for i := range out {
		var e struct {
			ID         string `json:"event_id"`
			Type       string `json:"type"`
			Watch      int64  `json:"watch_ms_delta"`
			Foreground *bool  `json:"foreground"`
		}
		if json.Unmarshal(out[i].value, &e) != nil {
			continue
		}
		watched := p.watches && e.Watch == poisonWatch && (e.Foreground == nil || *e.Foreground)
		if e.Type != "cost" && e.Type != "stock" && p.ids[xxhash.Sum64String(e.ID)] || watched {
			out[i].value = []byte("poison")
		}
	}
	return out
}

// asTold gives the outcome of poison the reason that the ledger has for what stands in its place.
func asTold(rows tables) tables {
	for key, measures := range maps.Clone(rows["outcomes"]) {
		if line, ok := strings.CutSuffix(key, " internal"); ok {
			delete(rows["outcomes"], key)
			for m, v := range measures {
				rows.set("outcomes", line+" not_json", m, v+rows["outcomes"][line+" not_json"][m])
			}
		}
	}
	return rows
}
