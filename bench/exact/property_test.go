package exact

import (
	"flag"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/livemeter/livemeter/bench/ledger"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// Any stream, any number of partitions, any interleaving of the sources, any split into records of the log, any mix of flushes, lost
// acknowledgements, checkpoints, crashes, zombies and folds: the rows are those of the ledger. `-rapid.checks=100000` looks longer.
func TestRowsEqualLedger(t *testing.T) {
	for name, split := range map[string]bool{"run": false, "services": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				records := drawStream(t, 60)
				want := truth(t, records)
				got := newRig(t, records, split).play()
				if d := want.differences(got); d != "" {
					t.Fatalf("rows differ from the ledger:\n%s\n%s", d, describe(records))
				}
			})
		})
	}
}

// A failing stream is printed; nothing is left behind in the tree.
func init() { flag.Set("rapid.nofailfile", "true") }

func describe(records []record) (s string) {
	for _, r := range records {
		s += fmt.Sprintf("%+.3f %s/%d %s\n", float64(r.recv-base)/1000, r.topic, r.partition, r.value)
	}
	return s
}

// truth is what the ledger says of the records.
func truth(t interface{ Fatal(...any) }, records []record) tables {
	l, err := ledger.New(ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		l.Add(r.topic, r.partition, r.offset, []byte(r.key), r.value, r.recv)
	}
	truth, err := l.Finish()
	if err != nil {
		t.Fatal(err)
	}
	out := tables{}
	for _, tab := range truth.Tables {
		for i, r := range tab.Rows {
			p := truth.Places[r.Place]
			for m, name := range tab.Measures {
				out.set(tab.Name, keyText(measure.Grain(r.Grain), r.Window, p.Platform, p.Room, p.Session, truth.Subs[r.Sub]), name, tab.Values[i*len(tab.Measures)+m])
			}
		}
	}
	for place, first := range truth.SessionStarts {
		p := truth.Places[place]
		if p.Room == "" {
			continue
		}
		out.set("session starts", fmt.Sprint(p.Platform, " ", p.Room, " ", p.Session), "first", first)
	}
	for k, n := range truth.Outcomes {
		out.set("outcomes", fmt.Sprint(k.Topic, " ", k.Partition, " ", k.Minute, " ", k.Outcome, " ", k.Reason), "records", n)
	}
	for k, n := range truth.Completeness {
		key := fmt.Sprint(k.Platform, " ", k.Kind, " ", k.SDKName, " ", k.SDKVersion, " ", k.Minute)
		out.set("completeness", key, "expected", n.Expected)
		out.set("completeness", key, "received", n.Received)
	}
	for _, o := range truth.Orders {
		out.order(o.Platform, o.OrderID, o.State, o.Version, o.Room, o.Session, o.Currency, o.PaidMinor, o.RefundMinor)
	}
	return out
}
