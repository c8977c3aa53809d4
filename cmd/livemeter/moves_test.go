package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/bench/festival"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// movedPartitions of events: enough for three processes to share.
const movedPartitions = 6

// movers are both ways to run the stages, and both protocols of consumer groups: the first process is of the classic one, the flags are those of the others.
var movers = map[string]struct {
	wiring string
	flags  []string
}{"services": {"services", nil}, "run, changed to where the brokers assign": {"run", []string{"--kafka-group-protocol", "consumer"}}}

// join starts one more process of each service, as members that are missed at once when they leave.
func (p *pipeline) join(wiring string, flags ...string) (joined []*process) {
	p.t.Helper()
	for _, s := range wirings[wiring] {
		args := append([]string{s, "--config", p.config, "--events-partitions", fmt.Sprint(movedPartitions)}, flags...)
		if s == "run" {
			args = append(args, "--no-serve-gateway")
		}
		joined = append(joined, startProcess(p.t, args...))
	}
	p.processes = append(p.processes, joined...)
	return joined
}

// TestScalesUnderLoad: one process of each service becomes three and then two while events come; each partition has one owner at a time, and without one it is
// for as long as a move takes; nobody fails meanwhile, and the tables equal the ledger.
func TestScalesUnderLoad(t *testing.T) {
	t.Parallel()
	brokers := testengine.ApacheKafka(t)
	for name, m := range movers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPipeline(t, brokers)
			leave := p.join(m.wiring)
			p.shares(m.wiring, movedPartitions)
			began := time.Now()
			sent := make(chan festival.Stats, 1)
			go func() {
				defer close(sent)
				sent <- p.festival(1, 1500, 30_000)
			}()
			time.Sleep(2 * time.Second) // of steady load, without which there is no state to move
			watch := p.watch()
			p.join(m.wiring, m.flags...)
			p.join(m.wiring, m.flags...)
			p.shares(m.wiring, 2, 2, 2)
			time.Sleep(time.Second) // for how long they are watched once they share, too
			t.Logf("1 → 3: %s", watch())
			watch = p.watch()
			for _, one := range leave {
				one.stop()
			}
			p.left(m.wiring, 2)
			p.processes = slices.DeleteFunc(p.processes, func(one *process) bool { return slices.Contains(leave, one) })
			p.shares(m.wiring, 3, 3)
			time.Sleep(time.Second) // likewise
			t.Logf("3 → 2: %s", watch())
			stats, ok := <-sent
			if !ok {
				return
			}
			p.rest(stats)
			p.compare()
			for _, one := range p.processes {
				one.stop()
			}
			for _, one := range slices.Concat(p.processes, leave) {
				for _, m := range one.moves().begunAgain {
					if m.Time.After(began) { // on a new broker the first commits may have to wait
						t.Errorf("%s: %s at %s: %s", one.args[0], m.Msg, m.Time, m.Error)
					}
				}
			}
			for _, group := range groupsOf[m.wiring] {
				owned(t, group, slices.Concat(p.processes, leave))
			}
		})
	}
}

// left asks the groups whether who has ended has left: a member that has to time out is still one.
func (p *pipeline) left(wiring string, members int) {
	p.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(p.brokers...))
	if err != nil {
		p.t.Fatal(err)
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	for _, group := range append(groupsOf[wiring], "rejected", "collector.raw.viewer") {
		group = p.prefix + group
		classic, err := adm.DescribeGroups(p.t.Context(), group)
		if err != nil {
			p.t.Fatal(err)
		}
		assigned, err := adm.DescribeConsumerGroups(p.t.Context(), group)
		if err != nil {
			p.t.Fatal(err)
		}
		if n := len(classic[group].Members) + len(assigned[group].Members); n != members {
			p.t.Errorf("group %s has %d members, want %d", group, n, members)
		}
	}
}

// groupsOf are the readers' groups, as their lines in the log name them.
var groupsOf = map[string][]string{"run": {"run"}, "services": {"enricher", "aggregator"}}

// shares waits until the processes of each reader's group own so many partitions, and all of them are restored.
func (p *pipeline) shares(wiring string, want ...int) {
	p.t.Helper()
	slices.Sort(want)
	eventually(p.t, fmt.Sprintf("the partitions are shared as %v", want), func() error {
		for _, group := range groupsOf[wiring] {
			var got []int
			for _, one := range p.processes {
				if err := one.alive(); err != nil {
					p.t.Fatal(err)
				}
				if one.args[0] == group {
					got = append(got, len(one.moves().owns))
				}
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				return fmt.Errorf("%s: %v", group, got)
			}
		}
		return nil
	})
}

