package service_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/change"
	"github.com/livemeter/livemeter/pipeline/collect"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/fused"
	"github.com/livemeter/livemeter/pipeline/measure"
)

// An event over which a stage panics is invalid, reason internal, with its bytes among the dead letters. What it had done is undone, its neighbours count, and
// processes that do not panic go on without it.
func TestPoisonIsIsolated(t *testing.T) {
	for name, whole := range map[string]bool{"run": true, "services": false} {
		t.Run(name, func(t *testing.T) {
			p := start(t, whole, nil)
			p.stop()
			p.poison(whole)
			topic := p.cfg.Kafka.Prefix + "raw.viewer"
			at := received()
			events := []string{enter("one", "room", ""), enter("decode", "room", ""), enter("pack", "room", ""), enter("enrich", "room", ""), enter("two", "room", "")}
			if whole {
				events = append(events, strings.Replace(enter("aggregate", "room", `,"watch_ms_delta":77777`), `"action":"enter"`, `"action":"heartbeat"`, 1))
			}
			var records []*kgo.Record
			for _, e := range events {
				records = append(records, &kgo.Record{Topic: topic, Timestamp: at, Value: []byte(e)})
			}
			p.send(records...)
			p.drain()
			poison := len(events) - 2
			want := fmt.Sprintf("accepted\t\t2\ninvalid\tinternal\t%d", poison)
			numbers := func() string {
				return p.query("SELECT outcome, reason, sum(records) FROM $db.outcomes GROUP BY ALL ORDER BY ALL")
			}
			if got := numbers(); got != want {
				t.Errorf("outcomes:\n%s\nwant\n%s", got, want)
			}
			if got := p.query("SELECT events, viewers, views, watch_ms FROM $db.room_measures WHERE grain = '1h'"); got != "2\t2\t2\t0" {
				t.Errorf("events, viewers, views, watch_ms of the room: %s", got)
			}
			got := p.query("SELECT original FROM $db.rejected WHERE reason = 'internal' ORDER BY source_offset FORMAT TSVRaw")
			if lines := strings.Split(got, "\n"); len(lines) != poison || lines[0] != events[1] || lines[2] != events[3] {
				t.Errorf("dead letters:\n%s", got)
			}
			p.stop()
			p.restart(whole)
			p.send(&kgo.Record{Topic: topic, Timestamp: at, Value: []byte(enter("three", "room", ""))})
			p.drain()
			if got, want := numbers(), strings.Replace(want, "\t2\n", "\t3\n", 1); got != want {
				t.Errorf("outcomes after a start without faults:\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// poison restarts the pipeline with stages that panic over some events.
func (p *pipeline) poison(whole bool) {
	over := func(id string) func(*collect.Record) {
		return func(r *collect.Record) {
			if strings.Contains(string(r.Value), `"e-`+id+`"`) {
				panic("poison")
			}
		}
	}
	faults := fused.Faults{Entry: func(n *eventlog.Entry) {
		if n.EventFP == xxhash.Sum64String("e-enrich") {
			panic("poison")
		}
	}}
	if whole {
		faults.Change = func(c *change.Change) {
			if c.Slot == measure.WatchMS && c.Delta == 77777 {
				panic("poison")
			}
		}
	}
	p.faults = func() { p.process.Panics(over("decode"), over("pack"), faults) }
	p.restart(whole)
	p.faults = nil
}
