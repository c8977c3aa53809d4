package main

import (
	"strings"
	"testing"

	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// TestKPIOfNoRoom: a room without an event is an error, no rooms at all are none.
func TestKPIOfNoRoom(t *testing.T) {
	addr, database := testengine.ClickHouse(t)
	where := []string{"--clickhouse-addr", addr, "--clickhouse-database", database}
	applySchema(t, where)
	if code, out, errOut := livemeter(t, "", append([]string{"kpi", "nosuch"}, where...)...); code != exitFail || !strings.Contains(errOut, "room nosuch: nothing in the last 20 min") {
		t.Errorf("exit code %d, want 1: %s%s", code, out, errOut)
	}
	if code, out, errOut := livemeter(t, "", append([]string{"kpi"}, where...)...); code != exitOK || !strings.Contains(out, "no room had an event") {
		t.Errorf("exit code %d, want 0: %s%s", code, out, errOut)
	}
}
