package main

import (
	"slices"
	"time"

	"github.com/livemeter/livemeter/bench/chaos/faults"
)

// groupNames are all that can be spared.
var groupNames = []string{"brokers", "clickhouse", "run", "collector", "enricher", "aggregator", "gateway"}

// allBrokersFrom is the length of a run from which all brokers are away at once, for some seconds: in a shorter one little else would happen.
const allBrokersFrom = 4 * time.Minute

// groups are who is killed and suspended how. Members of Kafka's groups are suspended for longer than the session timeout of 10 s, so that another
// process goes on with their partitions while they still believe that they are theirs.
func (w *world) groups() (groups []faults.Group) {
	add := func(g faults.Group) {
		if !slices.Contains(w.o.spared(), g.Name) {
			groups = append(groups, g)
		}
	}
	brokers := victims(w.brokers)
	if w.o.length >= allBrokersFrom && len(brokers) > 1 {
		brokers = append(brokers, faults.Together("all brokers", brokers...))
	}
	add(faults.Group{Name: "brokers", Victims: brokers, Kill: seconds(1, 6), Suspend: seconds(5, 14), Between: seconds(4, 12)})
	add(faults.Group{Name: "clickhouse", Victims: victims([]*process{w.clickHouse}), Kill: seconds(0, 5), Suspend: seconds(12, 30), Between: seconds(8, 20)})
	for _, l := range w.lines {
		for _, service := range wirings[l.wiring] {
			add(faults.Group{Name: service, Victims: victims(l.groups[service]), Kill: seconds(0, 3), Suspend: seconds(11, 20), Between: seconds(2, 7)})
		}
	}
	add(faults.Group{Name: "gateway", Victims: victims(w.gateways.processes), Kill: seconds(0, 3), Suspend: seconds(1, 12), Between: seconds(4, 12)})
	return groups
}

func victims(all []*process) (out []faults.Victim) {
	for _, p := range all {
		out = append(out, p)
	}
	return out
}

func seconds(least, most int) faults.Span {
	return faults.Span{Min: time.Duration(least) * time.Second, Max: time.Duration(most) * time.Second}
}