// move is a line of a process's log that tells of partitions.
type move struct {
	Time       logTime `json:"time"`
	Msg        string  `json:"msg"`
	Error      string  `json:"error"`
	Partition  int32   `json:"partition"`
	Partitions []int32 `json:"partitions"`
	gained     bool
}

type logTime struct{ time.Time }

func (t *logTime) UnmarshalJSON(b []byte) (err error) {
	t.Time, err = time.Parse(`"2006-01-02T15:04:05.000Z0700"`, string(b))
	return err
}

// moves is what a process's log says of the partitions of its reader.
type moves struct {
	all        []move
	owns       map[int32]bool // restored, and not given back
	begunAgain []move         // lines that say that something was
}

func (p *process) moves() (out moves) {
	p.t.Helper()
	out.owns = map[int32]bool{}
	for line := range strings.Lines(readFile(p.t, p.log)) {
		var m move
		if json.Unmarshal([]byte(line), &m) != nil {
			continue
		}
		switch m.Msg {
		case "partition restored":
			m.Partitions, m.gained = []int32{m.Partition}, true
			out.owns[m.Partition] = true
			out.all = append(out.all, m)
		case "partitions released":
			for _, n := range m.Partitions {
				delete(out.owns, n)
			}
			out.all = append(out.all, m)
		case "partition ended, restoring it from its last checkpoint", "collector session ended; starting again from the committed offsets":
			out.begunAgain = append(out.begunAgain, m)
		}
	}
	return out
}

// owned holds the logs of a group's processes to one owner a partition, always: from the first one's start, but for the time that a move takes.
func owned(t *testing.T, group string, processes []*process) {
	t.Helper()
	var moves []move
	for _, one := range processes {
		if one.args[0] == group {
			moves = append(moves, one.moves().all...)
		}
	}
	slices.SortStableFunc(moves, func(a, b move) int { return a.Time.Compare(b.Time.Time) })
	end := moves[len(moves)-1].Time
	owners, since, longest := map[int32]int{}, map[int32]time.Time{}, time.Duration(0)
	for _, m := range moves {
		for _, n := range m.Partitions {
			if !m.gained {
				owners[n]--
				since[n] = m.Time.Time
				continue
			}
			if owners[n]++; owners[n] > 1 {
				t.Errorf("%s: partition %d has two owners at %s", group, n, m.Time)
			}
			if left, ok := since[n]; ok {
				longest = max(longest, m.Time.Sub(left))
			}
			delete(since, n)
		}
	}
	t.Logf("%s: no partition was without an owner for longer than %s", group, longest)
	if longest > 2*stopLimit {
		t.Errorf("%s: a partition was without an owner for %s", group, longest)
	}
	for n, at := range since {
		if end.Sub(at) > 2*stopLimit {
			t.Errorf("%s: partition %d has no owner from %s on", group, n, at)
		}
	}
	if len(owners) != movedPartitions {
		t.Errorf("%s: partitions %v had an owner", group, slices.Sorted(maps.Keys(owners)))
	}
}

// watch looks at how far ClickHouse's rows are of each partition of events, until what it returns is called: that says for how long, at most, those of one did not
// move on.
func (p *pipeline) watch() func() string {
	stop := make(chan struct{})
	var (
		wg      sync.WaitGroup
		began   = time.Now()
		at      = map[int]int64{}
		since   = map[int]time.Time{}
		longest = map[int]time.Duration{}
	)
	wg.Go(func() {
		for again := time.NewTicker(100 * time.Millisecond); ; {
			select {
			case <-stop:
				return
			case <-again.C:
			}
			out, err := p.ask("SELECT part, max(version) FROM watermarks GROUP BY part")
			if err != nil {
				continue
			}
			for line := range strings.Lines(out) {
				var part int
				var version int64
				if _, err := fmt.Sscan(line, &part, &version); err != nil || version == at[part] {
					continue
				}
				now, before := time.Now(), since[part]
				if before.IsZero() {
					before = began
				}
				longest[part] = max(longest[part], now.Sub(before))
				at[part], since[part] = version, now
			}
		}
	})
	return func() string {
		close(stop)
		wg.Wait()
		var out []string
		for _, part := range slices.Sorted(maps.Keys(longest)) {
			out = append(out, fmt.Sprintf("%d: %s", part, longest[part].Round(100*time.Millisecond)))
		}
		return "rows of a partition stood still for at most " + strings.Join(out, ", ")
	}
}
