package service_test

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/runtime"
)

// Where all is counted again into an empty database, the dead letters are copied again, too: the outcomes count them.
func TestRejectedAreThereWhenAllIsCountedAgain(t *testing.T) {
	p := start(t, true, nil)
	topic := p.cfg.Kafka.Prefix + "raw.viewer"
	p.send(&kgo.Record{Topic: topic, Timestamp: received(), Value: []byte(`{}`)}, &kgo.Record{Topic: topic, Timestamp: received(), Value: []byte(enter("one", "room", ""))})
	p.drain()
	numbers := func() string {
		return p.query("SELECT (SELECT sum(records) FROM $db.outcomes WHERE outcome = 'accepted'), (SELECT sum(records) FROM $db.outcomes WHERE outcome = 'invalid'), (SELECT count() FROM $db.rejected)")
	}
	before := numbers()
	p.stop()
	if _, err := p.adm.DeleteTopic(t.Context(), p.cfg.Kafka.Prefix+runtime.ChangelogRun); err != nil {
		t.Fatal(err)
	}
	p.query("DROP DATABASE $db SYNC")
	p.cfg.ClickHouse.TakeOver = true
	p.restart(true)
	p.drain()
	eventually(t, "dead letters are there again, too", func() error {
		if after := numbers(); after != before {
			return fmt.Errorf("accepted, invalid, rejected: %q, before %q", after, before)
		}
		return nil
	})
}
