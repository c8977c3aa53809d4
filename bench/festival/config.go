// Package festival generates the load of a live-shopping festival: sessions of viewers in Zipf-distributed rooms, their interactions and
// orders, and, where asked, the faults of real life. A seed gives the same records again as long as the clock is simulated.
//
// It shares nothing with the pipeline: together with bench/ledger it is the independent judge.
package festival

import (
	"errors"
	"fmt"
	"time"
)

// Config of a Festival. The zero value of a field means its default.
type Config struct {
	Seed    uint64
	Rooms   int     // Rate/10, 50 to 10 000
	Viewers int     // people who come and go; 10 × Rate, 2 000 to 500 000. About 4 × Rate of them are online at a time
	Rate    float64 // events a second of the simulated clock; 20 000
	// Start is where the simulated clock starts. Zero means the wall clock: every record is received when it is generated. It should lie within
	// the shortest TTL of the store (14 days), and the records of a run with a simulated clock must not reach into the future.
	Start  time.Time
	Faults bool   // duplicates, disorder, wrong clocks, malformed records
	Prefix string // of topic names
	NoRush bool   // no bursts and no bot room: arrivals follow the Zipf law alone
}

const (
	maxRooms = 1_000_000
	// MinViewers are the fewest of a festival.
	MinViewers = 100
	maxViewers = 50_000_000
	// MaxRate is far above what a machine can send, and what its counters hold for long.
	MaxRate = 10_000_000
)

func (c Config) withDefaults() (Config, error) {
	if c.Rate == 0 {
		c.Rate = 20_000
	}
	if c.Rooms == 0 {
		c.Rooms = min(max(int(c.Rate/10), 50), 10_000)
	}
	if c.Viewers == 0 {
		c.Viewers = min(max(int(c.Rate*10), 2_000), 500_000)
	}
	var errs []error
	if !(c.Rate >= 0 && c.Rate <= MaxRate) {
		errs = append(errs, fmt.Errorf("festival: rate %v: must be 0 to %d", c.Rate, MaxRate))
	}
	if c.Rooms < 1 || c.Rooms > maxRooms {
		errs = append(errs, fmt.Errorf("festival: %d rooms: must be 1 to %d", c.Rooms, maxRooms))
	}
	if c.Viewers < MinViewers || c.Viewers > maxViewers {
		errs = append(errs, fmt.Errorf("festival: %d viewers: must be %d to %d", c.Viewers, MinViewers, maxViewers))
	}
	return c, errors.Join(errs...)
}

// Topics are the raw topics that a festival with this prefix writes to.
func Topics(prefix string) []string {
	out := make([]string, len(topicNames))
	for i, n := range topicNames {
		out[i] = prefix + n
	}
	return out
}

const (
	topicViewer = iota
	topicInteraction
	topicOrder
	topicCost
	topicStock
)

var topicNames = [...]string{"raw.viewer", "raw.interaction", "raw.order", "raw.cost", "raw.stock"}
