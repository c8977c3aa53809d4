package runtime

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
)

// Offsets may be missing between two fetches, of no record; where retention has taken records there that were not read, the partition does not go on.
func TestGapsOfTheLog(t *testing.T) {
	for name, c := range map[string]struct {
		start int64 // of the log, by then
		want  string
	}{"of no record": {50, ""}, "that retention has made": {80, "partition 2 of events: offset 50 is needed but the log starts at 80"}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.send(100 * testPart)
			records := w.read(testTopic)[2]
			if err := w.cluster.DeleteRecords(testTopic, 2, c.start); err != nil {
				t.Fatal(err)
			}
			r := &Reader{cfg: w.config(), log: zap.NewNop(), admin: kadm.NewClient(w.cl)}
			task := newCounter(2, nil, nil)
			p := &partition{r: r, s: &slot{r: r, id: 2}, ctx: t.Context(), task: task, next: 50, begun: true}
			err := p.apply(kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: testTopic, Partitions: []kgo.FetchPartition{{Partition: 2, Records: records[80:]}}}}}})
			switch {
			case c.want == "":
				if err != nil || p.next != 100 || task.applied != 20 {
					t.Errorf("%v, %d records applied, the next is %d", err, task.applied, p.next)
				}
			case err == nil || !strings.Contains(err.Error(), c.want) || task.applied != 0:
				t.Errorf("%v, %d records applied", err, task.applied)
			}
		})
	}
}
