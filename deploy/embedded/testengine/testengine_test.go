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

func TestKafka(t *testing.T) {
	if fake, other := testengine.FakeKafka(t), testengine.FakeKafka(t); fake[0] == other[0] {
		t.Fatal("two tests share a fake")
	}
	if apache, again := testengine.ApacheKafka(t), testengine.ApacheKafka(t); apache[0] != again[0] {
		t.Fatal("Apache Kafka was started twice")
	}
	if a, b := testengine.Prefix(), testengine.Prefix(); a == b {
		t.Fatal("a prefix came twice")
	}
}
