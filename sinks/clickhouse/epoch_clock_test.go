package clickhouse_test

import (
	"context"
	"testing"

	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// A host whose clock is ten minutes ahead has written what a table of epochs says. Who takes the database over from a host with the right time is shown.
func TestTakingOverFromAFastClock(t *testing.T) {
	for name, logs := range map[string][]byte{"an older log again": {2, 1}, "the newest log again": {2, 3, 1, 3}, "a log between again": {2, 3, 1, 2}, "a new log": {2, 3}} {
		t.Run(name, func(t *testing.T) {
			e := openWith(t, func(c *clickhouse.Config) { c.TakeOver = true }) // log 1
			take := func(log byte) {
				t.Helper()
				epoch, err := e.EnsureEpoch(context.Background(), [16]byte{log}, 1)
				if err != nil {
					t.Fatal(err)
				}
				if shown := e.number("SELECT max(epoch) FROM $db.epochs FINAL WHERE active = 1"); shown != int64(epoch) {
					t.Errorf("log %d has epoch %d, the views show %d", log, epoch, shown)
				}
			}
			last := len(logs) - 1
			for _, log := range logs[:last] {
				take(log)
			}
			e.query("INSERT INTO $db.epochs SELECT epoch, events_topic_id, active, created_at + toIntervalMinute(10) FROM $db.epochs FINAL")
			take(logs[last])
		})
	}
}
