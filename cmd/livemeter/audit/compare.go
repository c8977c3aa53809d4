package audit

import (
	"fmt"
	"iter"
	"slices"

	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/pipeline/event"
)

// balanceRecords compares the minutes of every raw partition.
func (a *audit) balanceRecords() {
	a.report.Compared = [2]int64{a.period.from, a.period.to}
	end := a.period.compared()
	for _, t := range a.topics {
		line := Line{Check: checkRecords, Of: t.name}
		moved := int64(0)
		for _, p := range t.parts {
			first := a.firstCompared(p)
			if first > 0 {
				a.report.note("%s/%d is not compared before %s: retention has taken what came before, or it was of a topic of this name that was deleted", t.name, p.number, clock(a.period.at(first)))
			}
			wrong, n := balance(p.minutes, p.outcomes, first, end)
			moved += n
			for i := first; i < end; i++ {
				line.Expected += int64(p.minutes[i].records)
				line.UnderWay += int64(p.minutes[i].unsure)
				line.Found += p.outcomes[i]
			}
			line.Differences += len(wrong)
			for _, w := range wrong {
				a.report.differ(Difference{Check: checkRecords, Topic: t.name, Partition: &p.number, Minute: a.period.at(w.minute), Least: w.least, Most: w.most, Found: w.is})
			}
		}
		a.report.add(line)
		if moved > 0 {
			a.report.note("%s: %s records count in the minute before that of their timestamp: they are dated up to %d s ahead of the collector's clock", t.name, ui.Count(moved), aheadMS/1000)
		}
		if t.ahead > 0 {
			a.report.note("%s: %s records are dated later than now. They count in the minute in which they came, which Kafka does not tell: that may be why minutes have more outcomes than records", t.name, ui.Count(t.ahead))
		}
	}
}

// balanceEvents compares what was accepted with what rooms count, by partition of the log and over all.
func (a *audit) balanceEvents() {
	if !a.settle {
		a.report.note("accepted events are not compared with those of the rooms: rows of both are under way")
		return
	}
	minutes, hours := a.retention()
	costTopic := a.topics[event.TopicCost].name
	before, after, cost := map[uint16]int64{}, map[uint16]int64{}, map[uint16]int64{}
	var sum Difference
	costs := int64(0)
	for _, n := range a.before {
		before[n.Part] += n.Records
		sum.Least += n.Records
	}
	for _, n := range a.after {
		after[n.Part] += n.Records
		sum.Most += n.Records
		if n.Topic == costTopic {
			cost[n.Part] += n.Records
			costs += n.Records
		}
	}
	least, most := a.costs.roomless(costs)
	if most > 0 {
		a.report.note("%s of %s accepted cost events name no room and count in none; in which partitions of the log they are is not known here", number(least, most), ui.Count(costs))
	}
	if a.expired(minutes) {
		a.report.note("accepted events are not compared by partition of the log: minutes of the oldest may have expired (clickhouse.ttl.1m)")
	} else {
		for part := range union(before, after, a.events.byPart) {
			a.compareEvents(Difference{Check: checkEvents, Of: fmt.Sprintf("partition %d of the log, minutes", part), Part: &part,
				Least: before[part] - min(cost[part], most), Most: after[part], Found: a.events.byPart[part]})
		}
		for _, n := range a.events.byPart {
			sum.Found += n
		}
		a.compareEvents(Difference{Check: checkEvents, Of: "all minutes", Least: sum.Least - most, Most: sum.Most - least, Found: sum.Found})
	}
	if a.expired(hours) {
		a.report.note("accepted events are not compared with hours: the oldest may have expired (clickhouse.ttl.1h)")
		return
	}
	a.compareEvents(Difference{Check: checkEvents, Of: "all hours", Least: sum.Least - most, Most: sum.Most - least, Found: a.events.hours})
}

func (a *audit) compareEvents(d Difference) {
	l := Line{Check: checkEvents, Of: d.Of, Expected: d.Most, Found: d.Found, UnderWay: d.Most - d.Least}
	if d.Found < d.Least || d.Found > d.Most {
		l.Differences = 1
		a.report.differ(d)
	}
	a.report.add(l)
}

// union are the keys of all, in order.
func union(all ...map[uint16]int64) iter.Seq[uint16] {
	var keys []uint16
	for _, m := range all {
		for k := range m {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return slices.Values(slices.Compact(keys))
}
