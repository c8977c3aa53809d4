package testengine_test

import (
	"testing"

	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

func TestClickHouse(t *testing.T) {
	addr, database := testengine.ClickHouse(t)
	again, other := testengine.ClickHouse(t)
	if addr != again || database == other {
		t.Fatalf("got %s %s and %s %s, want one engine and two databases", addr, database, again, other)
	}
	if got := testengine.Exec(t, addr, "SELECT name FROM system.databases WHERE name = '"+database+"'"); got != database+"\n" {
		t.Fatalf("the database is missing: %q", got)
	}
}
